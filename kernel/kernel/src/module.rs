// SPDX-License-Identifier: GPL-2.0-only

//! What `module!` builds on.
//!
//! # Unloading
//!
//! A module's unloading is that its value is dropped, field by field. Whatever the
//! module has registered - a thread, a file, a device, a probe - is a value, too, and
//! its `Drop` returns when the kernel no longer calls the module's code. A load that
//! fails drops what was made until then.
//!
//! Safe code can keep a value from being dropped: by [`core::mem::forget`], by `leak()`,
//! in a static, or in an [`Arc`](crate::sync::Arc) cycle. The kernel would then
//! run code that the loader has freed. So the crate counts what is registered. If
//! something still is after the exit, or after an init that failed, the module stays: one
//! record at emergency level says what was left behind, and the process
//! that unloads or loads the module does not return. It sleeps, idle and without any lock,
//! and cannot be killed: neither can be called off at this point. Should the rest be
//! dropped after all, it goes on.
//!
//! What is leaked and not registered costs its memory only: a `KBox`, a reference to a
//! process. A lock whose guard is leaked is never given back: whoever wants it next waits
//! for ever, and cannot be killed. The module can be unloaded unless somebody does: a call
//! of its files, a thread, or the dropping of its own value.
//!
//! # Removing what is in use
//!
//! Dropping a registration waits for what is running of it. Where that waits for something
//! itself - a call that blocks, a thread that does not look whether it should stop - so
//! does the unloading, and nobody can kill `rmmod` then. After ten seconds one record says
//! who waits for what. What each type does about it, and where it must not be dropped, is
//! said there: [`proc_fs`](crate::proc_fs#dropping),
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

/// A module, as the kernel knows it: `struct module`, C's `THIS_MODULE`.
///
/// `module!` makes a static `THIS_MODULE` of this type.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// fn init(module: &'static ThisModule) {
///     let _ = module.as_ptr();
/// }
/// ```
///
/// # Invariants
///
/// The pointer is that of the module that the code is in, or null.
pub struct ThisModule(*mut c_void);

// SAFETY: it gives its pointer away, and does not follow it.
unsafe impl Sync for ThisModule {}

impl ThisModule {
    /// Wraps a `struct module *`.
    ///
    /// # Safety
    ///
    /// It must be the one of the module that the code is in, or null.
    ///
    /// # Examples
    ///
    /// ```
    /// // SAFETY: null is allowed.
    /// let module = unsafe { kernel::ThisModule::from_ptr(core::ptr::null_mut()) };
    /// # let _ = module;
    /// ```
    pub const unsafe fn from_ptr(ptr: *mut c_void) -> Self {
        Self(ptr)
    }

    /// The `struct module *`, for C functions that want an owner.
    #[inline]
    pub const fn as_ptr(&self) -> *mut c_void {
        self.0
    }
}

/// `__this_module`, which modpost's `NAME.mod.c` defines.
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

/// `struct module`, of which Rust knows only the address.
#[doc(hidden)]
#[repr(C)]
pub struct RawModule {
    _opaque: [u8; 0],
}

// SAFETY: nothing of it can be reached.
unsafe impl Sync for RawModule {}

/// A module that is built in an ordinary value.
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
    /// Called when the module is loaded, in a process that may sleep. An error
    /// refuses the load with its errno; dropping the value is the unloading.
    fn init(module: &'static ThisModule) -> Result<Self>;
}

/// A module that is built in its final place, as locks and other things which
/// the kernel keeps pointers to must be.
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
    /// Makes the initialiser; as [`Module::init`] otherwise.
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error>;
}

impl<T: Module> InPlaceModule for T {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let initer = move |slot: *mut Self| {
            let value = <Self as Module>::init(module)?;
            // SAFETY: `slot` is valid for writes, as `pin_init_from_closure` says.
            unsafe { slot.write(value) };
            Ok(())
        };
        // SAFETY: the closure initialises the whole slot, or fails before it
        // touches it.
        unsafe { pin_init::pin_init_from_closure(initer) }
    }
}

/// What `module!` says about a module's type.
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

/// Where the module's value lives while it is loaded.
#[doc(hidden)]
pub struct Slot<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: the slot is touched by `init` and `exit` only, and the loader runs
// these one after the other; `T` itself may be used from any thread.
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

    /// # Safety
    ///
    /// Called once, by `init_module`.
    pub unsafe fn init(&'static self, module: &'static ThisModule) -> c_int
    where
        T: InPlaceModule,
    {
        // SAFETY: the caller is `init_module`, which does this first, and once.
        unsafe { global::make_all() };
        let slot = self.0.get().cast::<T>();
        let init = <T as InPlaceModule>::init(module);
        // SAFETY: the slot is a static's memory: valid, aligned, and never moved. It holds no
        // value yet, and nobody else uses it: the loader calls this once. After an error it
        // is not used any more.
        match unsafe { init.__pinned_init(slot) } {
            Ok(()) => 0,
            Err(error) => {
                let errno = error.to_user_errno();
                wait_until_unregistered(&UnloadReason::InitFailed(errno));
                errno
            }
        }
    }

    /// # Safety
    ///
    /// Called once, by `cleanup_module`, after `init` returned 0.
    pub unsafe fn exit(&'static self) {
        // SAFETY: `init` returned 0, so the slot holds a value, which is dropped this once:
        // the loader calls `cleanup_module` once. Whoever could still reach the value by the
        // kernel is stopped by the drops of its own fields.
        unsafe { self.0.get().cast::<T>().drop_in_place() };
        wait_until_unregistered(&UnloadReason::Exited);
    }
}
