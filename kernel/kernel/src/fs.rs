// SPDX-License-Identifier: GPL-2.0-only

//! Open files.
//!
//! C header: `include/linux/fs.h`

pub mod file;
mod kiocb;
pub(crate) mod operations;

pub use file::{File, Mode, Whence};
pub use kiocb::Kiocb;

/// Returns whether a directory can have an entry of that name.
///
/// Such a name is not empty, `.` or `..`, has at most 255 bytes, and contains no slash. Control
/// characters are refused as well, because the name is printed, and `uevent` files have one
/// variable a line.
pub(crate) fn is_file_name(name: &[u8]) -> bool {
    let is_part = |&byte: &u8| byte != b'/' && !byte.is_ascii_control();
    !matches!(name, b"" | b"." | b"..") && name.len() <= 255 && name.iter().all(is_part)
}
