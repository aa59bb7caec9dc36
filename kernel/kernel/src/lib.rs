// SPDX-License-Identifier: GPL-2.0-only

//! Linux kernel modules in safe Rust, for stock kernels.
//!
//! The names, paths and signatures are those of upstream's `kernel` crate wherever it has them, so
//! that a module moves there unchanged. What upstream lacks ([`proc_fs`], [`kthread`], [`kprobe`],
//! [`pid`]) follows the same conventions.
//!
//! A module needs no `unsafe`: all unsafe code is in this crate, and each block states why it is
//! sound. The C side, which the target kernel's own build compiles, is in `kernel/shim`.
//!
//! # Examples
//!
//! ```
//! # const __LOG_PREFIX: &[u8] = b"hello\0";
//! # mod hello {
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
//! # }
//! # fn main() {}
//! ```

#![no_std]
// An example is a program for the kernel: it is compiled but not run. (rustdoc does not wrap an
// example in a function if it plainly says `no_std`.)
#![doc(test(attr(cfg_attr(all(), no_std), no_main, allow(dead_code, unused))))]
#![feature(
    coerce_unsized,
    const_eval_select,
    core_intrinsics,
    dispatch_from_dyn,
    formatting_options,
    unsize
)]
#![allow(
    internal_features,
    reason = "`core_intrinsics` is one: `build_assert!` needs it"
)]
#![cfg_attr(
    not(all(koru_has = "KPROBES", koru_has = "PROC_FS")),
    allow(dead_code, reason = "what only the APIs use that this kernel lacks")
)]
#![warn(missing_docs)]

// Lets the crate's own macros name it as modules do.
extern crate self as kernel;

// The files import each other in one direction. A folder's main file only re-exports what the
// files in it define; what these share is in one of them. So no file imports the one above it.

pub mod alloc;
#[rustfmt::skip]
#[allow(
    missing_docs,
    non_camel_case_types,
    reason = "bindgen writes it; the names are C's"
)]
mod bindings;
pub mod bits;
pub mod build_assert;
#[doc(hidden)]
pub mod container_of;
mod dbg;
pub mod device;
pub mod error;
pub mod fault;
pub mod faux;
pub mod ffi;
pub mod fmt;
pub mod fs;
pub mod hash;
pub mod init;
pub mod ioctl;
pub mod iov;
#[cfg(koru_has = "KPROBES")]
pub mod kprobe;
pub mod kthread;
mod layout;
pub mod list;
mod live;
pub mod macros;
pub mod math;
pub mod miscdevice;
pub mod module;
pub mod module_param;
pub mod page;
mod panic;
mod pending;
pub mod pid;
pub mod prelude;
pub mod print;
#[cfg(koru_has = "PROC_FS")]
pub mod proc_fs;
pub mod seq_file;
pub mod sizes;
pub mod str;
pub mod sync;
pub mod task;
pub mod time;
pub mod transmute;
pub mod types;
pub mod uaccess;
pub mod workqueue;

pub use error::Error;
#[doc(no_inline)]
pub use macros::fmt;
pub use module::{InPlaceModule, Module, ModuleMetadata, ThisModule};

// A module depends on this crate only and writes `pin_init::NAME`, as `#[pin_data]` does: `module!`
// makes that name refer to this crate.
#[doc(hidden)]
pub use pin_init::*;

// Macros name `core` by this path, because a module may call another crate `core`.
#[doc(hidden)]
pub use ::core as __core;
