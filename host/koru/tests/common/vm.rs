// SPDX-License-Identifier: MIT OR Apache-2.0

//! A virtual machine that stays up between commands, but not after the test.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Koru, koru};

pub struct Vm {
    name: String,
}

impl Vm {
    /// A name that nobody else uses; the first command that needs it starts it.
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

    /// `koru ARGUMENTS` with this virtual machine.
    pub fn koru(&self, arguments: &[&str]) -> Koru {
        koru(arguments.iter().copied()).env("KORU_VM", &self.name)
    }

    /// The same, to its end; the virtual machine stays.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> super::Run {
        self.koru(arguments).run_and_leave()
    }
}

impl Drop for Vm {
    /// However the test ends.
    fn drop(&mut self) {
        let stopped = self.koru(&["vm", "stop"]).run_and_leave();
        if !std::thread::panicking() {
            stopped.exits(0);
        }
    }
}
