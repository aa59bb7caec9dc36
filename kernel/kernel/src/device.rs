// SPDX-License-Identifier: GPL-2.0-only

//! Devices, as the kernel's device model has them.
//!
//! C header: [`include/linux/device.h`](https://docs.kernel.org/driver-api/infrastructure.html)

use crate::bindings;
use crate::print::{Record, MAX_MESSAGE};
use crate::str::CStrExt as _;
use crate::sync::aref::AlwaysRefCounted;
use crate::types::Opaque;
use core::ffi::CStr;
use core::fmt::{self, Write};
use core::ptr::NonNull;

/// What the kernel puts before a device's messages: the subsystem's name and the
/// device's. A longer one costs the end of a message that is very long.
const PREFIX_ROOM: usize = 128;

/// A device. To keep it, make an [`ARef`](crate::sync::aref::ARef) of it, which
/// may sleep when it is dropped.
///
/// Context: printing and [`Self::name`] are for any context but NMIs. Dropping a reference
/// may sleep: the last one releases the device.
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

// SAFETY: the kernel's own count; a device goes with its last reference.
unsafe impl AlwaysRefCounted for Device {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `get_device()` wants a device whose count is not 0: it is borrowed, so
        // somebody has a reference.
        unsafe { bindings::koru_get_device(self.as_raw()) }
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: `put_device()` consumes a reference, which the caller hands over.
        unsafe { bindings::koru_put_device(obj.as_ptr().cast()) }
    }
}

// SAFETY: the methods print, read the name and count references, all of which the kernel
// allows from several threads at once.
unsafe impl Sync for Device {}
// SAFETY: a reference to a device is of no thread: `put_device()` may be called by any.
unsafe impl Send for Device {}

/// The levels of a device's messages: those of the kernel log without the
/// continuation, which has no device.
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
    /// It is valid while the result lives.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::device) -> &'a Self {
        // SAFETY: it is that of a device which stays while the result lives, as the caller
        // promises. An `Opaque` assumes nothing of the memory it is in.
        unsafe { &*ptr.cast() }
    }

    /// The `struct device *`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::device {
        self.0.get().cast()
    }

    /// The device's name.
    pub fn name(&self) -> &CStr {
        // SAFETY: the device is valid while it is borrowed, and has a name.
        unsafe { CStr::from_char_ptr(bindings::koru_dev_name(self.as_raw())) }
    }

    #[doc(hidden)]
    #[inline(never)]
    pub fn __print(&self, level: DevLevel, args: fmt::Arguments<'_>) {
        let mut record = Record::<{ MAX_MESSAGE - PREFIX_ROOM }>::new();
        // An argument that fails to format leaves what it wrote.
        let _ = record.write_fmt(args);
        record.close();
        let text = record.text();
        // SAFETY: `dev_printk` wants a valid device, which `self` is while it is
        // borrowed, and copies the text, which is valid for its length. A `DevLevel`
        // is one of the eight levels, and the function checks it.
        unsafe { bindings::koru_dev_print(level as i32, self.as_raw(), text.as_ptr(), text.len()) }
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! dev_print_macro (
    ($level:ident, $dev:expr, $($arg:tt)+) => (
        ($dev).__print($crate::device::DevLevel::$level, $crate::macros::log_fmt!($($arg)+))
    );
);

/// Prints that the system is unusable, with the device's name before it. Level 0, `KERN_EMERG`.
///
/// First the device, then as [`pr_emerg!`](crate::pr_emerg!).
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

/// Prints that something must be done at once, with the device's name before it. Level 1, `KERN_ALERT`.
///
/// First the device, then as [`pr_alert!`](crate::pr_alert!).
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

/// Prints a critical condition, with the device's name before it. Level 2, `KERN_CRIT`.
///
/// First the device, then as [`pr_crit!`](crate::pr_crit!).
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

/// Prints an error, with the device's name before it. Level 3, `KERN_ERR`.
///
/// First the device, then as [`pr_err!`](crate::pr_err!).
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

/// Prints a warning, with the device's name before it. Level 4, `KERN_WARNING`.
///
/// First the device, then as [`pr_warn!`](crate::pr_warn!).
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

/// Prints what is normal and worth a look, with the device's name before it. Level 5, `KERN_NOTICE`.
///
/// First the device, then as [`pr_notice!`](crate::pr_notice!).
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

/// Prints information, with the device's name before it. Level 6, `KERN_INFO`.
///
/// First the device, then as [`pr_info!`](crate::pr_info!).
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

/// Prints for debugging, with the device's name before it. Level 7,
/// `KERN_DEBUG`, and only in a build with `debug_assertions`.
///
/// First the device, then as [`pr_debug!`](crate::pr_debug!).
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
