// SPDX-License-Identifier: GPL-2.0-only

//! Open files.
//!
//! C header: `include/linux/fs.h`

pub mod file;
mod kiocb;
pub(crate) mod operations;

pub use file::{File, Mode, Whence};
pub use kiocb::Kiocb;

/// Whether a directory may have an entry of that name: not empty, `.` or `..`, at most
/// 255 bytes, and no slash. Control characters are refused as well: the name is to be
/// printed, and `uevent` files have a variable a line.
pub(crate) fn is_file_name(name: &[u8]) -> bool {
    let is_part = |&byte: &u8| byte != b'/' && !byte.is_ascii_control();
    !matches!(name, b"" | b"." | b"..") && name.len() <= 255 && name.iter().all(is_part)
}
