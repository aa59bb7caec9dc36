// SPDX-License-Identifier: MIT OR Apache-2.0

//! Chooses one more kernel to test on, by the commit.

use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, today};

use crate::{commands::dev::commit, context::Context};

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
    let name = &kernels[place(&commit, kernels.len())?];
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

/// Returns which one of so many a commit chooses. Its last digits are as good as random.
fn place(commit: &str, of: usize) -> Result<usize> {
    let digits: String = commit.chars().rev().take(8).collect();
    let number = u32::from_str_radix(&digits, 16).map_err(|_| {
        Error::new(
            Kind::Usage,
            format!("reading the commit `{commit}`"),
            "it is no hexadecimal number",
        )
        .help("`git rev-parse HEAD` prints it")
    })?;
    Ok(usize::try_from(number).unwrap_or(0) % of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_always_chooses_the_same_one() {
        assert_eq!(place("d371038f", 1).ok(), Some(0));
        let commit = "2f1e9a4c88d0b7a3e5566f0912cd34ab78ef0123";
        assert_eq!(place(commit, 4).ok(), place(commit, 4).ok());
        assert!(place("main", 4).is_err());
        assert!(place("", 4).is_err());
    }

    #[test]
    fn different_commits_choose_them_all() {
        let commits = (0..40_u64).map(|n| format!("{:040x}", n.wrapping_mul(0x9e37_79b9)));
        let mut met: Vec<usize> = commits.filter_map(|c| place(&c, 6).ok()).collect();
        met.sort();
        met.dedup();
        assert_eq!(met, [0, 1, 2, 3, 4, 5]);
    }
}
