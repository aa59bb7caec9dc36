// SPDX-License-Identifier: MIT OR Apache-2.0

//! Explains why a module could not be loaded, where the kernel's tree says more than its log.

use koru_error::Error;
use koru_kbuild::explain_symbol;
use koru_kernels::KernelTree;

/// The largest number of symbols that are explained.
const MOST: usize = 8;

/// Returns the error of a load. It says of symbols that the kernel did not find where they are.
pub fn load_error(error: koru_session::Error, tree: Option<&KernelTree>) -> Error {
    let symbols: Vec<String> = error
        .unknown_symbols()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut error = Error::from(error);
    if let Some(tree) = tree.filter(|_| !symbols.is_empty()) {
        let explained = symbols.iter().take(MOST).map(|s| explain_symbol(s, tree));
        error.help = Some(explained.collect::<Vec<_>>().join("\n"));
    }
    error
}
