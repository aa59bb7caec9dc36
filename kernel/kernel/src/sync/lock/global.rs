// SPDX-License-Identifier: GPL-2.0-only

//! Global locks: locks that are statics.

use super::{Backend, Guard, Lock};
use crate::sync::lock_class::LockClassKey;
use crate::types::Opaque;
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::marker::{PhantomData, PhantomPinned};
use core::ops::{Deref, DerefMut};
use core::pin::Pin;

/// The properties of a global lock, which [`global_lock!`](crate::global_lock) defines.
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
    /// The name of the static, for lockdep.
    const NAME: &'static CStr;
    /// The type of the value.
    type Item: 'static;
    /// The kind of the lock.
    type Backend: Backend + 'static;
    /// Returns the lock's class.
    fn get_lock_class() -> Pin<&'static LockClassKey>;
}

/// A lock that is a static, which [`global_lock!`](crate::global_lock) declares.
///
/// # Invariants
///
/// `B::Backend::init` has initialised the lock in `inner` before any code of the module runs.
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
    /// Never read.
    ///
    /// It refers to the static's entry, so that the linker keeps the entry wherever it keeps the
    /// lock.
    _entry: &'static Entry,
}

/// The entry of a global lock, by which it is initialised.
///
/// All entries of a module are one array, in a section of their own that the build's linker script
/// collects.
#[doc(hidden)]
#[repr(C)]
pub struct Entry {
    lock: *const (),
    init: unsafe fn(*const ()),
}

// SAFETY: an entry is constant, and points to a static that is `Sync`.
unsafe impl Sync for Entry {}

impl Entry {
    /// Creates the entry of a static.
    #[doc(hidden)]
    pub const fn new<B: GlobalLockBackend>(lock: &'static GlobalLock<B>) -> Self {
        Self {
            lock: core::ptr::from_ref(lock).cast(),
            init: init_lock::<B>,
        }
    }
}

/// Initialises a global lock.
///
/// # Safety
///
/// `lock` must be that of an [`Entry`] for a `GlobalLock<B>`, and nobody may use the lock yet.
unsafe fn init_lock<B: GlobalLockBackend>(lock: *const ()) {
    // SAFETY: by this function's contract the pointer is from `Entry::new`, which had a reference
    // to a static of this type.
    let lock = unsafe { &*lock.cast::<GlobalLock<B>>() };
    // SAFETY: `init` takes memory for a lock that does not move, as that of a static, and that
    // nobody uses, by this function's contract. Name and key are static.
    unsafe {
        B::Backend::init(
            lock.inner.state.get(),
            B::NAME.as_ptr().cast(),
            B::get_lock_class().as_ptr(),
        )
    }
}

/// An entry of no lock, so that the section exists in modules that have no global lock.
#[link_section = ".koru_global_locks"]
#[used]
static NONE: Entry = Entry {
    lock: core::ptr::null(),
    init: |_| {},
};

/// Initialises all global locks of this module, in any of its crates.
///
/// # Safety
///
/// The module's `init_module` must call this once, before any other code of the module runs.
pub(crate) unsafe fn init_all() {
    unsafe extern "C" {
        static __koru_global_locks: [u8; 0];
        static __koru_global_locks_end: [u8; 0];
    }
    // This keeps the entry, because the linker keeps what is used.
    core::hint::black_box(&NONE);
    let mut entry = (&raw const __koru_global_locks).cast::<Entry>();
    let end = (&raw const __koru_global_locks_end).cast::<Entry>();
    while entry < end {
        // SAFETY: the linker script puts these symbols around a section that contains only entries,
        // without gaps: only the macro writes to it.
        let Entry { lock, init } = unsafe { &*entry };
        // SAFETY: both are of one entry, and by this function's contract no code of the module has
        // run that could use the lock.
        unsafe { init(*lock) };
        entry = entry.wrapping_add(1);
    }
}

impl<B: GlobalLockBackend> GlobalLock<B> {
    /// Creates a global lock around a value.
    ///
    /// # Safety
    ///
    /// The result must become the static that `entry` is for, and `entry` must be a static in the
    /// section `.koru_global_locks`.
    #[doc(hidden)]
    pub const unsafe fn new(data: B::Item, entry: &'static Entry) -> Self {
        Self {
            // INVARIANT: by this function's contract the entry is in the section whose locks
            // `init_all` initialises before any code of the module runs.
            inner: Lock {
                state: Opaque::uninit(),
                _pin: PhantomPinned,
                data: UnsafeCell::new(data),
            },
            _entry: entry,
        }
    }

    /// Does nothing, because the lock is initialised before the module's `init` is called.
    ///
    /// (It is here for modules that must compile upstream as well, where it initialises the lock.)
    ///
    /// # Safety
    ///
    /// There are no requirements here. Upstream it must be called once, before the lock is used.
    #[inline]
    pub unsafe fn init(&'static self) {}

    /// Takes the lock, and waits for it if necessary.
    ///
    /// Context: that of [`Lock::lock`](super::Lock::lock) for this kind of lock.
    #[inline]
    pub fn lock(&'static self) -> GlobalGuard<B> {
        GlobalGuard(self.inner.lock())
    }

    /// Takes the lock if it is free.
    ///
    /// Context: that of [`Lock::try_lock`](super::Lock::try_lock) for this kind of lock.
    #[inline]
    pub fn try_lock(&'static self) -> Option<GlobalGuard<B>> {
        self.inner.try_lock().map(GlobalGuard)
    }
}

/// The guard of a [`GlobalLock`], which is held as long as the guard exists.
///
/// # Examples
///
/// ```
/// use kernel::sync::{GlobalGuard, GlobalLock, GlobalLockBackend};
/// fn hold<B: GlobalLockBackend>(lock: &'static GlobalLock<B>) -> GlobalGuard<B> {
///     lock.lock()
/// }
/// ```
#[must_use = "the lock is released at once if the guard is not kept"]
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

/// A value that can be accessed only with the guard of one global lock.
///
/// # Examples
///
/// ```
/// use kernel::sync::{GlobalGuard, GlobalLockBackend, GlobalLockedBy};
///
/// struct Job<B: GlobalLockBackend> {
///     runs: GlobalLockedBy<u64, B>,
/// }
///
/// fn count<B: GlobalLockBackend>(job: &Job<B>, guard: &mut GlobalGuard<B>) {
///     *job.runs.as_mut(guard) += 1;
/// }
/// ```
pub struct GlobalLockedBy<T: ?Sized, B: GlobalLockBackend> {
    _lock: PhantomData<fn() -> B>,
    value: UnsafeCell<T>,
}

// SAFETY: it owns a `T`.
unsafe impl<T: ?Sized + Send, B: GlobalLockBackend> Send for GlobalLockedBy<T, B> {}
// SAFETY: a shared reference gives access to the value as `&mut T` to one thread at a time, the one
// that holds the lock, for which `T: Send` is enough, or as `&T`, for which `as_ref` requires
// `T: Sync`.
unsafe impl<T: ?Sized + Send, B: GlobalLockBackend> Sync for GlobalLockedBy<T, B> {}

impl<T, B: GlobalLockBackend> GlobalLockedBy<T, B> {
    /// Creates a value that the global lock protects.
    #[inline]
    pub fn new(val: T) -> Self {
        Self {
            _lock: PhantomData,
            value: UnsafeCell::new(val),
        }
    }
}

impl<T: ?Sized, B: GlobalLockBackend> GlobalLockedBy<T, B> {
    /// Returns a reference to the value.
    #[inline]
    pub fn as_ref<'a>(&'a self, _guard: &'a GlobalGuard<B>) -> &'a T
    where
        T: Sync,
    {
        // SAFETY: there is one lock of the type `B`, a static, because only `global_lock!` makes
        // one, together with the type. So there is one guard, which is borrowed during `'a`, and
        // `as_mut` needs it borrowed mutably.
        unsafe { &*self.value.get() }
    }

    /// Returns a mutable reference to the value.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "the guard is borrowed mutably")]
    pub fn as_mut<'a>(&'a self, _guard: &'a mut GlobalGuard<B>) -> &'a mut T {
        // SAFETY: there is one lock of the type `B`, a static, because only `global_lock!` makes
        // one, together with the type. So there is one guard, which is borrowed mutably during
        // `'a`, and every access to the value needs it.
        unsafe { &mut *self.value.get() }
    }

    /// Returns a mutable reference to the value, which nobody else can access meanwhile.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

/// Declares a global lock: a static that is a `Mutex` or a `SpinLock`.
///
/// The lock is initialised before the module's `init` is called. Upstream, `unsafe { NAME.init() }`
/// has to initialise it first, which is why the declaration there has `unsafe(uninit)`; both are
/// accepted here, and neither is needed.
///
/// Prefer a lock in the module's own value, because a static is never dropped.
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
                $crate::c_str!($crate::__core::stringify!($name));
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
            // SAFETY: the entry is for this static, and is itself a static in that section. Nobody
            // can name the entry, so the lock has only this one.
            unsafe { $crate::sync::GlobalLock::new(value, entry) }
        };
    };
    // The lint against unsafe code would not see an `#[export_name]` here, also behind a
    // `cfg_attr`, because what the macro writes has the macro's span.
    (@attribute doc $($rest:tt)*) => {};
    (@attribute cfg $($rest:tt)*) => {};
    (@attribute allow $($rest:tt)*) => {};
    (@attribute expect $($rest:tt)*) => {};
    (@attribute deprecated $($rest:tt)*) => {};
    (@backend Mutex) => { $crate::sync::lock::mutex::MutexBackend };
    (@backend SpinLock) => { $crate::sync::lock::spinlock::SpinLockBackend };
}
