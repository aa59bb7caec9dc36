// SPDX-License-Identifier: MIT OR Apache-2.0

//! What leaves the kernel from a file's operations, and where files may be registered,
//! on the module `kt_files`.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    process::Command,
    thread,
    time::Duration,
};

use koru_testing::{Log, Module};
use koru_tests::{
    Errno::{EEXIST, EINTR, EINVAL, EIO, ENOTTY, EOPNOTSUPP},
    errno, errno_of_init, ioctl, raw_errno,
};

koru_testing::test_file!(one_cpu);

const CONTROL: &str = "/proc/kt_files";
const BAD: &str = "/proc/kt_files_bad";
const SHOW: &str = "/proc/kt_files_show";
const DEVICE: &str = "/dev/kt_files";

fn load() -> Module {
    Module::load("kt_files", &[]).unwrap()
}

fn open(path: &str) -> io::Result<File> {
    // Not `File::open`, which tries again after EINTR.
    let file = rustix::fs::open(path, rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty());
    Ok(File::from(file?))
}

fn command(text: &str) {
    open(CONTROL).unwrap().write_all(text.as_bytes()).unwrap();
}

/// What user space sees of a code, when no signal is pending.
fn seen(code: i32) -> i32 {
    match code {
        512..=514 | 516 => EINTR as i32,
        515 => ENOTTY as i32,
        524 => EOPNOTSUPP as i32,
        1..=511 => code,
        _ => EIO as i32,
    }
}

const CODES: [i32; 25] = [
    1, 11, 22, 133, 511, 512, 513, 514, 515, 516, 517, 518, 519, 520, 521, 522, 523, 524, 525, 526,
    527, 528, 529, 530, 4095,
];

#[test]
fn codes_of_the_kernel_stay_there() {
    let _module = load();
    let mut bad = open(BAD).unwrap();
    let mut device = open(DEVICE).unwrap();
    let mut show = open(SHOW).unwrap();
    for code in CODES {
        command(&format!("code {code}"));
        let mut byte = [0];
        for (operation, result) in [
            ("read", bad.read(&mut byte).map(drop)),
            ("write", bad.write(b"x").map(drop)),
            ("lseek", bad.seek(SeekFrom::Start(3)).map(drop)),
            ("show", show.read(&mut byte).map(drop)),
            ("read_iter", device.read(&mut byte).map(drop)),
            ("write_iter", device.write(b"x").map(drop)),
            ("llseek", device.seek(SeekFrom::Start(3)).map(drop)),
            ("ioctl", ioctl(&device, 0, 0).map(drop)),
            ("ioctl", ioctl(&device, 1, 0).map(drop)),
        ] {
            assert_eq!(raw_errno(result), seen(code), "{code} of {operation}");
        }
        command(&format!("open {code}"));
        assert_eq!(raw_errno(open(BAD)), seen(code), "{code} of open");
        assert_eq!(
            raw_errno(open(DEVICE)),
            seen(code),
            "{code} of a device's open"
        );
    }
    command("code 0");
    assert_eq!(fs::read_to_string(SHOW).unwrap(), "");
}

/// A process that is stopped and goes on notices nothing: the call is made again.
#[koru_testing::all_cpus]
#[test]
fn a_restart_by_a_signal_in_a_child() {
    let _module = load();
    for (code, works) in [
        (512, true),
        (513, true),
        (514, true),
        (516, false),
        (4, false),
    ] {
        let log = Log::from_now();
        command(&format!("wait {code}"));
        let script = "sleep 0.5; kill -STOP $PPID; sleep 0.2; kill -CONT $PPID";
        let mut child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        let read = open(BAD).unwrap().read(&mut [0]);
        assert!(child.wait().unwrap().success());
        match read {
            Ok(n) => assert!(works && n == 0, "{code}: {n}"),
            Err(error) => assert!(
                !works && error.raw_os_error() == Some(EINTR as i32),
                "{code}: {error}"
            ),
        }
        let reads = if works { 2 } else { 1 };
        assert_eq!(log.messages("kt_files: ").len(), reads, "{code}");
    }
}

/// What the kernel has taken, and what it has not.
const NAMES: [(&str, &str); 5] = [
    ("kt_files_other", "Ok(()) Ok(())"),
    ("kt_files", "Err(EEXIST) Err(EEXIST)"),
    ("cpuinfo", "Err(EEXIST) Ok(())"),
    // A link, which leads nowhere here.
    ("self", "Err(EEXIST) Ok(())"),
    ("cpu_dma_latency", "Ok(()) Err(EEXIST)"),
];

/// Gives each name to `registers`, which has the module register it in some place.
fn in_place(place: &str, registers: impl Fn()) {
    for (name, wanted) in NAMES {
        let module = Module::load("kt_files", &[&format!("name={name}")]).unwrap();
        let log = Log::from_now();
        registers();
        let text = format!("{place}: {wanted}");
        // A release may come after the process has ended for its parent.
        for _ in 0..500 {
            if !log.messages("kt_files: ").is_empty() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(log.messages("kt_files: "), [text], "{name}");
        module.unload().unwrap();
    }
}

#[koru_testing::all_cpus]
#[test]
fn names_in_a_process() {
    in_place("here", || command("both"));
}

#[koru_testing::all_cpus]
#[test]
fn names_in_a_kernel_thread() {
    in_place("thread", || command("thread"));
}

/// With no root directory and no namespaces any more.
#[koru_testing::all_cpus]
#[test]
fn names_in_a_process_that_ends() {
    in_place("late", || {
        let script = format!("exec 3<>{CONTROL}; echo late >&3");
        let status = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(status.success());
    });
}

#[test]
fn names_without_proc_and_sys() {
    in_place("here", || {
        let script = format!(
            "exec 3<>{CONTROL}; unshare -m sh -c 'umount -l /proc; umount -l /sys; \
             test ! -e /proc/self && test ! -e /sys/class && echo both >&3'"
        );
        let status = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(status.success());
    });
}

#[test]
fn names_in_another_root() {
    let _module = load();
    let log = Log::from_now();
    let mut control = open(CONTROL).unwrap();
    // A directory that is empty.
    std::os::unix::fs::chroot("/proc/tty/driver").unwrap();
    control.write_all(b"twice").unwrap();
    assert_eq!(
        log.messages("kt_files: "),
        ["again: Err(EEXIST) Err(EEXIST)"]
    );
}

/// `open` of a device runs under the lock that a registration takes.
#[test]
fn names_in_the_open_of_a_device() {
    let _module = load();
    let log = Log::from_now();
    command("inside");
    drop(open(DEVICE).unwrap());
    assert_eq!(log.messages("kt_files: "), ["inside: Ok(()) Err(EDEADLK)"]);
}

#[test]
fn names_of_another_module() {
    let _module = load();
    for name in ["kt_files", "kt_files_bad", "kt_files_show"] {
        let taken = Module::load("kt_same_file", &[&format!("file={name}")]);
        assert_eq!(errno(taken), errno_of_init(EEXIST), "{name}");
    }
}

#[test]
fn names_that_are_none() {
    let longest = "x".repeat(255);
    for (name, wanted) in [
        ("", Some(EINVAL)),
        (".", Some(EINVAL)),
        ("..", Some(EINVAL)),
        ("a/b", Some(EINVAL)),
        ("12345", Some(EINVAL)),
        ("0", Some(EINVAL)),
        ("99999999999999999999", Some(EINVAL)),
        ("bell\u{7}", Some(EINVAL)),
        ("delete\u{7f}", Some(EINVAL)),
        (&"x".repeat(256), Some(EINVAL)),
        (&"x".repeat(1000), Some(EINVAL)),
        (&longest, None),
        ("12345a", None),
        ("a:b!c%s", None),
    ] {
        match Module::load("kt_same_file", &[&format!("file={name}")]) {
            Ok(module) => {
                assert_eq!(wanted, None, "{name:?}");
                assert!(fs::read_to_string(format!("/proc/{name}")).is_ok());
                module.unload().unwrap();
            }
            Err(error) => assert_eq!(Some(errno(Err::<(), _>(error))), wanted, "{name:?}"),
        }
    }
}
