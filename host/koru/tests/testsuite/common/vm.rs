// SPDX-License-Identifier: MIT OR Apache-2.0

//! A virtual machine that stays up between commands, but not after the test.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Koru, koru};

pub struct Vm {
    name: String,
}

impl Vm {
    /// Chooses an unused name. The first command that needs the virtual machine starts it.
    pub fn new() -> Vm {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Vm {
            name: format!("test-{}-{next}", std::process::id()),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns `koru ARGUMENTS` with this virtual machine.
    pub fn koru(&self, arguments: &[&str]) -> Koru {
        koru(arguments.iter().copied()).env("KORU_VM", &self.name)
    }

    /// Runs `koru ARGUMENTS` to its end; the virtual machine stays up.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> super::Run {
        self.koru(arguments).run_and_leave()
    }
}

impl Drop for Vm {
    /// Stops the virtual machine, also when the test fails.
    fn drop(&mut self) {
        let stopped = self.koru(&["vm", "stop"]).run_and_leave();
        if !std::thread::panicking() {
            stopped.exits(0);
        }
    }
}
