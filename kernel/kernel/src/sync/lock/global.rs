// SPDX-License-Identifier: GPL-2.0-only

//! Locks that are statics.

use super::{Backend, Guard, Lock};
use crate::sync::LockClassKey;
use crate::types::Opaque;
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::marker::PhantomPinned;
use core::ops::{Deref, DerefMut};
use core::pin::Pin;

/// What [`global_lock!`](crate::global_lock) says about a static.
///
/// # Examples
///
/// ```
/// use kernel::sync::{GlobalLock, GlobalLockBackend};
/// fn is_free<B: GlobalLockBackend>(lock: &'static GlobalLock<B>) -> bool {
///     lock.try_lock().is_some()
/// }
/// ```
pub trait GlobalLockBackend {
    /// The static's name, for lockdep.
    const NAME: &'static CStr;
    /// The value.
    type Item: 'static;
    /// The kind of lock.
    type Backend: Backend + 'static;
    /// The lock's class.
    fn get_lock_class() -> Pin<&'static LockClassKey>;
}

/// A lock that is a static. Made by [`global_lock!`](crate::global_lock).
///
/// # Examples
///
/// ```
/// use kernel::sync::{GlobalLock, GlobalLockBackend};
/// fn add<B: GlobalLockBackend<Item = u32>>(lock: &'static GlobalLock<B>) {
///     *lock.lock() += 1;
/// }
/// ```
pub struct GlobalLock<B: GlobalLockBackend> {
    inner: Lock<B::Item, B::Backend>,
}

impl<B: GlobalLockBackend> GlobalLock<B> {
    /// Makes a lock that is not ready yet.
    ///
    /// # Safety
    ///
    /// [`Self::init`] is called once before anything else.
    #[doc(hidden)]
    pub const unsafe fn new(data: B::Item) -> Self {
        Self {
            inner: Lock {
                state: Opaque::uninit(),
                _pin: PhantomPinned,
                data: UnsafeCell::new(data),
            },
        }
    }

    /// Makes the lock ready.
    ///
    /// # Safety
    ///
    /// Called once, before the lock is used.
    pub unsafe fn init(&'static self) {
        // SAFETY: it is a static, so it stays where it is; the caller says that
        // nobody uses it. Name and key are static.
        unsafe {
            B::Backend::init(
                self.inner.state.get(),
                B::NAME.as_ptr().cast(),
                B::get_lock_class().as_ptr(),
            )
        }
    }

    /// Takes the lock; waits for it.
    pub fn lock(&'static self) -> GlobalGuard<B> {
        GlobalGuard(self.inner.lock())
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&'static self) -> Option<GlobalGuard<B>> {
        self.inner.try_lock().map(GlobalGuard)
    }
}

/// A [`GlobalLock`] is held as long as this lives.
///
/// # Examples
///
/// ```
/// use kernel::sync::{GlobalGuard, GlobalLock, GlobalLockBackend};
/// fn hold<B: GlobalLockBackend>(lock: &'static GlobalLock<B>) -> GlobalGuard<B> {
///     lock.lock()
/// }
/// ```
#[must_use = "the lock is given back at once when the guard is not kept"]
pub struct GlobalGuard<B: GlobalLockBackend>(Guard<'static, B::Item, B::Backend>);

impl<B: GlobalLockBackend> Deref for GlobalGuard<B> {
    type Target = B::Item;
    fn deref(&self) -> &B::Item {
        &self.0
    }
}

impl<B: GlobalLockBackend> DerefMut for GlobalGuard<B>
where
    B::Item: Unpin,
{
    fn deref_mut(&mut self) -> &mut B::Item {
        &mut self.0
    }
}

/// Declares a lock that is a static. `unsafe(uninit)`, because nothing checks that
/// `init` is called before the lock is used. A module that has no unsafe code
/// keeps its locks in its own value instead.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
///
/// kernel::sync::global_lock! {
///     // SAFETY: made ready in `init` below, before anything else.
///     unsafe(uninit) static COUNTER: Mutex<u32> = 0;
/// }
///
/// fn init() {
///     // SAFETY: called once, first.
///     unsafe { COUNTER.init() };
///     *COUNTER.lock() += 1;
/// }
/// ```
#[macro_export]
macro_rules! global_lock {
    ($(#[$meta:meta])* $vis:vis unsafe(uninit) static $name:ident: $kind:ident<$ty:ty> = $value:expr;) => {
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        $vis enum $name {}

        impl $crate::sync::GlobalLockBackend for $name {
            const NAME: &'static $crate::__core::ffi::CStr =
                $crate::c_str_of!($crate::__core::stringify!($name));
            type Item = $ty;
            type Backend = $crate::global_lock!(@backend $kind);

            fn get_lock_class() -> $crate::__core::pin::Pin<&'static $crate::sync::LockClassKey> {
                $crate::static_lock_class!()
            }
        }

        $(#[$meta])*
        $vis static $name: $crate::sync::GlobalLock<$name> = {
            let value: $ty = $value;
            // SAFETY: whoever wrote `unsafe(uninit)` says that `init` is called.
            unsafe { $crate::sync::GlobalLock::new(value) }
        };
    };
    (@backend Mutex) => { $crate::sync::lock::mutex::MutexBackend };
    (@backend SpinLock) => { $crate::sync::lock::spinlock::SpinLockBackend };
}
