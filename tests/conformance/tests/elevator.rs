// SPDX-License-Identifier: MIT OR Apache-2.0

//! `elevator`: a kernel thread moves it, and it scans.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{FileExt, PermissionsExt},
    sync::{LazyLock, OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use koru_testing::Module;
use koru_tests::{
    BadPointer, Contract, Errno, contract, expect_eq, expect_errno, expect_modinfo, expect_ok,
    expect_out_of_range, fail_requirement,
    files::{self, Served, text},
    read_bad, read_by, write_bad,
};

static CONTRACT: LazyLock<Contract> = contract!("elevator");

/// Long enough for everything that is to happen at once or soon.
const LIMIT: Duration = Duration::from_secs(120);
/// Milliseconds that no test lives to see.
const NEVER: u32 = 3_600_000;

fn path() -> &'static str {
    CONTRACT.text("file")
}

fn load(floor_ms: u32, load_ms: u32) -> Module {
    let floor = format!("{}={floor_ms}", CONTRACT.text("params.floor"));
    let load = format!("{}={load_ms}", CONTRACT.text("params.load"));
    CONTRACT.load_with(&[&floor, &load])
}

fn write(text: impl AsRef<[u8]>) -> io::Result<usize> {
    let mut file = OpenOptions::new().write(true).open(path())?;
    file.write(text.as_ref())
}

/// Writes a command; it must be taken.
#[track_caller]
fn command(text: &str) {
    let line = format!("{text}\n");
    let taken = expect_ok(&format!("writing `{text}`"), write(&line));
    expect_eq(&format!("what writing `{text}` returns"), taken, line.len());
}

#[track_caller]
fn start() {
    command(CONTRACT.text("commands.start"));
}

#[track_caller]
fn stop() {
    command(CONTRACT.text("commands.stop"));
}

/// What the file shows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    state: String,
    floor: usize,
    /// In tenths.
    load: u32,
    riders: Vec<String>,
    /// By floor; the first is floor 1.
    waiting: Vec<Vec<String>>,
    served: usize,
}

impl Seen {
    fn is(&self, state: &str) -> bool {
        self.state == state
    }

    fn waiting(&self) -> usize {
        self.waiting.iter().map(Vec::len).sum()
    }

    fn people(&self) -> usize {
        self.waiting() + self.riders.len() + self.served
    }
}

#[track_caller]
fn look() -> Seen {
    let text = expect_ok("reading the file", fs::read_to_string(path()));
    parse(&text)
}

#[track_caller]
fn parse(text: &str) -> Seen {
    let wrong = |promised: String| -> ! { fail_requirement("reading the file", &promised, text) };
    let after = |key: &str| {
        let prefix = CONTRACT.text(key);
        let line = text.lines().find_map(|l| l.strip_prefix(prefix));
        line.unwrap_or_else(|| wrong(format!("a line `{prefix}..`")))
            .trim()
    };
    let number = |text: &str| {
        let word = text.split_whitespace().next().unwrap_or_default();
        let number: Option<f64> = word.parse().ok();
        number.unwrap_or_else(|| wrong(format!("a number where `{text}` is")))
    };
    if !text.ends_with('\n') {
        wrong("a newline at the end".to_owned());
    }
    let people = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let waiting = (1..=6).map(|floor| {
        let prefix = CONTRACT
            .text("text.waiting")
            .replace("{}", &floor.to_string());
        let line = text.lines().find_map(|l| l.split_once(&*prefix));
        let (_, line) = line.unwrap_or_else(|| wrong(format!("a line with `{prefix}`")));
        let mut words = people(line);
        if words.is_empty() || number(line) as usize != words.len() - 1 {
            wrong(format!("`{prefix}`, how many wait, and who"));
        }
        words.split_off(1)
    });
    Seen {
        state: after("text.state").to_owned(),
        floor: number(after("text.floor")) as usize,
        load: (number(after("text.load")) * 10.0).round() as u32,
        riders: people(after("text.riders")),
        waiting: waiting.collect(),
        served: number(after("text.served")) as usize,
    }
}

/// Looks again and again until it is so; all that was seen, each once in a row.
#[track_caller]
fn until(promised: &str, is_so: impl Fn(&Seen) -> bool) -> Vec<Seen> {
    let end = Instant::now() + LIMIT;
    let mut all: Vec<Seen> = Vec::new();
    loop {
        let seen = look();
        let so = is_so(&seen);
        if all.last() != Some(&seen) {
            all.push(seen);
        }
        if so {
            return all;
        }
        if Instant::now() > end {
            fail_requirement(
                &format!("waiting {} s", LIMIT.as_secs()),
                promised,
                &format!("{:?}", look()),
            );
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs it in a thread of its own, and gives up on it after a while.
#[track_caller]
fn at_once<T: Send + 'static>(done: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(f()));
    told.recv_timeout(LIMIT).unwrap_or_else(|_| {
        fail_requirement(
            done,
            "it is done at once",
            &format!("not after {} s", LIMIT.as_secs()),
        )
    })
}

/// The names of the kernel's threads, without those that come and go as they like.
fn kernel_threads() -> BTreeSet<String> {
    let mut threads = BTreeSet::new();
    for process in fs::read_dir("/proc").expect("/proc").flatten() {
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else {
            continue;
        };
        let Some((name, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        // The state, and then the parent: 2 is kthreadd.
        let ours = rest.split_whitespace().nth(1) == Some("2");
        if ours && !name.contains("(kworker") {
            threads.insert(name.to_owned());
        }
    }
    threads
}

/// The file is there while the module is loaded, and only then.
#[test]
fn appears_and_goes_with_the_module() {
    files::comes_and_goes(&file());
}

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

/// A bad command is refused and changes nothing.
#[test]
fn bad_commands() {
    let _module = load(1, 1);
    command("2 3 V");
    let before = look();
    let huge = "1 2 P ".repeat(2000);
    for text in [
        "x",
        "\n",
        " ",
        "1",
        "1 2",
        "1 2 X",
        "1 2 p",
        "1 2 PP",
        "1 2 P L",
        "0 2 P",
        "1 0 P",
        "7 1 P",
        "1 7 P",
        "1 1 P",
        "-1 2 P",
        "1 256 P",
        "1 258 P",
        "99999999999999999999 1 P",
        "a b P",
        "1.0 2 P",
        "START",
        "starts",
        "star",
        "stopp",
        "start stop",
        "\0",
        "1 2 \0",
        "start\0",
        "\u{a0}",
        &huge,
    ] {
        let shown: String = text.chars().take(24).collect();
        let errno = CONTRACT.errno("errors.command");
        expect_errno(&format!("writing {shown:?}"), write(text), errno);
        expect_eq(
            &format!("looking at it after writing {shown:?}"),
            look(),
            before.clone(),
        );
    }
    expect_eq(
        "what writing nothing returns",
        expect_ok("writing nothing", write("")),
        0,
    );
    expect_eq("looking at it after that", look(), before);
}

/// A bad pointer is EFAULT, and changes and consumes nothing.
#[test]
fn bad_pointers() {
    let _module = load(1, 1);
    command("2 3 V");
    let before = look();
    let mut file = expect_ok(
        "opening",
        OpenOptions::new().read(true).write(true).open(path()),
    );
    for bad in BadPointer::ALL {
        for len in [1, 5, 64] {
            let written = write_bad(&file, bad, len);
            expect_errno(
                &format!("writing {len} bytes from a bad pointer ({bad:?})"),
                written,
                Errno::EFAULT,
            );
            let read = read_bad(&file, bad, len);
            expect_errno(
                &format!("reading {len} bytes to a bad pointer ({bad:?})"),
                read,
                Errno::EFAULT,
            );
        }
    }
    expect_eq(
        "a read of no bytes",
        expect_ok("reading", file.read(&mut [])),
        0,
    );
    let text = expect_ok("reading", read_by(&mut file, 4096));
    expect_eq(
        "what is read after that",
        parse(&String::from_utf8_lossy(&text)),
        before,
    );
}

/// Reads of any size give the same content, and then the end.
#[test]
fn reads_of_any_size() {
    let _module = load(1, 1);
    for call in ["1 6 P", "3 2 L", "6 1 V"] {
        command(call);
    }
    let whole = expect_ok("reading the file", fs::read(path()));
    for size in [1, 2, 7, 100, 4096] {
        let mut file = expect_ok("opening", File::open(path()));
        let read = expect_ok("reading", read_by(&mut file, size));
        let text = String::from_utf8_lossy(&read);
        expect_eq(
            &format!("reading {size} bytes at a time"),
            text,
            String::from_utf8_lossy(&whole),
        );
        expect_eq(
            "a read at the end",
            expect_ok("reading", file.read(&mut [0; 8])),
            0,
        );
    }
    let file = expect_ok("opening", File::open(path()));
    for at in [0, 1, 20, whole.len() - 1, whole.len(), whole.len() + 9] {
        let mut part = [0; 16];
        let n = expect_ok("pread", file.read_at(&mut part, at as u64));
        let rest = whole.get(at..).unwrap_or_default();
        expect_eq(
            &format!("pread of 16 bytes at {at}"),
            &part[..n],
            &rest[..rest.len().min(16)],
        );
    }
}

/// A read in pieces shows one moment, however it moves meanwhile.
#[test]
fn pieces_are_of_one_moment() {
    let _module = load(1, 1);
    start();
    for i in 0..20 {
        command(if i % 2 == 0 { "1 6 V" } else { "6 1 V" });
        let mut file = expect_ok("opening", File::open(path()));
        let text = expect_ok("reading", read_by(&mut file, 1));
        let seen = parse(&String::from_utf8_lossy(&text));
        expect_eq(
            "people who wait, ride and were served",
            seen.people(),
            i + 1,
        );
    }
}

/// A read in pieces shows one moment, whatever is done meanwhile on the same descriptor
/// that gives nobody anything.
#[test]
fn pieces_are_not_disturbed() {
    let _module = load(1, 1);
    let change = || command("2 5 L");
    files::disturbed_reads(path(), change, |done, seen, begun| {
        expect_eq(done, text(seen), text(begun));
    });
}

/// A pread at an offset does not bring back what was to be seen before.
#[test]
fn a_slow_pread_puts_nothing_back() {
    let _module = load(1, 1);
    let change = || command("2 5 L");
    files::a_slow_pread_puts_nothing_back(path(), change, |done, seen| {
        expect_eq(done, text(seen), text(&files::read_all(path())));
    });
}

/// Unloading works whatever it is doing, and leaves no thread.
#[test]
fn unloading_at_any_moment() {
    let threads = kernel_threads();
    for pause in 0..40 {
        let module = load(3, 2);
        for call in ["1 6 P", "3 2 L", "6 1 V", "2 5 B"] {
            command(call);
        }
        if pause > 0 {
            start();
        }
        if pause % 7 == 6 {
            stop();
        }
        thread::sleep(Duration::from_millis(pause));
        let held = expect_ok("opening", File::open(path()));
        at_once("unloading", || expect_ok("unloading", module.unload()));
        drop(held);
    }
    let left: Vec<String> = kernel_threads().difference(&threads).cloned().collect();
    expect_eq("threads that are left", left, Vec::<String>::new());
}

/// Two hundred processes at once are all served.
#[test]
fn two_hundred_processes() {
    let _module = load(1, 1);
    start();
    let calls = |i| {
        let (from, to) = (i % 6 + 1, (i + 1 + i / 6 % 5) % 6 + 1);
        format!("echo {from} {to} V > {0} && cat {0}", path())
    };
    for output in files::at_once(200, calls) {
        expect_eq(
            "a process that called it: succeeded",
            output.status.success(),
            true,
        );
        parse(&String::from_utf8_lossy(&output.stdout));
    }
    until("all 200 served", |s| s.served == 200);
    let seen = look();
    expect_eq("people who wait, ride and were served", seen.people(), 200);
}

/// The file as others are: while it is OFFLINE and nobody waits its text stays as it
/// is.
fn file() -> Served<'static> {
    let first = OnceLock::new();
    Served {
        contract: &CONTRACT,
        path: path(),
        whole: Some(Box::new(move |done, seen| {
            let seen = text(seen);
            let first = first.get_or_init(|| seen.clone());
            expect_eq(done, &seen, first);
            expect_eq("it ends with a newline", seen.ends_with('\n'), true);
        })),
    }
}

/// The end stays the end for as often as one reads; the next open starts again.
#[test]
fn ends_and_starts_again() {
    files::ends_and_starts_again(&file());
}

/// Two open files have positions of their own.
#[test]
fn positions_of_their_own() {
    files::positions_of_their_own(&file());
}

/// pread gives what is at its offset, and leaves the position alone.
#[test]
fn preads() {
    files::preads(&file());
}

/// lseek works: back at the start, the file is read anew; before it is EINVAL.
#[test]
fn lseek_works() {
    files::seeks(&file());
}

/// `dd bs=1` copies the text.
#[test]
fn dd_byte_by_byte() {
    files::dd_byte_by_byte(&file());
}

/// A read of no bytes gives 0 and changes nothing.
#[test]
fn reads_of_nothing() {
    files::reads_of_nothing(&file());
}

/// A write of no bytes gives 0 and changes nothing.
#[test]
fn a_write_of_nothing() {
    let _module = CONTRACT.load();
    let before = files::read_all(path());
    expect_eq(
        "write of 0 bytes",
        expect_ok("write of 0 bytes", write("")),
        0,
    );
    let after = files::read_all(path());
    expect_eq("the text after it", text(&after), text(&before));
}

/// Whoever has the descriptor - a duplicate, a child, a thread, a process that it was
/// sent to - goes on where the last one was.
#[test]
fn descriptors_share_a_position() {
    files::descriptors_share_a_position(&file());
}

/// Everybody may read the file and write it: its mode is 0666.
#[test]
fn everybody_may_use_it() {
    let _module = CONTRACT.load();
    let mode = expect_ok("stat", fs::metadata(path())).permissions().mode() & 0o7777;
    expect_eq("the mode", format!("{mode:o}"), "666".to_owned());
    let script = format!(
        "cat {0} && echo {1} >{0}",
        path(),
        CONTRACT.text("commands.start")
    );
    let output = files::as_nobody(&script);
    expect_eq(
        "cat and echo by nobody: success",
        output.status.success(),
        true,
    );
}

/// The module can be unloaded while the file is open; reads are EIO from then on.
#[test]
fn unload_while_open() {
    files::unload_while_open(&file());
}

/// A second insmod is EEXIST and changes nothing.
#[test]
fn loading_twice() {
    files::loading_twice(&file(), "elevator");
}

/// When the file's name is taken the load fails, leaves no thread, and the other's
/// file stays.
#[test]
fn a_name_that_is_taken() {
    files::taken_name(&file(), "elevator", "kt_same_file");
}

/// A number that is too large for a parameter is refused.
#[test]
fn numbers_too_large() {
    let params = ["params.floor", "params.load"].map(|p| CONTRACT.text(p));
    expect_out_of_range("elevator", &params);
}

/// `modinfo` shows license, author, description, version and the parameters.
#[test]
fn modinfo_tells_who_and_what() {
    let params = ["params.floor", "params.load"].map(|p| CONTRACT.text(p));
    expect_modinfo("elevator", &params);
}
