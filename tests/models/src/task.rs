// SPDX-License-Identifier: MIT OR Apache-2.0

//! The current task: each thread of loom acts for a process.

use std::{cell::Cell, sync::Arc};

use crate::{error::Result, pid::Pid, sync::aref::ARef};

loom::thread_local! {
    static PROCESS: Cell<u32> = Cell::new(0);
}

/// Makes this thread act for that process from now on.
pub(crate) fn become_process(number: u32) {
    PROCESS.with(|p| p.set(number));
}

pub struct CurrentTask;

impl CurrentTask {
    pub fn process(&self) -> Result<ARef<Pid>> {
        Ok(ARef(Arc::new(Pid(PROCESS.with(Cell::get)))))
    }

    /// Returns false, because nobody sends signals here.
    pub fn signal_pending(&self) -> bool {
        false
    }

    pub fn belongs_to(&self, process: &Pid) -> bool {
        process.0 == PROCESS.with(Cell::get)
    }
}

#[macro_export]
macro_rules! current {
    () => {
        $crate::task::CurrentTask
    };
}
