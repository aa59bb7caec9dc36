// SPDX-License-Identifier: MIT OR Apache-2.0

//! Starts QEMU together with the monitor that watches it.

use std::{path::Path, sync::mpsc::channel, time::Duration};

use koru_protocol::{Ready, SHARED_BYTES};
use koru_qemu::{Accel, Console, Machine, Start};
use koru_session::{Result, SharedMemory};

use crate::{Event, GuestConfig, guest::Guest, monitor::Monitor};

/// A QEMU that is to be started together with its monitor.
pub(crate) struct LaunchConfig<'a> {
    pub config: &'a GuestConfig,
    pub accel: Accel,
    pub pvh: bool,
    pub start: Start<'a>,
    /// The file that contains the guest's memory, if it is to be saved or was saved.
    pub ram: Option<&'a Path>,
    /// The memory that host and guest share in addition to the serial line.
    pub shared: Option<SharedMemory>,
}

impl LaunchConfig<'_> {
    pub fn run(self) -> Result<Guest> {
        let config = self.config;
        config.tell(match self.start {
            Start::Boot { .. } => Event::Starting(self.accel),
            Start::Resume(_) => Event::Resuming,
        });
        // A snapshot has no debugger's socket: every guest resumed from it would have that
        // socket.
        let made = matches!(self.start, Start::Boot { .. }) && self.ram.is_some();
        let gdb = config.gdb.as_deref().filter(|_| !made);
        let coverage = config.coverage.as_deref().filter(|_| !made);
        let qemu = koru_qemu::start(&Machine {
            qemu: &config.qemu,
            accel: self.accel,
            memory_mb: config.memory_mb,
            cpus: config.cpus,
            single_threaded_tcg: config.in_turn,
            pvh: self.pvh,
            start: self.start,
            ram: self.ram,
            shared: self.shared.as_ref().map(|s| (&s.file, SHARED_BYTES)),
            replay: config.replay,
            gdb,
            coverage,
        })?;
        let pid = qemu.pid;
        let console = Console::default();
        let (commands, received) = channel();
        let (hung, hangs) = channel();
        let (session, monitor) =
            Monitor::start(qemu, self.shared, console.clone(), received, hangs)?;
        session.set_hang_listener(hung);
        if gdb.is_some() {
            session.disable_hang_detection();
        }
        Ok(Guest {
            session,
            ready: Ready {
                protocol: 0,
                agent: String::new(),
                release: String::new(),
                version: String::new(),
                uptime_ms: 0,
                shared: false,
            },
            accel: self.accel,
            boot_time: Duration::ZERO,
            console,
            pid,
            commands,
            monitor: Some(monitor),
        })
    }
}

/// Creates the memory that host and guest share in addition to the serial line.
pub(crate) fn shared_memory() -> Result<SharedMemory> {
    Ok(SharedMemory::new(koru_qemu::memory_file("shared")?)?)
}
