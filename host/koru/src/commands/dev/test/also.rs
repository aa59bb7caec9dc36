// SPDX-License-Identifier: MIT OR Apache-2.0

//! Chooses one more kernel to test on, by the commit.

use koru_error::Result;
use koru_kernels::{KernelTree, today};

use crate::{commands::dev::commit, context::Context, testing::part::choice};

/// Returns the kernel of a list that a commit chooses. If Koru does not have it, it is added.
/// Returns `None`, and says so, if it is not to be had.
pub(super) fn chosen(
    context: &Context,
    kernels: &[String],
    commit: Option<&str>,
) -> Result<Option<KernelTree>> {
    let commit = match commit {
        Some(commit) => commit.to_owned(),
        None => commit::current(context)?,
    };
    let name = &kernels[choice(&commit, kernels.len())];
    let found = context.kernels.find(Some(name));
    let ui = &context.ui;
    match found.or_else(|_| context.kernels.add(name, &**ui)) {
        Ok(tree) => {
            ui.say(&format!(
                "testing on {} as well, which commit {commit} chooses",
                tree.release
            ));
            Ok(Some(tree))
        }
        Err(e) => {
            ui.say(&format!(
                "note: the kernel {name}, which commit {commit} chooses, is not to be had on {}: {e}",
                today()
            ));
            Ok(None)
        }
    }
}
