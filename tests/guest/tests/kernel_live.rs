// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is registered and never dropped, on the module `kt_leak`.

use std::{
    fs,
    io::ErrorKind,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use koru_testing::{Log, Module, is_loaded, kernel_may_say};
use koru_tests::{Errno, errno};

/// A process that does not end, and must not be waited for.
fn start(program: &str, args: &[&str]) -> Child {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits, without a limit of its own.
fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = found() {
            return found;
        }
        sleep(Duration::from_millis(20));
    }
}

/// What the module says once it finds that it cannot leave.
fn stays(log: &Log) -> String {
    until(|| {
        let said = log.messages("rust_kernel: kt_leak must stay in memory: ");
        said.into_iter().next()
    })
}

fn state(process: &Child) -> char {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    rest.chars().next().unwrap()
}

/// Uses whatever is there: the kernel then calls the module's code.
fn use_all() {
    for file in ["/proc/kt_leak", "/dev/kt_leak"] {
        if let Err(e) = fs::read_to_string(file) {
            let expected = [Errno::ENXIO, Errno::ENODEV, Errno::ENOENT];
            let seen = Errno::from_raw(e.raw_os_error().unwrap());
            assert!(expected.contains(&seen), "{file}: {e}");
        }
    }
    Command::new("hostname").arg("koru").status().unwrap();
    // A thread's turns.
    sleep(Duration::from_millis(200));
}

/// Leaks, and cannot be unloaded: one record says why, nothing is harmed, and whoever
/// unloads it sleeps.
#[expect(clippy::zombie_processes, reason = "the unloading never ends")]
fn leaks(what: &str, left: &str) {
    kernel_may_say("kt_leak must stay in memory");
    let log = Log::from_now();
    // Not unloaded when it goes out of scope.
    std::mem::forget(Module::load("kt_leak", &[&format!("what={what}")]).unwrap());
    use_all();
    let mut rmmod = start("rmmod", &["kt_leak"]);
    let said = stays(&log);
    assert!(said.starts_with("its exit ended with "), "{said}");
    assert!(
        said.contains(&format!(" {left} still registered")),
        "{said}"
    );
    use_all();
    // Idle, so that nobody takes it for a hung task; and it cannot be killed.
    rmmod.kill().unwrap();
    until(|| (state(&rmmod) == 'I').then_some(()));
    assert!(is_loaded("kt_leak"));
    let others = Module::load("hello", &[]).unwrap();
    others.unload().unwrap();
    assert_eq!(log.messages("rust_kernel: ").len(), 1);
}

macro_rules! leaks {
    ($($name:ident $left:literal)*) => {$(
        #[test]
        fn $name() {
            leaks(stringify!($name), $left);
        }
    )*};
}
leaks! {
    thread_forget "1 kernel thread"
    thread_leak "1 kernel thread"
    thread_cycle "1 kernel thread"
    show_forget "1 file in /proc"
    show_cycle "1 file in /proc"
    show_vec "1 file in /proc"
    proc_forget "1 file in /proc"
    proc_arc "1 file in /proc"
    proc_cycle "1 file in /proc"
    misc_forget "1 misc device"
    misc_arc "1 misc device"
    misc_cycle "1 misc device"
    probe_forget "1 kprobe"
    probe_arc "1 kprobe"
    probe_cycle "1 kprobe"
    several "2 kernel threads, 1 file in /proc, 1 misc device, 1 kprobe"
}

/// The loader frees a module whose init fails, too.
#[test]
fn a_load_that_fails_waits_likewise() {
    kernel_may_say("kt_leak must stay in memory");
    let log = Log::from_now();
    let path = Module::path("kt_leak");
    let args = [path.to_str().unwrap(), "what=several", "refuse=1"];
    let mut insmod = start("insmod", &args);
    let said = stays(&log);
    assert!(
        said.starts_with("its init failed (errno 16) with "),
        "{said}"
    );
    use_all();
    insmod.kill().unwrap();
    until(|| (state(&insmod) == 'I').then_some(()));
    assert!(insmod.try_wait().unwrap().is_none());
    assert_eq!(log.messages("rust_kernel: ").len(), 1);
}

#[test]
fn what_is_not_leaked_leaves() {
    let log = Log::from_now();
    Module::load("kt_leak", &[]).unwrap().unload().unwrap();
    assert_eq!(errno(Module::load("kt_leak", &["refuse=1"])), Errno::EBUSY);
    assert!(!is_loaded("kt_leak"));
    assert_eq!(log.messages("rust_kernel: "), [""; 0]);
}

/// A thread that drops its own `KThread` cannot wait for itself; the unloading does.
fn own(what: &str, said: &[&str]) {
    let log = Log::from_now();
    let module = Module::load("kt_leak", &[&format!("what={what}")]).unwrap();
    until(|| (log.messages("kt_leak: ").len() >= said.len() - 1).then_some(()));
    module.unload().unwrap();
    assert_eq!(log.messages("kt_leak: "), said);
    assert_eq!(log.messages("rust_kernel: "), [""; 0]);
    assert_eq!(errno(fs::metadata("/sys/module/kt_leak")), Errno::ENOENT);
}

#[test]
fn a_thread_drops_itself() {
    let said = [
        "to stop: false",
        "to stop: true, sleeps: false",
        "the closure is dropped",
    ];
    own("thread_own", &said);
}

#[test]
fn a_thread_stops_itself() {
    let said = [
        "to stop: false",
        "result: false",
        "to stop: true, sleeps: false",
        "the closure is dropped",
    ];
    own("thread_own_stop", &said);
}

#[test]
fn a_load_that_fails_waits_for_a_thread_that_drops_itself() {
    let log = Log::from_now();
    let load = Module::load("kt_leak", &["what=thread_own", "refuse=1"]);
    assert_eq!(errno(load), Errno::EBUSY);
    let said = log.messages("kt_leak: ");
    assert_eq!(said.last().unwrap(), "the closure is dropped");
    assert_eq!(log.messages("rust_kernel: "), [""; 0]);
}

/// Whatever is dropped in the end lets the module go.
#[test]
fn what_is_dropped_late_lets_it_go() {
    kernel_may_say("kt_leak must stay in memory");
    let log = Log::from_now();
    let module = Module::load("kt_leak", &["what=thread_late"]).unwrap();
    module.unload().unwrap();
    assert_eq!(log.messages("kt_leak: "), ["late"]);
    let said = log.messages("rust_kernel: kt_leak ");
    assert!(
        said[0].contains("1 kernel thread, 1 file in /proc still"),
        "{said:?}"
    );
    assert_eq!(said[1..], ["may go now: all is dropped"]);
    let gone = fs::metadata("/proc/kt_leak").unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}
