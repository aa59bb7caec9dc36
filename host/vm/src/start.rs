// SPDX-License-Identifier: MIT OR Apache-2.0

//! Starts a guest, from a snapshot or by booting it.

use std::{
    fs::File,
    io::ErrorKind,
    time::{Duration, Instant},
};

use koru_protocol::Death;
use koru_qemu::{Accel, AccelDecision, BootImage, Start};
use koru_session::{Result, check_version};

use crate::{
    Event, Guest, GuestConfig,
    launch::{LaunchConfig, shared_memory},
    snapshot,
};

impl Guest {
    /// Starts a guest and waits until its agent answers. The guest resumes from a snapshot
    /// where that works, and boots otherwise.
    pub fn start(config: GuestConfig) -> Result<Guest> {
        let image = BootImage::prepare(&config.kernel, &config.cache)?;
        let decision = AccelDecision::make(config.accel, &config.cache);
        // Snapshots pay off under TCG only: with a working KVM, a boot is fast anyway.
        if config.resume && decision.accel == Accel::Tcg && !decision.on_probation {
            if let Some(guest) = snapshot::start(&config, &image, decision.accel) {
                return Ok(guest);
            }
        }
        let initrd = config.initrd(true)?;
        match boot(
            &config,
            &image,
            &initrd,
            decision.accel,
            decision.on_probation,
        )? {
            Some(guest) => {
                if decision.on_probation {
                    decision.remember(decision.accel);
                }
                Ok(guest)
            }
            None => {
                decision.remember(Accel::Tcg);
                let tcg = boot(&config, &image, &initrd, Accel::Tcg, false)?;
                let gone = || koru_error::Error::io("starting the guest", ErrorKind::Other.into());
                Ok(tcg.ok_or_else(gone)?)
            }
        }
    }
}

/// Tries to boot a guest once; returns `None` when KVM, on probation, showed no sign of life.
fn boot(
    config: &GuestConfig,
    image: &BootImage,
    initrd: &File,
    accel: Accel,
    on_probation: bool,
) -> Result<Option<Guest>> {
    /// The time within which a guest must show a sign of life. With a real KVM, it takes a
    /// tenth.
    const SIGN_OF_LIFE: Duration = Duration::from_secs(6);
    let start = Instant::now();
    let mut guest = LaunchConfig {
        config,
        accel,
        pvh: image.pvh,
        start: Start::Boot {
            image,
            // On probation the kernel's first messages count as a sign of life as well.
            cmdline: config.boot_cmdline(accel, !on_probation),
            initrd,
        },
        ram: None,
        shared: Some(shared_memory()?),
    }
    .run()?;
    if on_probation
        && !guest.session.wait_for_first_message(SIGN_OF_LIFE)
        && guest.console.text().is_empty()
    {
        let why = match guest.session.death() {
            Some(Death::Vanished { detail, .. }) => detail.lines().next().unwrap_or("").into(),
            _ => format!("no sign of life in {} s", SIGN_OF_LIFE.as_secs()),
        };
        config.tell(Event::FellBack(why));
        return Ok(None); // Dropping the guest ends its QEMU.
    }
    let Some(ready) = guest.session.wait_ready(config.boot_limit) else {
        return Err(guest.into_boot_error(config.boot_limit));
    };
    check_version(&ready)?;
    guest.session.set_time()?;
    config.tell(Event::Ready {
        release: ready.release.clone(),
        after: start.elapsed(),
    });
    guest.set_ready(ready, start.elapsed());
    Ok(Some(guest))
}
