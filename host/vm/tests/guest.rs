// SPDX-License-Identifier: MIT OR Apache-2.0

//! Real guests. Needs in the environment:
//! `KORU_TEST_KERNEL` (a vmlinuz), `KORU_TEST_AGENT` (the static agent),
//! `KORU_TEST_BUSYBOX` (static), `KORU_TEST_CACHE` (a folder); without them
//! the tests say so and pass.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, mpsc::channel},
    thread,
    time::{Duration, Instant},
};

use koru_protocol::{Death, Exec, Exit, TtySize};
use koru_qemu::{Accel, AccelChoice, Initramfs};
use koru_session::{Error, ProcessEvent, Session, connect};
use koru_vm::{Event, Guest, GuestConfig, Server};

fn config() -> Option<GuestConfig> {
    let var = |name: &str| env::var_os(name).map(PathBuf::from);
    let all = (
        var("KORU_TEST_KERNEL"),
        var("KORU_TEST_AGENT"),
        var("KORU_TEST_BUSYBOX"),
        var("KORU_TEST_CACHE"),
    );
    let (Some(kernel), Some(agent), Some(busybox), Some(cache)) = all else {
        eprintln!("skipped: KORU_TEST_KERNEL and its like are not set");
        return None;
    };
    let mut root = Initramfs::new();
    root.file("/init", agent)
        .unwrap()
        .busybox(&busybox)
        .unwrap();
    Some(GuestConfig::new(kernel, cache, root))
}

/// One guest for the tests that leave it as it was.
fn shared() -> Option<&'static Guest> {
    static GUEST: OnceLock<Option<Guest>> = OnceLock::new();
    GUEST
        .get_or_init(|| config().map(|c| Guest::start(c).unwrap()))
        .as_ref()
}

fn sh(script: &str) -> Exec {
    Exec::new(["/bin/sh", "-c", script])
}

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

#[test]
fn four_guests_run_in_parallel() {
    let Some(_) = config() else { return };
    let all: Vec<_> = (0..4)
        .map(|n: i32| {
            thread::spawn(move || {
                let guest = Guest::start(config().unwrap()).unwrap();
                let out = guest.session().output(sh(&format!("exit {n}"))).unwrap();
                assert_eq!(out.exit, Exit::Code(n));
                guest.power_off().unwrap();
            })
        })
        .collect();
    for one in all {
        one.join().unwrap();
    }
}

#[test]
fn kernel_panic_is_reported() {
    let Some(config) = config() else { return };
    let guest = Guest::start(config).unwrap();
    let session = guest.session();
    session
        .output(sh("echo '<6>the last words' > /dev/kmsg"))
        .unwrap();
    let error = session
        .output(sh(
            "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger",
        ))
        .unwrap_err();
    let Error::Panicked { reason, records } = error else {
        panic!("{error:?}")
    };
    assert!(!reason.is_empty());
    assert!(
        records.iter().any(|r| r.text.contains("sysrq")),
        "{records:?}"
    );
    assert!(matches!(guest.wait(), Death::Panicked { .. }));
}

/// How a machine is powered off is not told apart by QEMU: the agent says that it is.
#[test]
fn guest_powers_off_without_port_access() {
    let Some(mut config) = config() else { return };
    config.cmdline.push("lockdown=integrity".into());
    let guest = Guest::start(config).unwrap();
    let ask = "mount -t securityfs - /mnt && cat /mnt/lockdown";
    let ask = format!("mkdir -p /mnt && {ask}");
    let output = guest.session().output(sh(&ask)).unwrap();
    let lockdown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(lockdown.contains("[integrity]"), "{output:?}");
    guest.power_off().unwrap();
}

#[test]
fn power_off_from_inside_is_noticed() {
    let Some(config) = config() else { return };
    let guest = Guest::start(config).unwrap();
    match guest.session().output(sh("poweroff -f")) {
        Err(Error::Died { detail, .. }) => assert!(detail.contains("by itself"), "{detail}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn failed_boot_has_the_console_output() {
    let Some(mut config) = config() else { return };
    config.cmdline.push("rdinit=/no/such/init".into());
    match Guest::start(config) {
        Err(Error::Boot { why, console }) => {
            assert!(why.contains("panicked"), "{why}");
            assert!(console.contains("Kernel panic"), "{console}");
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it started"),
    }
}

/// One that floods its console for ever; and early in a boot a kernel ignores NMIs.
#[test]
fn endless_boot_times_out() {
    for limit in [100, 400, 800, 8000] {
        let Some(mut config) = config() else { return };
        config.cmdline.push("rdinit=/bin/yes".into());
        config.boot_limit = Duration::from_millis(limit);
        let (done, outcome) = channel();
        thread::spawn(move || _ = done.send(Guest::start(config)));
        match outcome.recv_timeout(Duration::from_secs(120)) {
            Ok(Err(Error::Boot { why, console })) => {
                assert!(why.contains("did not answer"), "{why}");
                assert!(console.contains("NMI"), "{limit}: {console}");
            }
            Ok(Err(other)) => panic!("{limit}: {other:?}"),
            Ok(Ok(_)) => panic!("{limit}: it started"),
            Err(_) => panic!("{limit}: it is not given up"),
        }
    }
}

#[test]
fn missing_emulator_is_named() {
    let Some(mut config) = config() else { return };
    config.qemu = "/no/such/qemu".into();
    match Guest::start(config) {
        Err(Error::Host(e)) => assert_eq!(e.message, "/no/such/qemu is not installed"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it started"),
    }
}

/// A KVM that never lets the guest say a word, and one that ends QEMU.
#[test]
fn broken_kvm_falls_back_to_tcg() {
    use std::os::unix::fs::PermissionsExt;
    for (broken, wanted) in [
        ("exec sleep 1000", "no sign of life"),
        ("echo no such MSR >&2; exit 1", "no such MSR"),
    ] {
        let Some(mut config) = config() else { return };
        let dir = tempfile::tempdir().unwrap();
        let qemu = dir.path().join("qemu");
        let script = format!(
            "#!/bin/sh\ncase \"$2\" in kvm) {broken};; esac\nexec {} \"$@\"\n",
            config.qemu.display()
        );
        fs::write(&qemu, script).unwrap();
        fs::set_permissions(&qemu, fs::Permissions::from_mode(0o755)).unwrap();
        config.qemu = qemu;
        config.accel = AccelChoice::Try;
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = told.clone();
        config.on_event(move |event| telling.lock().unwrap().push(event.clone()));
        let guest = Guest::start(config).unwrap();
        assert_eq!(guest.accel(), Accel::Tcg);
        let told = told.lock().unwrap();
        let why = told.iter().find_map(|event| match event {
            Event::FellBack(why) => Some(why.clone()),
            _ => None,
        });
        assert!(why.as_deref().unwrap_or("").contains(wanted), "{told:?}");
    }
}

fn served(config: GuestConfig) -> (PathBuf, tempfile::TempDir, thread::JoinHandle<Death>) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("guest");
    let server = Server::bind(&socket).unwrap();
    let daemon = thread::spawn(move || server.run(Guest::start(config).unwrap()).unwrap());
    (socket, dir, daemon)
}

#[test]
fn a_served_guest_has_many_clients() {
    let Some(config) = config() else { return };
    let (socket, _dir, daemon) = served(config);
    assert!(matches!(Server::bind(&socket), Err(Error::InUse(_))));

    let clients: Vec<_> = (0..3)
        .map(|n: i32| {
            let socket = socket.clone();
            thread::spawn(move || {
                let session = connect(&socket).unwrap();
                for round in 0..5 {
                    let code = n * 10 + round;
                    let out = session
                        .output(sh(&format!("echo {code}; exit {code}")))
                        .unwrap();
                    assert_eq!(out.exit, Exit::Code(code));
                    assert_eq!(out.stdout, format!("{code}\n").as_bytes());
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }

    // A new client has the log from before it came.
    let one = connect(&socket).unwrap();
    let from = one.mark().unwrap();
    one.output(sh("echo '<6>before' > /dev/kmsg")).unwrap();
    // A command's end says nothing of its records; a mark does.
    one.mark().unwrap();
    let two = connect(&socket).unwrap();
    assert!(two.log_since(from).iter().any(|r| r.text == "before"));

    // All hear of the end.
    two.power_off().unwrap();
    assert!(matches!(one.list(), Err(Error::PoweredOff)));
    assert_eq!(daemon.join().unwrap(), Death::PoweredOff);
    assert!(matches!(connect(&socket), Err(Error::NotServed(_))));
}

#[test]
fn vanished_clients_commands_are_killed() {
    let Some(config) = config() else { return };
    let (socket, _dir, daemon) = served(config);
    let session: Session = connect(&socket).unwrap();
    // Whole calls, then half a frame, then nothing: as if it was killed.
    for cut in [0, 1, 5, 20] {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        let call = koru_protocol::ToGuest::Call {
            id: 1,
            call: koru_protocol::Call::Exec(sh("exec sleep 4321")),
        };
        let frame = koru_protocol::encode(&call);
        stream.write_all(&frame).unwrap();
        let file = koru_protocol::ToGuest::Call {
            id: 2,
            call: koru_protocol::Call::PutFile {
                path: "/tmp/half/file".into(),
                mode: 0o644,
            },
        };
        stream.write_all(&koru_protocol::encode(&file)).unwrap();
        stream.write_all(&frame[..cut]).unwrap();
        // Long enough for the command to be there.
        thread::sleep(Duration::from_millis(700));
    }
    let until = Instant::now() + Duration::from_secs(10);
    let count = "ps | grep -c '[s]leep 4321'; ls -A /tmp/half";
    loop {
        let out = session.output(sh(count)).unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        if text == "0\n" {
            break;
        }
        assert!(Instant::now() < until, "left behind: {text}");
        thread::sleep(Duration::from_millis(200));
    }
    session.power_off().unwrap();
    assert_eq!(daemon.join().unwrap(), Death::PoweredOff);
}

#[test]
fn a_dropped_guest_leaves_no_process() {
    let Some(config) = config() else { return };
    let guest = Guest::start(config).unwrap();
    let proc = format!("/proc/{}", guest.pid());
    assert!(Path::new(&proc).exists());
    let cmdline = fs::read_to_string(format!("{proc}/cmdline")).unwrap();
    assert!(cmdline.contains("-nodefaults"));
    drop(guest);
    assert!(!Path::new(&proc).exists());
}

/// Bytes that no two files share.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Several at once send and fetch files, and have commands echo their input.
fn much_goes_both_ways(guest: &Guest) {
    const LENGTHS: [usize; 8] = [0, 1, 60, 64, 4097, 256 << 10, 300_001, 3 << 20];
    let rate = |what: &str, start: Instant| {
        let mb = 20.0 / start.elapsed().as_secs_f64();
        eprintln!("{what}: {mb:.1} MB/s");
    };
    let session = guest.session();
    let large = noise(20 << 20, 99);
    let start = Instant::now();
    session.put_file("/tmp/large", 0o600, &large).unwrap();
    rate("to the guest", start);
    let start = Instant::now();
    assert!(session.get_file("/tmp/large").unwrap() == large);
    rate("from the guest", start);
    let start = Instant::now();
    let out = session.output(sh("cat /tmp/large; rm /tmp/large")).unwrap();
    rate("a command's output", start);
    assert!(out.stdout == large);
    thread::scope(|s| {
        for n in 0..4 {
            s.spawn(move || {
                for length in LENGTHS {
                    let content = noise(length, n * 1000 + length as u32);
                    let path = format!("/tmp/many/{n}");
                    session.put_file(&path, 0o600, &content).unwrap();
                    assert!(session.get_file(&path).unwrap() == content);
                    let cat = Exec {
                        stdin: true,
                        ..Exec::new(["cat"])
                    };
                    let process = session.exec(cat).unwrap();
                    let mut input = process.stdin();
                    let sent = content.clone();
                    let writer = thread::spawn(move || {
                        input.write_all(&sent).unwrap();
                        input.close().unwrap();
                    });
                    let mut echo = Vec::new();
                    loop {
                        match process.next().unwrap() {
                            ProcessEvent::Stdout(bytes) => echo.extend(bytes),
                            ProcessEvent::Exited(exit) => break assert!(exit.success()),
                            _ => {}
                        }
                    }
                    writer.join().unwrap();
                    assert!(echo == content, "{length} bytes");
                }
            });
        }
    });
}

#[test]
fn booted_guest_transfers_large_files() {
    let Some(guest) = shared() else { return };
    much_goes_both_ways(guest);
}

#[test]
fn resumed_guest_transfers_large_files() {
    let cache = tempfile::tempdir().unwrap();
    let Some(mut config) = resuming(cache.path()) else {
        return;
    };
    config.cpus = 2;
    much_goes_both_ways(&Guest::start(config).unwrap());
}

#[test]
fn log_flood_is_complete() {
    const RECORDS: usize = 20_000;
    let Some(guest) = shared() else { return };
    let session = guest.session();
    let begin = session.mark().unwrap();
    // The log's ring holds a megabyte: slower reading would lose some.
    text(guest, "echo on >/proc/sys/kernel/printk_devkmsg");
    text(
        guest,
        &format!("for i in $(seq {RECORDS}); do echo \"<6>flood $i\"; done >/dev/kmsg"),
    );
    session.mark().unwrap();
    let log = session.log_since(begin);
    let said = log
        .iter()
        .filter_map(|r| r.text.strip_prefix("flood ")?.parse::<usize>().ok());
    assert!(said.eq(1..=RECORDS), "{} records", log.len());
    assert!(!session.log_has_gaps());
}

/// Guests that go on from a saved machine, in a cache of their own.
fn resuming(cache: &Path) -> Option<GuestConfig> {
    let mut config = config()?;
    config.set_cache(cache);
    config.accel = AccelChoice::Only(Accel::Tcg);
    config.resume = true;
    Some(config)
}

/// What a guest's events said.
fn watched(mut config: GuestConfig) -> (Guest, Vec<Event>) {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let seen = events.clone();
    config.on_event(move |e| seen.lock().unwrap().push(e.clone()));
    let guest = Guest::start(config).unwrap();
    let events = events.lock().unwrap().clone();
    (guest, events)
}

fn text(guest: &Guest, script: &str) -> String {
    let out = guest.session().output(sh(script)).unwrap();
    assert!(out.exit.success(), "{script}: {out:?}");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn host_time() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn resumed_guests_have_their_own_clock_and_seed() {
    let cache = tempfile::tempdir().unwrap();
    let start = |n: u32| {
        let mut config = resuming(cache.path())?;
        let content = format!("file of {n}\n").into_bytes();
        config.files.bytes("/etc/own", 0o640, content.clone());
        config
            .files
            .bytes("/deep/er/large", 0o755, vec![n as u8; 3 << 20]);
        config.files.symlink("/link", "etc/own");
        let (guest, events) = watched(config);
        assert_eq!(text(&guest, "cat /link"), format!("file of {n}"));
        assert_eq!(text(&guest, "stat -c %a /etc/own"), "640");
        let size = text(&guest, "tr -d '\\0' </dev/null; wc -c </deep/er/large");
        assert_eq!(size, (3 << 20).to_string());
        let time: u64 = text(&guest, "date +%s").parse().unwrap();
        assert!(time.abs_diff(host_time()) < 20, "{time}");
        let random = text(
            &guest,
            "head -c 16 /dev/urandom | hexdump -v -e '/1 \"%02x\"'",
        );
        let kernels_own = text(&guest, "cat /proc/sys/kernel/random/uuid");
        Some((events, random, kernels_own))
    };
    let Some((events, ..)) = start(0) else { return };
    assert!(events.contains(&Event::Saving), "{events:?}");
    let (first, second) = thread::scope(|s| {
        let (a, b) = (s.spawn(|| start(1)), s.spawn(|| start(2)));
        (a.join().unwrap().unwrap(), b.join().unwrap().unwrap())
    });
    for (events, ..) in [&first, &second] {
        assert_eq!(events, &[Event::Resuming], "it was there");
    }
    assert_ne!(first.1, second.1, "random bytes");
    assert_ne!(first.2, second.2, "the kernel's own random bytes");
}

#[test]
fn hundred_guests_resume_four_at_a_time() {
    let cache = tempfile::tempdir().unwrap();
    if resuming(cache.path()).is_none() {
        return;
    }
    let seeds = Mutex::new(std::collections::BTreeSet::new());
    let failures = Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                while next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 100 {
                    let (guest, events) = watched(resuming(cache.path()).unwrap());
                    let failed = |e: &Event| matches!(e, Event::NotResumed { .. });
                    let failed = events.into_iter().filter(failed);
                    failures.lock().unwrap().extend(failed);
                    let random = text(
                        &guest,
                        "head -c 16 /dev/urandom | hexdump -v -e '/1 \"%02x\"'",
                    );
                    assert!(seeds.lock().unwrap().insert(random), "twice the same");
                    guest.power_off().unwrap();
                }
            });
        }
    });
    assert_eq!(seeds.into_inner().unwrap().len(), 100);
    // About one in a thousand crashes as it goes on, and the guest boots; the machine is
    // thrown away then, which may take it from under another's feet.
    let failures = failures.into_inner().unwrap();
    assert!(failures.len() <= 3, "{failures:#?}");
    if !failures.is_empty() {
        eprintln!("{failures:#?}");
        drop(watched(resuming(cache.path()).unwrap()));
    }
    // One machine was made at a time, by one of the four; nothing else is left.
    let kept: Vec<_> = fs::read_dir(cache.path().join("saved")).unwrap().collect();
    assert_eq!(kept.len(), 2, "the machine and its lock: {kept:?}");
}

#[test]
fn damaged_snapshot_is_not_used() {
    let cache = tempfile::tempdir().unwrap();
    let Some(config) = resuming(cache.path()) else {
        return;
    };
    drop(Guest::start(config).unwrap());
    let folders = || {
        let entries = fs::read_dir(cache.path().join("saved")).unwrap();
        let folders = entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir());
        folders.collect::<Vec<_>>()
    };
    let saved = || folders()[0].clone();
    let damage: [fn(&Path); 6] = [
        |dir| {
            // Its maker was killed in the middle.
            fs::remove_file(dir.join("state")).unwrap();
            fs::rename(dir, dir.with_extension("making")).unwrap();
        },
        |dir| fs::remove_file(dir.join("meta")).unwrap(),
        |dir| fs::write(dir.join("meta"), "{}").unwrap(),
        |dir| {
            let state = dir.join("state");
            let mut bytes = fs::read(&state).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::remove_file(&state).unwrap();
            fs::write(&state, bytes).unwrap();
        },
        |dir| {
            // Somebody with the right to wrote one byte of its memory.
            use std::os::unix::fs::{FileExt, PermissionsExt};
            let ram = dir.join("ram");
            fs::set_permissions(&ram, fs::Permissions::from_mode(0o600)).unwrap();
            let file = fs::File::options().write(true).open(&ram).unwrap();
            file.write_all_at(b"x", 12345).unwrap();
        },
        |dir| fs::remove_file(dir.join("ram")).unwrap(),
    ];
    for damage in damage {
        damage(&saved());
        let (guest, events) = watched(resuming(cache.path()).unwrap());
        assert!(events.contains(&Event::Saving), "{events:?}");
        assert_eq!(text(&guest, "echo works"), "works");
        drop(guest);
        let (_, events) = watched(resuming(cache.path()).unwrap());
        assert_eq!(events, [Event::Resuming]);
        assert_eq!(folders().len(), 1, "{:?}", folders());
    }
}

#[test]
fn files_too_large_for_a_snapshot_are_booted_with() {
    let cache = tempfile::tempdir().unwrap();
    let Some(mut config) = resuming(cache.path()) else {
        return;
    };
    config.memory_mb = 512;
    config.files.bytes("/large", 0o644, vec![7; 65 << 20]);
    let (guest, events) = watched(config);
    assert!(!events.contains(&Event::Resuming), "{events:?}");
    assert_eq!(text(&guest, "wc -c </large"), (65 << 20).to_string());
}

#[test]
fn resumed_guest_reports_boot_and_end() {
    let cache = tempfile::tempdir().unwrap();
    let Some(config) = resuming(cache.path()) else {
        return;
    };
    drop(Guest::start(config).unwrap());
    let guest = Guest::start(resuming(cache.path()).unwrap()).unwrap();
    let session = guest.session();
    let log = session.log_since(0);
    assert!(log.windows(2).all(|w| w[0].seq < w[1].seq), "{log:?}");
    let begin = session.mark().unwrap();
    text(&guest, "echo '<3>said by a test' >/dev/kmsg");
    session.mark().unwrap();
    // The kernel's own clock may have something to say as well.
    let new = session.log_since(begin);
    assert!(new.iter().all(|r| r.seq >= begin), "{new:?}");
    let said = new.iter().filter(|r| r.text.contains("said by a test"));
    assert_eq!(said.count(), 1, "{new:?}");
    // It panics like any other.
    let _ = session.output(sh("echo c >/proc/sysrq-trigger"));
    match guest.wait() {
        Death::Panicked { reason, .. } => assert!(reason.contains("sysrq"), "{reason}"),
        other => panic!("{other:?}"),
    }
    // And the next one does not know of it.
    let guest = Guest::start(resuming(cache.path()).unwrap()).unwrap();
    assert_eq!(text(&guest, "echo well"), "well");
    guest.power_off().unwrap();
}
