// SPDX-License-Identifier: MIT OR Apache-2.0

//! Plays a script of system calls, as `koru fuzz` writes it.

use std::{fs, path::Path, process::ExitCode};

use ioshell::calls::{Call, Player};

/// Makes the calls of a script, and prints each with its result.
pub fn play(script: &Path) -> ExitCode {
    let fail = |why: String| {
        eprintln!("ioshell: {}: {why}", script.display());
        ExitCode::FAILURE
    };
    let text = match fs::read_to_string(script) {
        Ok(text) => text,
        Err(e) => return fail(e.to_string()),
    };
    let mut calls = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match Call::parse(line) {
            Ok(call) => calls.push(call),
            Err(why) => return fail(format!("line {}: {why}", index + 1)),
        }
    }
    let mut player = match Player::new() {
        Ok(player) => player,
        Err(errno) => return fail(errno.desc().to_owned()),
    };
    for (index, call) in calls.iter().enumerate() {
        if call.name() == "fork" {
            // The child makes the calls that follow, and this process makes them, too.
            println!("{call}");
            player.fork(&calls[index + 1..]);
            continue;
        }
        match player.result(call) {
            Some(Ok(value)) => println!("{call} = {value}"),
            Some(Err(errno)) => println!("{call} = {errno:?}"),
            None => println!("{call}"),
        }
    }
    player.run(&[]);
    ExitCode::SUCCESS
}
