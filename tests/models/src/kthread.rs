// SPDX-License-Identifier: MIT OR Apache-2.0

//! Kernel threads.

use std::{ffi::CStr, sync::Arc};

use loom::{
    sync::atomic::{AtomicBool, Ordering},
    thread::JoinHandle,
};

use crate::{
    error::Result,
    sync::{CondVar, Guard, Sleeper},
    time::Delta,
};

pub struct KThread {
    stop: Arc<AtomicBool>,
    sleeper: Sleeper,
    thread: Option<JoinHandle<()>>,
}

/// The thread's own view of itself.
pub struct CurrentKThread {
    stop: Arc<AtomicBool>,
    sleeper: Sleeper,
}

impl KThread {
    pub fn spawn(_: &CStr, f: impl FnOnce(&CurrentKThread) + 'static) -> Result<Self> {
        let (stop, sleeper) = (Arc::new(AtomicBool::new(false)), Sleeper::new());
        let running = CurrentKThread {
            stop: stop.clone(),
            sleeper: sleeper.clone(),
        };
        Ok(KThread {
            stop,
            sleeper,
            thread: Some(loom::thread::spawn(move || f(&running))),
        })
    }
}

impl Drop for KThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // This wakes the thread, whatever it waits for.
        self.sleeper.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
    }
}

impl CurrentKThread {
    pub fn sleep(&self, _: Delta) -> bool {
        loom::thread::yield_now();
        !self.should_stop()
    }

    pub fn wait<T>(&self, var: &CondVar, guard: &mut Guard<'_, T>) -> bool {
        if !self.should_stop() {
            var.wait_on(&self.sleeper, guard);
        }
        !self.should_stop()
    }

    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}
