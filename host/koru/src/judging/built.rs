// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules that are judged as they were built, and the kernel that they were built for.

use std::path::Path;

use koru_error::{Error, Kind, Result};
use koru_kbuild::ModInfo;
use koru_kernels::KernelTree;

use crate::{cli::KernelChoice, context::Context};

/// Reads what a module says of itself. A file that is no module is a mistake of the request.
pub fn read_info(ko: &Path) -> Result<ModInfo> {
    ModInfo::read(ko).map_err(|mut e| {
        if e.kind == Kind::System {
            e.kind = Kind::Usage;
        }
        e
    })
}

/// Returns the kernel to judge a built module on: the one that it was built for, unless the user
/// has chosen one.
pub fn tree_of_built(
    context: &Context,
    choice: &KernelChoice,
    shown: &str,
    info: &ModInfo,
) -> Result<KernelTree> {
    match info.release() {
        Some(release) if !choice.is_made() => context
            .kernels
            .exactly(release)
            .ok_or_else(|| other_kernel(shown, release, None))?,
        _ => context.tree(choice),
    }
}

/// Returns the error for a module of another kernel than `tree`, or of one that is not here.
pub fn other_kernel(shown: &str, release: &str, tree: Option<&KernelTree>) -> Error {
    let message = match tree {
        Some(tree) => format!(
            "it was built for the kernel {release} (its vermagic), not for {}",
            tree.release
        ),
        None => {
            format!("it was built for the kernel {release} (its vermagic), which is not installed")
        }
    };
    Error::new(Kind::Usage, format!("reading {shown}"), message).help(format!(
        "add its kernel (`koru kernel add {release}`) and give --kernel {release}, or build it for \
         a kernel of `koru kernel list`, as --src does"
    ))
}
