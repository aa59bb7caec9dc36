// SPDX-License-Identifier: GPL-2.0-only

//! The traits and types that `module!` builds on.
//!
//! # Unloading
//!
//! Unloading a module drops its value, field by field. Whatever the module has registered - a
//! thread, a file, a device, a probe - is a value as well, whose `Drop` returns once the kernel no
//! longer calls the module's code. A load that fails drops what was made until then.
//!
//! Safe code can keep a value from being dropped: by [`core::mem::forget`], by `leak()`, in a
//! static, or in an [`Arc`](crate::sync::Arc) cycle. The kernel would then run code that the loader
//! has freed, so this crate counts the registrations. If one is left after the exit, or after an
//! init that failed, the module stays: one record at emergency level says what is left, and the
//! process that unloads or loads the module does not return. That process sleeps, idle and without
//! any lock, and cannot be killed, because neither an exit nor a failed init can be cancelled. If
//! the registrations are dropped later after all, the process continues.
//!
//! Work that is queued in a [`workqueue`](crate::workqueue) ends by itself, so the module's end waits
//! for it.
//!
//! A leaked value that is not a registration, such as a `KBox` or a reference to a process, costs
//! only its memory. A lock whose guard is leaked is never released: whoever takes it next waits for
//! ever and cannot be killed. The module can be unloaded unless somebody does that: a call of its
//! files, a thread, or the drop of its own value.
//!
//! # Removing what is in use
//!
//! Dropping a registration waits for its running calls. If one of them waits itself - a call that
//! blocks, a thread that does not check whether it should stop - the unload waits as well, and
//! nobody can kill `rmmod` then. After ten seconds one record says who waits for what. The
//! documentation of each type says how it handles this, and where it must not be dropped:
//! [`proc_fs`](crate::proc_fs#dropping),
//! [`MiscDeviceRegistration`](crate::miscdevice::MiscDeviceRegistration#dropping),
//! [`KThread`](crate::kthread::KThread#dropping), [`Probe`](crate::kprobe::Probe#dropping).

pub(crate) mod name;

use crate::error::{Error, Result};
use crate::ffi::{c_int, c_void};
use crate::live::{wait_until_unregistered, UnloadReason};
use crate::sync::lock::global;
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use pin_init::PinInit;

/// The kernel's `struct module`: C's `THIS_MODULE`.
///
/// `module!` defines a static `THIS_MODULE` of this type.
///
/// # Invariants
///
/// The pointer is null or that of the module which contains the code.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// fn init(module: &'static ThisModule) {
///     let _ = module.as_ptr();
/// }
/// ```
pub struct ThisModule(*mut c_void);

// SAFETY: the methods return the pointer and do not dereference it.
unsafe impl Sync for ThisModule {}

impl ThisModule {
    /// Wraps a `struct module *`.
    ///
    /// # Safety
    ///
    /// `ptr` must be null or the pointer to the module which contains the calling code.
    ///
    /// # Examples
    ///
    /// ```
    /// // SAFETY: null is allowed.
    /// let module = unsafe { kernel::ThisModule::from_ptr(core::ptr::null_mut()) };
    /// # let _ = module;
    /// ```
    pub const unsafe fn from_ptr(ptr: *mut c_void) -> Self {
        // INVARIANT: this function's contract is the type's invariant.
        Self(ptr)
    }

    /// Returns the `struct module *`, for C functions that take an owner.
    #[inline]
    pub const fn as_ptr(&self) -> *mut c_void {
        self.0
    }
}

/// Expands to the `__this_module` that modpost's `NAME.mod.c` defines.
#[doc(hidden)]
#[macro_export]
macro_rules! __this_module {
    () => {{
        unsafe extern "C" {
            static __this_module: $crate::module::RawModule;
        }
        // SAFETY: `__this_module` is the `struct module` that modpost defines for the module
        // that this code is linked into. Only its address is taken.
        unsafe {
            $crate::ThisModule::from_ptr(
                (&raw const __this_module)
                    .cast_mut()
                    .cast::<$crate::__core::ffi::c_void>(),
            )
        }
    }};
}
#[doc(hidden)]
pub use crate::__this_module as this_module;

/// A `struct module`, of which Rust knows only the address.
#[doc(hidden)]
#[repr(C)]
pub struct RawModule {
    _opaque: [u8; 0],
}

// SAFETY: no byte of the value can be accessed.
unsafe impl Sync for RawModule {}

/// A module that is built as an ordinary value.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
///
/// struct Hello;
///
/// impl kernel::Module for Hello {
///     fn init(_module: &'static ThisModule) -> Result<Self> {
///         Ok(Hello)
///     }
/// }
/// ```
pub trait Module: Sized + Sync + Send {
    /// Initialises the module when it is loaded.
    ///
    /// An error makes the load fail with its errno. Unloading drops the value.
    ///
    /// Context: the process that loads the module; it may sleep.
    fn init(module: &'static ThisModule) -> Result<Self>;
}

/// A module that is built in its final place.
///
/// Locks, and other values that the kernel keeps pointers to, need that.
///
/// # Examples
///
/// ```
/// use kernel::{new_mutex, prelude::*, sync::Mutex};
/// # extern crate kernel as pin_init;
///
/// #[pin_data]
/// struct Counter {
///     #[pin]
///     count: Mutex<u32>,
/// }
///
/// impl kernel::InPlaceModule for Counter {
///     fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
///         try_pin_init!(Self {
///             count <- new_mutex!(0),
///         })
///     }
/// }
/// ```
pub trait InPlaceModule: Sync + Send {
    /// Returns the initialiser of the module, which runs when the module is loaded.
    ///
    /// An error makes the load fail with its errno. Unloading drops the value.
    ///
    /// Context: the process that loads the module; it may sleep.
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error>;
}

impl<T: Module> InPlaceModule for T {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let initer = move |slot: *mut Self| {
            let value = <Self as Module>::init(module)?;
            // SAFETY: `slot` is valid for writes, by the contract of `pin_init_from_closure`.
            unsafe { slot.write(value) };
            Ok(())
        };
        // SAFETY: the closure initialises the whole slot, or fails before it writes to it.
        unsafe { pin_init::pin_init_from_closure(initer) }
    }
}

/// What `module!` records about a module's type.
///
/// # Examples
///
/// ```
/// use kernel::ModuleMetadata;
/// fn name<M: ModuleMetadata>() -> &'static core::ffi::CStr {
///     M::NAME
/// }
/// ```
pub trait ModuleMetadata {
    /// The module's name.
    const NAME: &'static CStr;
}

/// The memory of the module's value, which holds it while the module is loaded.
#[doc(hidden)]
pub struct Slot<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: only `init` and `exit` access the slot, and the loader never runs them at the same time;
// `T` itself may be used from any thread.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

impl<T> Default for Slot<T> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slot<T> {
    #[inline]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// Initialises the module, and returns 0 or a negative errno.
    ///
    /// # Safety
    ///
    /// Only `init_module` may call this, and only once.
    pub unsafe fn init(&'static self, module: &'static ThisModule) -> c_int
    where
        T: InPlaceModule,
    {
        // SAFETY: `init_all` must be called once, before any of the module's own code runs: the
        // caller is `init_module`, which runs once and calls this first.
        unsafe { global::init_all() };
        let slot = self.0.get().cast::<T>();
        let init = <T as InPlaceModule>::init(module);
        // SAFETY: the slot is the memory of a static: valid, aligned, and never moved. It holds no
        // value yet, and nobody else uses it, because the loader calls this once. After an error it
        // is not used again.
        match unsafe { init.__pinned_init(slot) } {
            Ok(()) => 0,
            Err(error) => {
                let errno = error.to_user_errno();
                wait_until_unregistered(&UnloadReason::InitFailed(errno));
                errno
            }
        }
    }

    /// Drops the module.
    ///
    /// # Safety
    ///
    /// Only `cleanup_module` may call this, and only once, after `init` returned 0.
    pub unsafe fn exit(&'static self) {
        // SAFETY: `init` returned 0, so the slot holds a value, which is dropped only here: the
        // loader calls `cleanup_module` once. The drops of the value's fields stop whoever could
        // still reach it through the kernel.
        unsafe { self.0.get().cast::<T>().drop_in_place() };
        wait_until_unregistered(&UnloadReason::Exited);
    }
}
