// SPDX-License-Identifier: GPL-2.0-only

//! Devices of the kernel's device model.
//!
//! C header: `include/linux/device.h`
//!
//! Reference: <https://docs.kernel.org/driver-api/infrastructure.html>

use crate::bindings;
use crate::print::{Record, MAX_MESSAGE};
use crate::str::CStrExt as _;
use crate::sync::aref::AlwaysRefCounted;
use crate::types::Opaque;
use core::ffi::CStr;
use core::fmt::{self, Write};
use core::ptr::NonNull;

/// The length that is reserved for what the kernel prints before a device's messages: the names of
/// the subsystem and the device.
///
/// A longer prefix truncates a very long message.
const MAX_PREFIX_LEN: usize = 128;

/// A device: C's `struct device`.
///
/// An [`ARef`](crate::sync::aref::ARef) keeps it.
///
/// Context: any but NMIs for printing and [`Self::name`]. Dropping an `ARef` may sleep, because the
/// last one releases the device.
///
/// # Examples
///
/// ```
/// use kernel::{device::Device, prelude::*};
/// fn found(dev: &Device) {
///     dev_info!(dev, "found {:?}\n", dev.name());
/// }
/// ```
#[repr(transparent)]
pub struct Device(Opaque<bindings::device>);

// SAFETY: `get_device()` and `put_device()` are the kernel's own reference counting: a device is
// released with its last reference.
unsafe impl AlwaysRefCounted for Device {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `get_device()` takes a device whose count is not 0: it is borrowed, so somebody
        // has a reference.
        unsafe { bindings::koru_get_device(self.as_raw()) }
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: `put_device()` consumes a reference, which the caller passes by this function's
        // contract.
        unsafe { bindings::koru_put_device(obj.as_ptr().cast()) }
    }
}

impl AsRef<Device> for Device {
    #[inline]
    fn as_ref(&self) -> &Device {
        self
    }
}

// SAFETY: the methods print, read the name and count references, which the kernel allows from
// several threads at once.
unsafe impl Sync for Device {}
// SAFETY: a reference to a device belongs to no thread: any thread may call `put_device()`.
unsafe impl Send for Device {}

/// The levels of a device's messages.
///
/// These are the levels of the kernel log except the continuation, which has no device.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[repr(i32)]
pub enum DevLevel {
    Emerg = 0,
    Alert = 1,
    Crit = 2,
    Err = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
}

impl Device {
    /// Wraps a `struct device *`.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid during `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::device) -> &'a Self {
        // SAFETY: by this function's contract the device is valid during `'a`. An `Opaque` assumes
        // nothing about the memory that it is in.
        unsafe { &*ptr.cast() }
    }

    /// Returns the `struct device *`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::device {
        self.0.get().cast()
    }

    /// Returns the name of the device.
    pub fn name(&self) -> &CStr {
        // SAFETY: the device is valid while it is borrowed, and has a name that does not change
        // meanwhile.
        unsafe { CStr::from_char_ptr(bindings::koru_dev_name(self.as_raw())) }
    }

    #[doc(hidden)]
    #[inline(never)]
    pub fn __print(&self, level: DevLevel, args: fmt::Arguments<'_>) {
        let mut record = Record::<{ MAX_MESSAGE - MAX_PREFIX_LEN + 1 }>::new();
        // An argument that fails to format leaves what it wrote so far.
        let _ = record.write_fmt(args);
        record.close();
        let text = record.text();
        // SAFETY: `dev_printk()` takes a valid device, which `self` is while it is borrowed, and
        // copies the text, which is valid for its length. A `DevLevel` is one of the eight levels,
        // and the function checks that.
        unsafe { bindings::koru_dev_print(level as i32, self.as_raw(), text.as_ptr(), text.len()) }
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! dev_print_macro (
    ($level:ident, $dev:expr, $($arg:tt)+) => (
        $crate::device::Device::__print(
            ($dev).as_ref(),
            $crate::device::DevLevel::$level,
            $crate::macros::log_fmt!($($arg)+),
        )
    );
);

/// Prints that the system is unusable, with the device's name as prefix (level 0, `KERN_EMERG`).
///
/// The first argument is the device, and the others are those of [`pr_emerg!`](crate::pr_emerg!).
///
/// # Examples
///
/// ```
/// fn tell(dev: &kernel::device::Device) {
///     kernel::dev_emerg!(dev, "hello {}\n", "there");
/// }
/// ```
#[macro_export]
macro_rules! dev_emerg (
    ($($f:tt)*) => ($crate::dev_print_macro!(Emerg, $($f)*));
);

/// Prints that action must be taken immediately, with the device's name as prefix (level 1,
/// `KERN_ALERT`).
///
/// The first argument is the device, and the others are those of [`pr_alert!`](crate::pr_alert!).
///
/// # Examples
///
/// ```
/// fn tell(dev: &kernel::device::Device) {
///     kernel::dev_alert!(dev, "hello {}\n", "there");
/// }
/// ```
#[macro_export]
macro_rules! dev_alert (
    ($($f:tt)*) => ($crate::dev_print_macro!(Alert, $($f)*));
);

/// Prints a critical condition, with the device's name as prefix (level 2, `KERN_CRIT`).
///
/// The first argument is the device, and the others are those of [`pr_crit!`](crate::pr_crit!).
///
/// # Examples
///
/// ```
/// fn tell(dev: &kernel::device::Device) {
///     kernel::dev_crit!(dev, "hello {}\n", "there");
/// }
/// ```
#[macro_export]
macro_rules! dev_crit (
    ($($f:tt)*) => ($crate::dev_print_macro!(Crit, $($f)*));
);

/// Prints an error, with the device's name as prefix (level 3, `KERN_ERR`).
///
/// The first argument is the device, and the others are those of [`pr_err!`](crate::pr_err!).
///
/// # Examples
///
/// ```
/// fn tell(dev: &kernel::device::Device) {
///     kernel::dev_err!(dev, "hello {}\n", "there");
/// }
/// ```
#[macro_export]
macro_rules! dev_err (
    ($($f:tt)*) => ($crate::dev_print_macro!(Err, $($f)*));
);

/// Prints a warning, with the device's name as prefix (level 4, `KERN_WARNING`).
///
/// The first argument is the device, and the others are those of [`pr_warn!`](crate::pr_warn!).
///
/// # Examples
///
/// ```
/// fn tell(dev: &kernel::device::Device) {
///     kernel::dev_warn!(dev, "hello {}\n", "there");
/// }
/// ```
#[macro_export]
macro_rules! dev_warn (
    ($($f:tt)*) => ($crate::dev_print_macro!(Warning, $($f)*));
);

/// Prints a normal but significant condition, with the device's name as prefix (level 5,
/// `KERN_NOTICE`).
///
/// The first argument is the device, and the others are those of [`pr_notice!`](crate::pr_notice!).
///
/// # Examples
///
/// ```
/// fn tell(dev: &kernel::device::Device) {
///     kernel::dev_notice!(dev, "hello {}\n", "there");
/// }
/// ```
#[macro_export]
macro_rules! dev_notice (
    ($($f:tt)*) => ($crate::dev_print_macro!(Notice, $($f)*));
);

/// Prints information, with the device's name as prefix (level 6, `KERN_INFO`).
///
/// The first argument is the device, and the others are those of [`pr_info!`](crate::pr_info!).
///
/// # Examples
///
/// ```
/// fn tell(dev: &kernel::device::Device) {
///     kernel::dev_info!(dev, "hello {}\n", "there");
/// }
/// ```
#[macro_export]
macro_rules! dev_info (
    ($($f:tt)*) => ($crate::dev_print_macro!(Info, $($f)*));
);

/// Prints a debug message, with the device's name as prefix (level 7, `KERN_DEBUG`).
///
/// It prints only in a build with `debug_assertions`. The first argument is the device, and the
/// others are those of [`pr_debug!`](crate::pr_debug!).
///
/// # Examples
///
/// ```
/// fn tell(dev: &kernel::device::Device) {
///     kernel::dev_dbg!(dev, "state {:?}\n", Some(1));
/// }
/// ```
#[macro_export]
macro_rules! dev_dbg (
    ($($f:tt)*) => (
        if cfg!(debug_assertions) {
            $crate::dev_print_macro!(Debug, $($f)*)
        }
    );
);
