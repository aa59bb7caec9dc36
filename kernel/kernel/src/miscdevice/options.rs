// SPDX-License-Identifier: GPL-2.0-only

//! The options of a device.

use crate::error::{code::EINVAL, Result};
use crate::fs::is_file_name;
use core::ffi::CStr;

/// The options of a misc device.
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
    /// The name of the device, whose node is `/dev/NAME`.
    ///
    /// A name `DIR/NAME` puts it into a directory.
    ///
    /// The name has at most 255 bytes, none of which is a control character or `!`; no part of it
    /// is empty, `.` or `..`. If a node of that name belongs to no misc device, such as `null`, the
    /// device is registered but has no node.
    pub name: &'static CStr,
}

impl MiscDeviceOptions {
    /// Checks that the name is a path below /dev.
    pub(super) fn check(&self) -> Result {
        let name = self.name.to_bytes();
        // The device model spells a slash as `!`, and devtmpfs turns both into a slash.
        let fits = name.len() <= 255 && !name.contains(&b'!');
        if fits && name.split(|&byte| byte == b'/').all(is_file_name) {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}
