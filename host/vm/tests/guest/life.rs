// SPDX-License-Identifier: MIT OR Apache-2.0

//! How guests start and end, alone and beside others.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, mpsc::channel},
    thread,
    time::Duration,
};

use koru_protocol::{Death, Exit};
use koru_qemu::{Accel, AccelChoice};
use koru_session::Error;
use koru_vm::{Event, Guest};

use crate::{config, sh};

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
