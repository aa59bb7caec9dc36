// SPDX-License-Identifier: MIT OR Apache-2.0

//! Real guests. Needs in the environment:
//! `KORU_TEST_KERNEL` (a vmlinuz), `KORU_TEST_AGENT` (the static agent),
//! `KORU_TEST_BUSYBOX` (static), `KORU_TEST_CACHE` (a folder); without them
//! the tests say so and pass.

mod commands;
mod life;
mod served;
mod snapshots;
mod transfers;

use std::{
    env,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use koru_protocol::Exec;
use koru_qemu::{Accel, AccelChoice, Initramfs};
use koru_vm::{Guest, GuestConfig};

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

/// Guests that go on from a saved machine, in a cache of their own.
fn resuming(cache: &Path) -> Option<GuestConfig> {
    let mut config = config()?;
    config.set_cache(cache);
    config.accel = AccelChoice::Only(Accel::Tcg);
    config.resume = true;
    Some(config)
}

fn text(guest: &Guest, script: &str) -> String {
    let out = guest.session().output(sh(script)).unwrap();
    assert!(out.exit.success(), "{script}: {out:?}");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}
