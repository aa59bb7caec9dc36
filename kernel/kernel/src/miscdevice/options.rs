// SPDX-License-Identifier: GPL-2.0-only

//! The name of a device.

use crate::error::{code::EINVAL, Result};
use crate::fs::is_file_name;
use core::ffi::CStr;

/// How a device is called.
///
/// # Examples
///
/// ```
/// use kernel::miscdevice::MiscDeviceOptions;
/// let dev_example = MiscDeviceOptions { name: c"example" };
/// # let _ = dev_example;
/// ```
#[derive(Clone, Copy)]
pub struct MiscDeviceOptions {
    /// The name: the node is `/dev/NAME`. With `DIR/NAME` it is in a directory.
    ///
    /// At most 255 bytes, of which none is a control character or `!`; no part of it is
    /// empty, `.` or `..`. If there is a node of that name that belongs to no misc
    /// device, such as `null`, the device is registered and has no node.
    pub name: &'static CStr,
}

impl MiscDeviceOptions {
    /// Whether it is a path that stays below /dev.
    pub(super) fn check(&self) -> Result {
        let name = self.name.to_bytes();
        // The device model has `!` for a slash, and devtmpfs turns both into one.
        let fits = name.len() <= 255 && !name.contains(&b'!');
        if fits && name.split(|&byte| byte == b'/').all(is_file_name) {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}
