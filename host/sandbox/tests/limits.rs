// SPDX-License-Identifier: MIT OR Apache-2.0

//! The limits of a sandbox, and that nothing outlives it.

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use koru_error::Kind;
use koru_sandbox::{Limits, Sandbox};

use common::{MEGABYTE, again, as_each_user, folder, is_running, limits, ok, role, run};

/// Runs a script that must be ended at a limit, and returns the message and the output.
fn ended(sandbox: &Sandbox, script: &str) -> (String, String) {
    let start = Instant::now();
    let error = run(sandbox, script).unwrap_err();
    assert_eq!(error.kind, Kind::Link, "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(30), "{error:?}");
    (error.message, error.output.unwrap_or_default())
}

/// Returns the argument of a `sleep` that no other process has.
fn unique() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    format!("321.{}{}", now.as_nanos(), std::process::id())
}

/// Waits until a process with this argument is running, or is not.
fn wait_until(argument: &str, running: bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while is_running(argument) != running {
        assert!(Instant::now() < end, "running: {}", !running);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_endless_program_times_out() {
    as_each_user("an_endless_program_times_out", || {
        let sandbox = Sandbox::new(Limits {
            time: Duration::from_millis(1500),
            ..limits()
        });
        let sleep = unique();
        let script = format!("echo begun; setsid sleep {sleep} >/dev/null 2>&1 & sleep 1000");
        let (message, output) = ended(&sandbox, &script);
        assert_eq!(message, "timed out after 1.5 s");
        assert_eq!(output, "begun\n");
        assert!(!is_running(&sleep));
    });
}

/// The program's end is that of its children, also of those that left its session and streams.
#[test]
fn children_end_with_the_program() {
    as_each_user("children_end_with_the_program", || {
        let sleep = unique();
        let script = format!(
            "setsid sh -c 'trap \"\" TERM HUP; sleep {sleep}' >/dev/null 2>&1 & \
             nohup sleep {sleep} & exit 0"
        );
        ok(&Sandbox::new(limits()), &script);
        assert!(!is_running(&sleep));
    });
}

/// The end of the process that made the sandbox is the end of the sandbox, too.
#[test]
fn nothing_outlives_a_killed_parent() {
    if let Some(sleep) = role().filter(|r| r.starts_with("321.")) {
        let script = format!("setsid sleep {sleep} & echo begun; sleep {sleep}");
        let seen = |_, part: &[u8]| print!("{}", String::from_utf8_lossy(part));
        let result = Sandbox::new(limits()).output_with(&common::sh(&script), "testing", &seen);
        panic!("it ended by itself: {result:?}");
    }
    as_each_user("nothing_outlives_a_killed_parent", || {
        let (dir, sleep) = (folder(), unique());
        let test = "nothing_outlives_a_killed_parent";
        let mut parent = again(dir.path(), &["env"], test, &sleep)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
        let begun = lines.map_while(Result::ok).any(|l| l.ends_with("begun"));
        assert!(begun);
        wait_until(&sleep, true);
        parent.kill().unwrap();
        parent.wait().unwrap();
        wait_until(&sleep, false);
    });
}

#[test]
fn a_fork_bomb_is_ended() {
    as_each_user("a_fork_bomb_is_ended", || {
        let sandbox = Sandbox::new(limits());
        for bomb in [
            "exec bash -c ':(){ :|:& };:; sleep 1000'",
            "exec bash -c 'while :; do setsid sleep 1000 & done'",
        ] {
            let (message, _) = ended(&sandbox, bomb);
            assert_eq!(message, "used more than 64 processes and threads");
        }
        // The next program has all of its processes.
        ok(
            &sandbox,
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.1 & done; wait",
        );
    });
}

#[test]
fn a_full_disk_is_told() {
    as_each_user("a_full_disk_is_told", || {
        let work = folder();
        let sandbox = Sandbox::new(limits()).work(work.path(), work.path());
        for script in [
            "dd if=/dev/zero of=big bs=1M",
            "dd if=/dev/zero of=/tmp/big bs=1M",
            "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > f$i; done",
            // A file without a name takes room, too.
            "exec 3>gone; rm gone; cat /dev/zero >&3; sleep 1000",
            "i=0; while :; do i=$((i+1)); : > f$i; done",
        ] {
            assert_eq!(
                ended(&sandbox, script).0,
                "wrote more than 32 MB",
                "{script}"
            );
        }
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);
    });
}

/// A folder that stays is on a disk, and is watched.
#[test]
fn a_writable_folder_is_bounded() {
    as_each_user("a_writable_folder_is_bounded", || {
        // /tmp may be in memory, which is a file system as any other here.
        let dir = folder();
        let sandbox = Sandbox::new(limits()).writable(dir.path());
        let at = dir.path().display();
        for script in [
            format!("i=0; while :; do i=$((i+1)); head -c 9000000 /dev/zero > {at}/f$i; done"),
            format!(
                "i=0; while :; do i=$((i+1)); exec 3>{at}/x; rm {at}/x; \
                     (head -c 9000000 /dev/zero >&3; sleep 1000) & sleep 0.05; done"
            ),
        ] {
            assert_eq!(
                ended(&sandbox, &script).0,
                "wrote more than 32 MB",
                "{script}"
            );
        }
    });
}

/// A file with holes is small in the sandbox only.
#[test]
fn results_are_bounded() {
    as_each_user("results_are_bounded", || {
        let work = folder();
        let sandbox = Sandbox::new(limits()).work(work.path(), work.path());
        let script = "for i in 1 2 3 4; do truncate -s 20M sparse$i; done";
        let (message, _) = ended(&sandbox, script);
        assert_eq!(message, "they are larger than 32 MB");
    });
}

#[test]
fn memory_is_bounded() {
    as_each_user("memory_is_bounded", || {
        let sandbox = Sandbox::new(Limits {
            memory: 200 * MEGABYTE,
            ..limits()
        });
        // `tail` keeps the last line, and this one has no end.
        let one = run(&sandbox, "head -c 400M /dev/zero | tail -n 1 | wc -c").unwrap();
        assert_eq!(one.stdout, b"0\n");
        let many = "for i in 1 2 3 4 5 6 7 8; do \
                    (head -c 60M /dev/zero; sleep 1000) | tail -n 1 & done; wait";
        assert_eq!(ended(&sandbox, many).0, "used more than 200 MB of memory");
        // Memory that would be no process's own.
        assert!(!run(&sandbox, "ipcmk -M 1000").unwrap().status.success());
    });
}

#[test]
fn long_output_is_cut() {
    as_each_user("long_output_is_cut", || {
        let sandbox = Sandbox::new(limits());
        let output = run(&sandbox, "yes | head -c 3M; echo end >&2; exit 7").unwrap();
        let kept = output.stdout.len() + output.stderr.len();
        assert!(kept as u64 >= MEGABYTE && kept < MEGABYTE as usize + 200);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.ends_with("2 MB more output not shown: the limit is 1 MB]\n"),
            "{said}"
        );
        assert_eq!(output.status.code(), Some(7));
    });
}

/// Sandboxes that run at once do not count one another's processes.
#[test]
fn sandboxes_are_apart() {
    as_each_user("sandboxes_are_apart", || {
        let sandbox = Sandbox::new(limits());
        let script = "for i in $(seq 40); do sleep 1 & done; wait; echo ok";
        thread::scope(|s| {
            let all: Vec<_> = (0..3).map(|_| s.spawn(|| ok(&sandbox, script))).collect();
            for each in all {
                assert_eq!(each.join().unwrap(), "ok\n");
            }
        });
    });
}
