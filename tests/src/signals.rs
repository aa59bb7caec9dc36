// SPDX-License-Identifier: MIT OR Apache-2.0

//! Signals that interrupt system calls.
#![allow(unsafe_code, reason = "`sigaction` is unsafe")]

use std::{
    ffi::c_int,
    mem,
    panic::resume_unwind,
    ptr,
    sync::{Once, mpsc},
    thread::{self, Scope, ScopedJoinHandle},
    time::Duration,
};

/// A call on a thread of its own that signals interrupt.
pub struct Interrupted<'scope, T> {
    call: ScopedJoinHandle<'scope, T>,
    thread: libc::pthread_t,
}

impl<'scope, T: Send + 'scope> Interrupted<'scope, T> {
    pub fn spawn(
        scope: &'scope Scope<'scope, '_>,
        call: impl FnOnce() -> T + Send + 'scope,
    ) -> Self {
        signals_interrupt();
        let (tell, told) = mpsc::channel();
        let call = scope.spawn(move || {
            // SAFETY: it may be called everywhere.
            tell.send(unsafe { libc::pthread_self() })
                .expect("it waits");
            call()
        });
        let thread = told.recv().expect("the thread");
        Interrupted { call, thread }
    }

    /// Sends a signal to the thread.
    pub fn interrupt(&self) {
        // SAFETY: the thread was not joined, so the number is its own.
        unsafe { libc::pthread_kill(self.thread, libc::SIGUSR1) };
    }

    pub fn is_finished(&self) -> bool {
        self.call.is_finished()
    }

    pub fn join(self) -> T {
        self.call
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Makes a call, and sends signals to its thread until it returns.
pub fn signalled<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    thread::scope(|s| {
        let call = Interrupted::spawn(s, call);
        while !call.is_finished() {
            thread::sleep(Duration::from_millis(5));
            call.interrupt();
        }
        call.join()
    })
}

/// Makes SIGUSR1 do nothing but interrupt the system call that it arrives in.
fn signals_interrupt() {
    static ONCE: Once = Once::new();
    extern "C" fn nothing(_: c_int) {}
    ONCE.call_once(|| {
        let handler: extern "C" fn(c_int) = nothing;
        // SAFETY: all zeros are a sigaction without flags and with an empty mask, so
        // without SA_RESTART; the handler does nothing, which every handler may.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handler as usize;
            assert_eq!(
                libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()),
                0
            );
        }
    });
}
