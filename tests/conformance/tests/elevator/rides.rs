// SPDX-License-Identifier: MIT OR Apache-2.0

//! How the elevator goes: whom it takes, in which order, and how long it takes.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use koru_tests::{expect_eq, expect_ok, fail_requirement};

use crate::{CONTRACT, NEVER, Seen, at_once, command, load, look, start, stop, until};

/// After loading it is OFFLINE and empty, on floor 1.
#[test]
fn begins_offline() {
    let _module = CONTRACT.load();
    let promised = Seen {
        state: "OFFLINE".to_owned(),
        floor: 1,
        load: 0,
        riders: vec![],
        waiting: vec![vec![]; 6],
        served: 0,
    };
    expect_eq("looking at it after loading", look(), promised);
}

/// A floor takes 2 s and loading 1 s, by parameters that can be read.
#[test]
fn the_usual_times() {
    let module = CONTRACT.load();
    for (key, promised) in [("params.floor", "2000"), ("params.load", "1000")] {
        let name = CONTRACT.text(key);
        let file = format!("/sys/module/{}/parameters/{name}", module.name());
        let shown = expect_ok(
            &format!("reading the parameter {name}"),
            fs::read_to_string(file),
        );
        expect_eq(&format!("the parameter {name}"), shown.trim_end(), promised);
    }
}

/// `start` makes it IDLE when nobody waits, `stop` OFFLINE again.
#[test]
fn start_and_stop() {
    let _module = load(1, 1);
    for _ in 0..3 {
        start();
        until("IDLE after `start`", |s| s.is("IDLE"));
        stop();
        until("OFFLINE after `stop`", |s| s.is("OFFLINE"));
    }
}

/// Who waits is shown on his floor, with his kind, in the order of coming; nothing
/// moves while it is OFFLINE.
#[test]
fn shows_who_waits() {
    let _module = load(1, 1);
    let calls = ["1 6 P", "3 2 L", "3 1 B", "6 1 V", "3 4 P"];
    calls.into_iter().for_each(command);
    let letters = |seen: &Seen| -> Vec<String> {
        let line = |l: &Vec<String>| l.iter().filter_map(|p| p.chars().next()).collect();
        seen.waiting.iter().map(line).collect()
    };
    let seen = look();
    expect_eq(
        "who waits on floors 1 to 6",
        letters(&seen),
        vec!["P", "", "LBP", "", "", "V"],
    );
    expect_eq("the state", seen.state.as_str(), "OFFLINE");
    thread::sleep(Duration::from_millis(200));
    expect_eq("looking again after 200 ms", look(), seen);
}

/// It fetches somebody, brings him to his floor, and is IDLE there.
#[test]
fn brings_somebody() {
    let _module = load(1, 1);
    start();
    for (i, (from, to)) in [(1, 6), (2, 5), (6, 1), (3, 4), (4, 1)]
        .into_iter()
        .enumerate()
    {
        command(&format!("{from} {to} P"));
        let promised = format!("IDLE on floor {to} with {} served", i + 1);
        until(&promised, |s| {
            s.is("IDLE") && s.floor == to && s.served == i + 1
        });
        let seen = look();
        expect_eq("who rides after that", seen.riders, Vec::<String>::new());
        expect_eq("the load after that", seen.load, 0);
    }
}

/// Each kind has its weight: P 1.0, L 1.5, B 2.0, V 0.5.
#[test]
fn weights() {
    for (kind, weight) in [("P", 10), ("L", 15), ("B", 20), ("V", 5)] {
        let module = load(NEVER, 1);
        command(&format!("1 6 {kind}"));
        start();
        until("one who rides", |s| s.riders.len() == 1);
        let seen = look();
        expect_eq(
            &format!("the load with one {kind}, in tenths"),
            seen.load,
            weight,
        );
        let shown = seen.riders[0].starts_with(kind);
        expect_eq(&format!("the rider is shown as {kind}"), shown, true);
        expect_eq("who waits", seen.waiting(), 0);
        at_once("unloading", || expect_ok("unloading", module.unload()));
    }
}

/// Never more than 5 ride.
#[test]
fn room_for_five() {
    let _module = load(20, 1);
    (0..12).for_each(|_| command("1 6 V"));
    start();
    let all = until("all 12 served", |s| s.served == 12);
    let most = all.iter().map(|s| s.riders.len()).max();
    expect_eq("the most visitors who rode at once, of 12", most, Some(5));
}

/// Never more than 7.0 rides.
#[test]
fn no_more_than_it_can_carry() {
    let _module = load(20, 1);
    (0..8).for_each(|_| command("1 6 B"));
    start();
    let all = until("all 8 served", |s| s.served == 8);
    let most = all.iter().map(|s| s.riders.len()).max();
    expect_eq("the most bosses who rode at once, of 8", most, Some(3));
    let most = all.iter().map(|s| s.load).max();
    expect_eq("the largest load, in tenths", most, Some(60));
}

/// It goes on in its direction while somebody waits that way: it is not first come,
/// first served.
#[test]
fn it_scans_for_those_who_wait() {
    let _module = load(30, 1);
    // In the order of coming it would go 5, 6, 2, 6, 4, 6.
    for call in ["5 6 V", "2 6 V", "4 6 V"] {
        command(call);
    }
    start();
    let all = until("all 3 served", |s| s.served == 3);
    let floors: Vec<usize> = all.iter().map(|s| s.floor).collect();
    if !floors.is_sorted() {
        fail_requirement(
            "people on 5, 2 and 4, all to 6",
            "it goes up only",
            &format!("floors {floors:?}"),
        );
    }
    if let Some(down) = all.iter().find(|s| s.is("DOWN")) {
        fail_requirement(
            "people on 5, 2 and 4, all to 6",
            "it never goes DOWN",
            &format!("{down:?}"),
        );
    }
}

/// It goes on in its direction while somebody rides that way, and only then back.
#[test]
fn it_scans_for_those_who_ride() {
    let _module = load(30, 1);
    for call in ["1 6 V", "2 5 V", "3 1 V"] {
        command(call);
    }
    start();
    let all = until("all 3 served", |s| s.served == 3);
    let top = all.iter().position(|s| s.floor == 6);
    let Some(top) = top else {
        fail_requirement("somebody from 1 to 6", "floor 6 is seen", "never");
    };
    let floors = |seen: &[Seen]| seen.iter().map(|s| s.floor).collect::<Vec<_>>();
    let (up, down) = (floors(&all[..top]), floors(&all[top..]));
    if !up.is_sorted() || !down.iter().rev().is_sorted() {
        let seen = format!("floors {up:?}, then {down:?}");
        fail_requirement(
            "people 1 to 6, 2 to 5, 3 to 1",
            "up to 6, and then down",
            &seen,
        );
    }
    expect_eq("the last floor", look().floor, 1);
}

/// Everybody is brought to his floor, and meanwhile nobody is lost or counted twice;
/// the load is that of those who ride.
#[test]
fn everybody_arrives() {
    let _module = load(1, 1);
    let mut calls = Vec::new();
    for from in 1..=6 {
        for to in (1..=6).filter(|to| *to != from) {
            let kind = ["P", "L", "B", "V"][(from + to) % 4];
            calls.push(format!("{from} {to} {kind}"));
        }
    }
    let total = calls.len();
    // Some before it starts, the others under way.
    let (before, after) = calls.split_at(total / 2);
    before.iter().for_each(|c| command(c));
    start();
    after.iter().for_each(|c| command(c));
    let all = until("all 30 served", |s| s.served == total);
    for seen in &all {
        let weight = |p: &String| match &p[..1] {
            "P" => 10,
            "L" => 15,
            "B" => 20,
            _ => 5,
        };
        let sum: u32 = seen.riders.iter().map(weight).sum();
        if seen.people() != total || seen.load != sum || sum > 70 || seen.riders.len() > 5 {
            let promised = "30 people in all, the load of the riders, at most 7.0 and 5 of them";
            fail_requirement("looking while it moves", promised, &format!("{seen:?}"));
        }
    }
    until("IDLE when all are served", |s| s.is("IDLE"));
}

/// It takes the time that the parameters say.
#[test]
fn a_floor_takes_its_time() {
    let _module = load(100, 50);
    command("1 6 P");
    let begin = Instant::now();
    start();
    until("one served", |s| s.served == 1);
    let took = begin.elapsed();
    let promised = Duration::from_millis(5 * 100 + 2 * 50);
    if took < promised {
        fail_requirement(
            "five floors of 100 ms and two stops of 50 ms",
            "at least 600 ms",
            &format!("{took:?}"),
        );
    }
}

/// While it moves, the state is UP or DOWN and the file can be read and written.
#[test]
fn commands_while_it_moves() {
    let module = load(NEVER, 1);
    command("1 6 P");
    start();
    until("UP with one who rides", |s| {
        s.is("UP") && s.riders.len() == 1
    });
    at_once("reading and writing while it moves", || {
        command("4 1 B");
        expect_eq("who waits", look().waiting(), 1);
        stop();
        expect_eq("the state", look().state, "UP");
    });
    at_once("unloading", || expect_ok("unloading", module.unload()));
}

/// While the doors are open, the state is LOADING.
#[test]
fn the_doors_take_their_time() {
    let module = load(1, NEVER);
    command("3 6 P");
    start();
    until("LOADING on floor 3", |s| s.is("LOADING") && s.floor == 3);
    at_once("unloading", || expect_ok("unloading", module.unload()));
}

/// `stop` brings home who rides, takes nobody else in, and then is OFFLINE; `start`
/// goes on with those who wait.
#[test]
fn stop_finishes_those_aboard() {
    let _module = load(60, 1);
    for call in ["1 6 P", "1 5 V", "4 1 L"] {
        command(call);
    }
    start();
    until("two who ride", |s| s.riders.len() == 2);
    stop();
    // Somebody comes after it.
    command("6 1 B");
    until("OFFLINE after `stop`", |s| s.is("OFFLINE"));
    let seen = look();
    expect_eq("how many were served", seen.served, 2);
    expect_eq("who rides", seen.riders, Vec::<String>::new());
    expect_eq(
        "how many wait",
        seen.waiting.iter().map(Vec::len).collect::<Vec<_>>(),
        [0, 0, 0, 1, 0, 1],
    );
    start();
    until("all served after `start`", |s| {
        s.served == 4 && s.is("IDLE")
    });
}
