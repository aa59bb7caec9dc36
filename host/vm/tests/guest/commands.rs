// SPDX-License-Identifier: MIT OR Apache-2.0

//! Commands in a guest: their status, output, input and files.

use std::{
    io::Write,
    thread,
    time::{Duration, Instant},
};

use koru_protocol::{Exec, Exit, TtySize};
use koru_session::{Error, ProcessEvent};

use crate::{sh, shared};

#[test]
fn exit_codes_and_signals_are_reported() {
    let Some(guest) = shared() else { return };
    let exit = |script| guest.session().output(sh(script)).unwrap().exit;
    assert_eq!(exit("true"), Exit::Code(0));
    assert_eq!(exit("exit 42"), Exit::Code(42));
    assert_eq!(exit("exit 255"), Exit::Code(255));
    assert_eq!(exit("kill -SEGV $$"), Exit::Signal(11));
    assert_eq!(exit("kill -KILL $$").status(), 137);
}

#[test]
fn command_that_cannot_start_is_an_error() {
    let Some(guest) = shared() else { return };
    let run = |exec| guest.session().output(exec);
    for (exec, wanted) in [
        (Exec::new(["/no/such/program"]), 2),
        (Exec::new(["/etc/passwd"]), 13),
        (Exec::new::<&str>([]), 22),
    ] {
        match run(exec) {
            Err(Error::Refused { errno, .. }) => assert_eq!(errno, wanted),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn stdout_and_stderr_are_separate_and_binary() {
    let Some(guest) = shared() else { return };
    let script = r"printf '\000\377\r\n\033' ; printf 'err\000' >&2";
    let out = guest.session().output(sh(script)).unwrap();
    assert_eq!(out.stdout, b"\0\xff\r\n\x1b");
    assert_eq!(out.stderr, b"err\0");
}

#[test]
fn large_output_is_complete() {
    let Some(guest) = shared() else { return };
    let start = Instant::now();
    let out = guest.session().output(sh("seq 1 150000")).unwrap();
    let wanted: String = (1..=150_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(out.stdout.len(), wanted.len());
    assert!(out.stdout == wanted.as_bytes());
    let rate = wanted.len() as f64 / 1e6 / start.elapsed().as_secs_f64();
    eprintln!("output: {rate:.2} MB/s");
}

#[test]
fn daemon_does_not_delay_the_command() {
    let Some(guest) = shared() else { return };
    let start = Instant::now();
    let out = guest.session().output(sh("sleep 60 & echo ok")).unwrap();
    assert_eq!(out.stdout, b"ok\n");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn stdin_reaches_the_command_with_its_end() {
    let Some(guest) = shared() else { return };
    let mut exec = sh("wc -c; echo done");
    exec.stdin = true;
    let process = guest.session().exec(exec).unwrap();
    let mut stdin = process.stdin();
    let writer = thread::spawn(move || {
        // More than the window, so that it must be given back.
        stdin.write_all(&[b'x'; 150_000]).unwrap();
        stdin.close().unwrap();
    });
    let mut out = Vec::new();
    loop {
        match process.next().unwrap() {
            ProcessEvent::Stdout(bytes) => out.extend(bytes),
            ProcessEvent::Exited(exit) => break assert!(exit.success()),
            _ => {}
        }
    }
    writer.join().unwrap();
    assert_eq!(String::from_utf8_lossy(&out), "150000\ndone\n");
}

#[test]
fn command_can_be_killed() {
    let Some(guest) = shared() else { return };
    let process = guest.session().exec(sh("sleep 1000 & wait")).unwrap();
    assert!(matches!(process.next(), Ok(ProcessEvent::Started(_))));
    process.signal(15).unwrap();
    assert_eq!(
        process.next().unwrap(),
        ProcessEvent::Exited(Exit::Signal(15))
    );
}

#[test]
fn user_folder_and_environment_are_as_requested() {
    let Some(guest) = shared() else { return };
    let mut exec = sh("id -u; pwd; echo $GREETING; ls /proc/self/fd | wc -l");
    exec.uid = Some(65534);
    exec.cwd = Some("/tmp".into());
    exec.env = vec![("GREETING".into(), "merhaba dünya".into())];
    let out = guest.session().output(exec).unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    // 0, 1, 2 and the folder that ls reads: nothing of the agent's.
    assert_eq!(text, "65534\n/tmp\nmerhaba dünya\n4\n");
}

#[test]
fn commands_run_on_a_terminal() {
    let Some(guest) = shared() else { return };
    let mut exec = Exec::new(["/bin/sh"]);
    exec.tty = Some(TtySize { rows: 33, cols: 99 });
    let process = guest.session().exec(exec).unwrap();
    let mut stdin = process.stdin();
    let mut out = String::new();
    let mut wait_for = |wanted: &str| {
        while !out.contains(wanted) {
            match process.next().unwrap() {
                ProcessEvent::Stdout(bytes) => out += &String::from_utf8_lossy(&bytes),
                ProcessEvent::Exited(exit) => panic!("{exit:?} after {out}"),
                _ => {}
            }
        }
        out.clear();
    };
    stdin.write_all(b"tty; stty size\r").unwrap();
    wait_for("/dev/pts/");
    wait_for("33 99");
    stdin.resize(TtySize { rows: 10, cols: 20 }).unwrap();
    stdin.write_all(b"stty size\r").unwrap();
    wait_for("10 20");
    // Job control: Ctrl-C stops the command and not the shell.
    stdin.write_all(b"sleep 1000\r").unwrap();
    thread::sleep(Duration::from_millis(500));
    stdin.write_all(b"\x03echo $((40 + 2))\r").unwrap();
    wait_for("42\r\n");
    stdin.write_all(b"exit 7\r").unwrap();
    let exit = loop {
        if let ProcessEvent::Exited(exit) = process.next().unwrap() {
            break exit;
        }
    };
    assert_eq!(exit, Exit::Code(7));
}

#[test]
fn files_are_copied_both_ways() {
    let Some(guest) = shared() else { return };
    let session = guest.session();
    let content: Vec<u8> = (0..100_000u32).map(|n| (n * 7) as u8).collect();
    session
        .put_file("/tmp/new/folder/file", 0o751, &content)
        .unwrap();
    assert!(session.get_file("/tmp/new/folder/file").unwrap() == content);
    let out = session
        .output(sh("stat -c %a /tmp/new/folder/file; ls -A /tmp/new/folder"))
        .unwrap();
    assert_eq!(out.stdout, b"751\nfile\n");
    session.put_file("/tmp/empty", 0o600, b"").unwrap();
    assert_eq!(session.get_file("/tmp/empty").unwrap(), b"");
    for (result, wanted) in [
        (session.put_file("/proc/x/y", 0o644, b"x"), 2),
        (session.get_file("/no/such").map(drop), 2),
        (session.get_file("/tmp").map(drop), 21),
    ] {
        match result {
            Err(Error::Refused { errno, .. }) => assert_eq!(errno, wanted),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn records_come_in_order_before_their_mark() {
    let Some(guest) = shared() else { return };
    let session = guest.session();
    let from = session.mark().unwrap();
    session
        .output(sh(
            "for i in $(seq 1 50); do echo \"<4>line $i: dünya\\ttab\" > /dev/kmsg; done",
        ))
        .unwrap();
    let to = session.mark().unwrap();
    let ours: Vec<_> = session
        .log_since(from)
        .into_iter()
        .filter(|r| r.seq < to && r.text.starts_with("line "))
        .collect();
    assert_eq!(ours.len(), 50);
    assert!(ours[0].text.starts_with("line 1: dünya"));
    assert_eq!((ours[0].level, ours[0].facility), (4, 1));
    assert!(ours.windows(2).all(|w| w[0].seq < w[1].seq));
}

#[test]
fn clock_matches_the_hosts() {
    let Some(guest) = shared() else { return };
    let out = guest.session().output(sh("date +%s")).unwrap();
    let theirs: u64 = String::from_utf8_lossy(&out.stdout).trim().parse().unwrap();
    let ours = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert!(ours.abs_diff(theirs) < 5, "{ours} {theirs}");
}

#[test]
fn impossible_loads_are_refused() {
    let Some(guest) = shared() else { return };
    let session = guest.session();
    session
        .put_file("/tmp/bad.ko", 0o644, b"not a module")
        .unwrap();
    for (path, wanted) in [("/tmp/bad.ko", 8), ("/no/such.ko", 2)] {
        match session.load(path, &[]) {
            Err(Error::LoadFailed { errno, .. }) => assert_eq!(errno, wanted),
            other => panic!("{other:?}"),
        }
    }
    match session.unload("no_such") {
        Err(Error::UnloadFailed { errno, .. }) => assert_eq!(errno, 2),
        other => panic!("{other:?}"),
    }
    assert!(session.list().unwrap().is_empty());
}
