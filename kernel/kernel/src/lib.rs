// SPDX-License-Identifier: GPL-2.0-only

//! Linux kernel modules in safe Rust, on the kernel that you have.
//!
//! The names, paths and signatures are those of upstream's `kernel` crate
//! wherever it has them, so that a module moves there unchanged.
//! What upstream lacks ([`proc_fs`]) is made in the same manner.
//!
//! A module needs no `unsafe`: all of that is in this crate, each block with the
//! reason why it is sound. The C side, compiled by the target kernel's own
//! build, is in `kernel/shim`.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//!
//! module! {
//!     type: Hello,
//!     name: "hello",
//!     author: "You",
//!     description: "Says hello",
//!     license: "GPL",
//! }
//!
//! struct Hello;
//!
//! impl kernel::Module for Hello {
//!     fn init(_module: &'static ThisModule) -> Result<Self> {
//!         pr_info!("Hello world\n");
//!         Ok(Hello)
//!     }
//! }
//! # fn main() {}
//! ```

#![no_std]
// An example is a program for the kernel: it is compiled, and not run. (rustdoc
// puts no function around what says `no_std` plainly.)
#![doc(test(
    no_crate_inject,
    attr(cfg_attr(all(), no_std), no_main, allow(dead_code, unused))
))]
#![feature(
    coerce_unsized,
    const_eval_select,
    core_intrinsics,
    dispatch_from_dyn,
    formatting_options,
    unsize
)]
#![allow(internal_features)]
#![warn(missing_docs, clippy::undocumented_unsafe_blocks)]

// So that the crate's own macros can name it as modules do.
extern crate self as kernel;

pub mod alloc;
#[rustfmt::skip]
#[allow(missing_docs, missing_debug_implementations)]
mod bindings;
pub mod build_assert;
mod dbg;
pub mod error;
pub mod ffi;
pub mod fmt;
pub mod fs;
pub mod init;
mod layout;
pub mod module;
pub mod module_param;
mod panic;
pub mod prelude;
pub mod print;
pub mod proc_fs;
pub mod seq_file;
pub mod str;
pub mod sync;
pub mod task;
pub mod time;
pub mod types;
pub mod uaccess;

/// The procedural macros. [`prelude`] has those that modules use.
pub mod macros {
    pub use koru_macros::{fmt, log_fmt, module, vtable};
}

pub use error::Error;
pub use koru_macros::fmt;
pub use module::{InPlaceModule, Module, ModuleMetadata, ThisModule};

// `#[pin_data]` and the like write `::pinned_init::NAME`, and `module!` makes
// that name this crate.
#[doc(hidden)]
pub use pinned_init as __pinned_init_crate;
#[doc(hidden)]
pub use pinned_init::*;

/// The prefix of what this crate itself prints.
const __LOG_PREFIX: &[u8] = b"rust_kernel\0";
