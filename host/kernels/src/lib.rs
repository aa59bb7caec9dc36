// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds, downloads and unpacks kernels, with what their guests need.
//!
//! [`Kernels`] lists what is in the [`Cache`] and adds the distribution's kernels to it; a
//! [`KernelTree`] is a build directory, as `make -C` takes it. [`Home`] has the paths of
//! Koru's sources and of its cache.
#![forbid(unsafe_code)]

mod apt;
mod archive;
mod busybox;
mod cache;
mod date;
mod debug_kernel;
mod home;
mod kernels;
mod lacking;
mod merged;
mod nearest;
mod package_files;
mod packages;
mod process;
mod progress;
mod ranges;
mod release;
mod remote_headers;
mod rpm;
mod suite_tools;
mod symvers;
mod tree;
mod userland;
mod x86;

pub use apt::Apt;
pub use archive::{Archive, Offered};
pub use busybox::busybox;
pub use cache::{Cache, Key, Lock, write_atomically};
pub use date::{date_of, today};
pub use debug_kernel::DebugFlavour;
pub use home::Home;
pub use kernels::{Installed, Kernels, SUPPORTED};
pub use lacking::Lacking;
pub use nearest::nearest;
pub use package_files::is_package;
pub use process::{Run, output, run, spawn_error};
pub use progress::{NoProgress, Progress};
pub use ranges::{KernelRange, NoRange};
pub use release::{compare as compare_releases, short_names};
pub use remote_headers::{NO_BUILD_DIR, pack_script};
pub use symvers::{Export, Symvers};
pub use tree::{Config, KernelTree};
pub use userland::{KEPT as USERLAND_KEEPS, Userland};
