// SPDX-License-Identifier: GPL-2.0-only

//! Devices that stand for no hardware.
//!
//! Kernels before 6.14 have no bus for such devices. There it is a device of the platform bus, to
//! which no driver is bound.
//!
//! C header: `include/linux/device/faux.h`

use crate::bindings;
use crate::device::Device;
use crate::error::code::EINVAL;
use crate::error::{from_err_ptr, Result};
use core::ffi::CStr;
use core::ptr::{self, NonNull};

/// The length of the longest name that a file in /sys can have.
const MAX_NAME: usize = 255;

/// A device without hardware, which is registered as long as this value exists.
///
/// A value that is never dropped keeps the device, until the machine is restarted. That does no
/// harm, because the kernel calls nothing of the module for it. Drop devices before their parents:
/// otherwise the kernel warns that the files of a device are gone already.
///
/// # Invariants
///
/// The pointer is that of a device which `koru_faux_create` created, and which nobody else destroys.
///
/// # Examples
///
/// ```
/// use kernel::{faux, prelude::*};
/// fn create() -> Result<faux::Registration> {
///     let registration = faux::Registration::new(c"example", None)?;
///     dev_info!(registration, "created\n");
///     Ok(registration)
/// }
/// ```
#[doc(alias = "faux_device")]
pub struct Registration(NonNull<bindings::device>);

// SAFETY: any thread may destroy a device that another one created.
unsafe impl Send for Registration {}
// SAFETY: a shared reference gives access to a `Device`, which any thread may use.
unsafe impl Sync for Registration {}

impl Registration {
    /// Creates and registers a device.
    ///
    /// `parent` is the device below which it is in /sys. In the name there, `/` becomes `!`.
    ///
    /// Context: any process, also one that is about to exit, or any kernel thread; it may sleep.
    ///
    /// # Errors
    ///
    /// `EEXIST` if there is a device of that name, `EINVAL` if the name is empty, `.` or `..`, or has
    /// more than 255 bytes, `ENODEV` if the kernel refuses the device for another reason, `ENOMEM`.
    #[doc(alias = "faux_device_create")]
    pub fn new(name: &CStr, parent: Option<&Device>) -> Result<Self> {
        if matches!(name.to_bytes(), b"" | b"." | b"..") || name.count_bytes() > MAX_NAME {
            return Err(EINVAL);
        }
        let parent = parent.map_or(ptr::null_mut(), Device::as_raw);
        // SAFETY: the function takes a name, which it copies, and a parent, of which it takes a
        // reference, or null. Both are borrowed during the call.
        let dev = unsafe { bindings::koru_faux_create(name.as_ptr().cast(), parent) };
        // INVARIANT: the device was just created.
        NonNull::new(from_err_ptr(dev)?).map(Self).ok_or(EINVAL)
    }
}

impl AsRef<Device> for Registration {
    #[inline]
    fn as_ref(&self) -> &Device {
        // SAFETY: by the type's invariant the device exists as long as `self`, which is borrowed.
        unsafe { Device::from_raw(self.0.as_ptr()) }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant the device was created by `koru_faux_create`, and nobody
        // else destroys it. References to it that others hold keep its memory.
        unsafe { bindings::koru_faux_destroy(self.0.as_ptr()) }
    }
}
