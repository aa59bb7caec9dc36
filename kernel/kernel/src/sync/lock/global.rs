// SPDX-License-Identifier: GPL-2.0-only

//! Locks that are statics.

use super::{Backend, Guard, Lock};
use crate::sync::lock_class::LockClassKey;
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
///
/// # Invariants
///
/// `state` is that of a lock, made by `B::Backend::init`, before any code of the
/// module runs.
pub struct GlobalLock<B: GlobalLockBackend> {
    inner: Lock<B::Item, B::Backend>,
    /// Never read. It refers to the static's entry, so that the linker takes the
    /// entry wherever it takes the lock.
    _entry: &'static Entry,
}

/// Says that a static is a lock which has to be made. All entries of a module are
/// one array, in a section of their own: the build's linker script gathers them.
#[doc(hidden)]
#[repr(C)]
pub struct Entry {
    lock: *const (),
    make: unsafe fn(*const ()),
}

// SAFETY: an entry is constant, and what it points to is a static that is `Sync`.
unsafe impl Sync for Entry {}

impl Entry {
    /// Of a static.
    #[doc(hidden)]
    pub const fn new<B: GlobalLockBackend>(lock: &'static GlobalLock<B>) -> Self {
        Self {
            lock: core::ptr::from_ref(lock).cast(),
            make: make::<B>,
        }
    }
}

/// # Safety
///
/// `lock` must be that of an [`Entry`] for a `GlobalLock<B>`, and nobody may use the
/// lock yet.
unsafe fn make<B: GlobalLockBackend>(lock: *const ()) {
    // SAFETY: the caller's pointer is from `Entry::new`, which had a reference to a
    // static of this type.
    let lock = unsafe { &*lock.cast::<GlobalLock<B>>() };
    // SAFETY: `init` wants memory for a lock that stays where it is and that nobody
    // uses: it is a static's, and the caller says the rest. Name and key are static.
    unsafe {
        B::Backend::init(
            lock.inner.state.get(),
            B::NAME.as_ptr().cast(),
            B::get_lock_class().as_ptr(),
        )
    }
}

/// An entry for no lock: so there is the section in modules that have none.
#[link_section = ".koru_global_locks"]
#[used]
static NONE: Entry = Entry {
    lock: core::ptr::null(),
    make: |_| {},
};

/// Makes all locks that are statics of this module, in any of its crates.
///
/// # Safety
///
/// It must be called once, by the module's `init_module`, before any other code of
/// the module runs.
pub(crate) unsafe fn make_all() {
    unsafe extern "C" {
        static __koru_global_locks: [u8; 0];
        static __koru_global_locks_end: [u8; 0];
    }
    // What is used is linked.
    core::hint::black_box(&NONE);
    let mut entry = (&raw const __koru_global_locks).cast::<Entry>();
    let end = (&raw const __koru_global_locks_end).cast::<Entry>();
    while entry < end {
        // SAFETY: the linker script puts these symbols around a section in which
        // there are entries only, one behind the other: what is put there is the
        // macro's.
        let Entry { lock, make } = unsafe { &*entry };
        // SAFETY: both are of one entry, and the caller says that nothing of the
        // module has run.
        unsafe { make(*lock) };
        entry = entry.wrapping_add(1);
    }
}

impl<B: GlobalLockBackend> GlobalLock<B> {
    /// Wraps the value.
    ///
    /// # Safety
    ///
    /// `entry` must be for the static that the result becomes, and itself a static
    /// in the section `.koru_global_locks`.
    #[doc(hidden)]
    pub const unsafe fn new(data: B::Item, entry: &'static Entry) -> Self {
        Self {
            inner: Lock {
                state: Opaque::uninit(),
                _pin: PhantomPinned,
                data: UnsafeCell::new(data),
            },
            _entry: entry,
        }
    }

    /// Does nothing: the lock is ready before the module's `init` is called. (It is
    /// here for modules that shall compile upstream as well, where it makes the
    /// lock.)
    ///
    /// # Safety
    ///
    /// None here. Upstream it must be called once, before the lock is used.
    #[inline]
    pub unsafe fn init(&'static self) {}

    /// Takes the lock; waits for it.
    ///
    /// Context: that of [`Lock::lock`](super::Lock::lock) for the kind of lock.
    #[inline]
    pub fn lock(&'static self) -> GlobalGuard<B> {
        GlobalGuard(self.inner.lock())
    }

    /// Takes the lock if it is free.
    ///
    /// Context: that of [`Lock::try_lock`](super::Lock::try_lock) for the kind of lock.
    #[inline]
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
    #[inline]
    fn deref(&self) -> &B::Item {
        &self.0
    }
}

impl<B: GlobalLockBackend> DerefMut for GlobalGuard<B>
where
    B::Item: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut B::Item {
        &mut self.0
    }
}

/// Declares a lock that is a static: a `Mutex` or a `SpinLock`.
///
/// It is ready before the module's `init` is called. Upstream it has to be made by
/// `unsafe { NAME.init() }` first, which is why the declaration there says
/// `unsafe(uninit)`; both are accepted here, and neither is needed.
///
/// Prefer a lock in the module's own value: a static is never dropped.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
///
/// kernel::sync::global_lock! {
///     static COUNTER: Mutex<u32> = 0;
/// }
///
/// fn count() {
///     *COUNTER.lock() += 1;
/// }
/// ```
#[macro_export]
macro_rules! global_lock {
    ($(#[$($meta:tt)*])* $vis:vis unsafe(uninit) static $($rest:tt)*) => {
        $crate::global_lock! { $(#[$($meta)*])* $vis static $($rest)* }
    };
    (
        $(#[$($meta:tt)*])*
        $vis:vis static $name:ident: $kind:ident<$ty:ty> = $value:expr;
    ) => {
        $($crate::global_lock! { @attribute $($meta)* })*

        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "it has the lock's name")]
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

        $(#[$($meta)*])*
        $vis static $name: $crate::sync::GlobalLock<$name> = {
            let value: $ty = $value;
            let entry = {
                #[link_section = ".koru_global_locks"]
                #[used]
                static ENTRY: $crate::sync::lock::global::Entry =
                    $crate::sync::lock::global::Entry::new(&$name);
                &ENTRY
            };
            // SAFETY: the entry is for this static, and is itself one in that
            // section. Nobody can name it, so there is one for the lock.
            unsafe { $crate::sync::GlobalLock::new(value, entry) }
        };
    };
    // What the macro writes has its span, so the lint against unsafe code would not see
    // an `#[export_name]`, also behind a `cfg_attr`.
    (@attribute doc $($rest:tt)*) => {};
    (@attribute cfg $($rest:tt)*) => {};
    (@attribute allow $($rest:tt)*) => {};
    (@attribute expect $($rest:tt)*) => {};
    (@attribute deprecated $($rest:tt)*) => {};
    (@backend Mutex) => { $crate::sync::lock::mutex::MutexBackend };
    (@backend SpinLock) => { $crate::sync::lock::spinlock::SpinLockBackend };
}
