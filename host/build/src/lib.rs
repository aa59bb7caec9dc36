//! From a kernel tree and a Rust crate to a kernel module.
//!
//! One type a stage, each a value that the next stage takes:
//!
//! ```text
//! KernelTree -> Codegen -> Sysroot -> RustObject -> Ko
//! ```
//!
//! Everything that can be used again lies in the cache ([`Home::cache`]),
//! under a key made from what it was built of.
#![forbid(unsafe_code)]

pub mod apt;
mod atomic_context;
mod busybox;
mod cache;
mod codegen;
mod home;
mod import;
mod kernels;

mod ko;
mod link;
mod modinfo;
mod module;
mod nearest;
mod process;
mod report;
mod rust_object;
mod shim;
pub mod shim_header;
mod source;
mod sources;
mod stack;
mod sysroot;
mod toolchain;
mod tree;
mod unsafe_code;

pub use busybox::busybox;
pub use cache::{Cache, Lock};
pub use codegen::{Codegen, TARGET};
pub use home::Home;
pub use import::{NO_BUILD_DIR, pack_script};
pub use kernels::{Installed, Kernels, SUPPORTED};
pub use ko::{BuildOptions, Builder, Ko, Notes, Stages};
pub use modinfo::ModInfo;
pub use module::{Module, find_modules, patch_options, workspace_of};
pub use nearest::nearest;
pub use process::{Run, on_path, run};
pub use report::{Report, Silent};
pub use source::build_source;
pub use sources::sources;
pub use stack::LargeFrame;
pub use sysroot::Sysroot;
pub use toolchain::Toolchain;
pub use tree::{Config, KernelTree};
pub use unsafe_code::Dependency;
