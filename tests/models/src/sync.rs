// SPDX-License-Identifier: MIT OR Apache-2.0

//! Locks and waiting, built on loom's. loom tries every order of them, and finds data that no lock
//! protects and threads that wait for ever.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc as StdArc,
};

use crate::{
    alloc::{allocate, Flags},
    error::Error,
    init::PinInit,
};

/// A counted pointer, without loom: modules do nothing with the counts.
pub struct Arc<T>(StdArc<T>);

impl<T> Arc<T> {
    pub fn new(value: T, _: Flags) -> Result<Self, Error> {
        allocate()?;
        Ok(Arc(StdArc::new(value)))
    }

    pub fn pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Self, Error>
    where
        Error: From<E>,
    {
        Arc::new(init.make()?, flags)
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Arc(self.0.clone())
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

pub mod aref {
    use super::{Deref, StdArc};

    pub struct ARef<T>(pub(crate) StdArc<T>);

    impl<T> Clone for ARef<T> {
        fn clone(&self) -> Self {
            ARef(self.0.clone())
        }
    }

    impl<T> Deref for ARef<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }
}

pub struct Mutex<T>(loom::sync::Mutex<T>);

pub struct Guard<'a, T> {
    lock: &'a Mutex<T>,
    /// `None` while the holder waits.
    held: Option<loom::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub fn of(value: T) -> Self {
        Mutex(loom::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> Guard<'_, T> {
        Guard {
            lock: self,
            held: Some(self.0.lock().expect("no panic")),
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.held.as_ref().expect("held")
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("held")
    }
}

/// The flag that wakes a sleeping thread.
///
/// A thread that was woken before it sleeps does not sleep the next time.
#[derive(Clone)]
pub(crate) struct Sleeper(StdArc<(loom::sync::Mutex<bool>, loom::sync::Condvar)>);

impl Sleeper {
    pub(crate) fn new() -> Sleeper {
        let woken = loom::sync::Mutex::new(false);
        Sleeper(StdArc::new((woken, loom::sync::Condvar::new())))
    }

    pub(crate) fn sleep(&self) {
        let (woken, bell) = &*self.0;
        let mut woken = woken.lock().expect("no panic");
        while !*woken {
            woken = bell.wait(woken).expect("no panic");
        }
        *woken = false;
    }

    pub(crate) fn wake(&self) {
        let (woken, bell) = &*self.0;
        *woken.lock().expect("no panic") = true;
        bell.notify_one();
    }
}

pub struct CondVar(loom::sync::Mutex<Vec<Sleeper>>);

impl CondVar {
    #[allow(clippy::new_without_default, reason = "the kernel crate has none")]
    pub fn new() -> Self {
        CondVar(loom::sync::Mutex::new(Vec::new()))
    }

    /// Releases the lock while the thread sleeps.
    ///
    /// As in the kernel, the thread is on the list before the lock is free, and may be woken for
    /// another reason.
    pub(crate) fn wait_on<T>(&self, sleeper: &Sleeper, guard: &mut Guard<'_, T>) {
        self.waiting().push(sleeper.clone());
        drop(guard.held.take());
        sleeper.sleep();
        self.waiting().retain(|s| !StdArc::ptr_eq(&s.0, &sleeper.0));
        guard.held = guard.lock.lock().held;
    }

    pub fn notify_one(&self) {
        let mut waiting = self.waiting();
        if !waiting.is_empty() {
            waiting.remove(0).wake();
        }
    }

    fn waiting(&self) -> loom::sync::MutexGuard<'_, Vec<Sleeper>> {
        self.0.lock().expect("no panic")
    }
}

#[macro_export]
macro_rules! new_mutex {
    ($value:expr) => {{
        let value = $value;
        $crate::init::Init::<_, _, ::std::convert::Infallible>::new(move || {
            Ok($crate::sync::Mutex::of(value))
        })
    }};
}

#[macro_export]
macro_rules! new_condvar {
    () => {
        $crate::sync::CondVar::new()
    };
}
