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

mod api_changes;
mod artifact;
mod build_state;
mod cargo_messages;
mod cargo_run;
mod common_object;
mod dependency;
mod kbuild_source;
mod ko;
mod lacking_apis;
mod link;
mod make;
mod makefile;
mod modinfo;
mod module;
mod package_cache;
mod paths;
mod prebuilt;
mod probes;
mod providers;
mod rust_file;
mod rust_hints;
mod rust_object;
mod shared_crates;
mod shim;
pub mod shim_header;
mod source;
mod stack;
mod supported_kernels;
mod symbols;
mod sysroot;
mod target_dir;
mod toolchain;
mod unsafe_code;
mod watch_sources;
mod work_copy;
mod x86;

pub use api_changes::{explain, explain_symbol};
pub use cargo_run::{CargoRun, cargo, cargo_home, metadata_command, needs_fetch, unreadable};
pub use dependency::Dependency;
pub use kbuild_source::KbuildSource;
pub use ko::{BuildOptions, Builder, Ko, Notes, Stages};
pub use make::plain_temporary_folder;
pub use modinfo::ModInfo;
pub use module::{
    KERNEL_PACKAGE, Module, PATCHED, find_modules, patch_options, workspace_modules, workspace_of,
};
pub use paths::{module_name, repository};
pub use prebuilt::{is_prebuilt, unpacked};
pub use probes::Probe;
pub use rust_file::RustFile;
pub use source::{Source, find_sources};
pub use stack::LargeFrame;
pub use supported_kernels::SupportedKernels;
pub use symbols::imported_symbols;
pub use sysroot::Sysroot;
pub use target_dir::{make_real_folders, usable_target_dir};
pub use toolchain::Toolchain;
pub use watch_sources::watch_sources;
pub use work_copy::modules_dir;
pub use x86::codegen::{Codegen, TARGET};
