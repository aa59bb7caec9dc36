// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds a `.ko` from a kernel tree and a module's sources.
//!
//! Each stage has one type, whose value the next stage takes:
//!
//! ```text
//! KernelTree -> Codegen -> Sysroot -> RustObject -> Ko
//! ```
//!
//! Everything that can be used again is in the cache ([`Home::cache`](koru_kernels::Home)),
//! under a key made from what it was built from.
#![forbid(unsafe_code)]

mod c_module;
mod dependency;
mod ko;
mod link;
mod modinfo;
mod module;
mod paths;
mod rust_object;
mod shim;
pub mod shim_header;
mod stack;
mod sysroot;
mod toolchain;
mod unsafe_code;
mod watch_sources;
mod x86;

pub use c_module::build_c_module;
pub use dependency::Dependency;
pub use ko::{BuildOptions, Builder, Ko, Notes, Stages};
pub use modinfo::ModInfo;
pub use module::{KERNEL_PACKAGE, Module, find_modules, patch_options, workspace_of};
pub use stack::LargeFrame;
pub use sysroot::Sysroot;
pub use toolchain::Toolchain;
pub use watch_sources::watch_sources;
pub use x86::codegen::{Codegen, TARGET};
