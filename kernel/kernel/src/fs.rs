// SPDX-License-Identifier: GPL-2.0-only

//! Open files.
//!
//! C header: `include/linux/fs.h`

pub mod file;
mod kiocb;

pub use file::{File, Mode, Whence};
pub use kiocb::Kiocb;
