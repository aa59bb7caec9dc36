// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the folders of contracts.

use std::path::{Path, PathBuf};

use koru_error::{Error, Kind, Result};
use koru_judge::{Contract, Seed, is_contract, read};

use crate::context::Context;

/// The folder of a student's lab with the public promises.
pub const PUBLIC: &str = "contract";

/// Returns the folder with the contracts that come with Koru.
pub fn shipped(context: &Context) -> PathBuf {
    context.home.root.join("contracts")
}

/// Returns the folder of a contract that the user named by its path, or by its name if it comes
/// with Koru.
pub fn contract_folder(context: &Context, name: &str) -> Option<PathBuf> {
    let own = context.cwd.join(name);
    let theirs = shipped(context).join(name);
    [own, theirs].into_iter().find(|folder| is_contract(folder))
}

/// Reads a contract by its path or name.
pub fn contract(context: &Context, name: &str, seed: Seed) -> Result<Contract> {
    let Some(folder) = contract_folder(context, name) else {
        let attempted = format!("looking for the contract {name}");
        let message = "there is no such folder with a contract.toml";
        return Err(Error::new(Kind::Usage, attempted, message)
            .help("`koru contract new NAME` makes one; docs/teach.md says what is in it"));
    };
    read_shown(context, &folder, seed)
}

/// Reads the contract in a folder. Errors name it as seen from the current folder.
pub fn read_shown(context: &Context, folder: &Path, seed: Seed) -> Result<Contract> {
    let shown = folder.strip_prefix(&context.cwd).unwrap_or(folder);
    let shown = match shown.as_os_str().is_empty() {
        true => Path::new("."),
        false => shown,
    };
    read(shown, &shipped(context), seed)
}
