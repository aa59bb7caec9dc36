// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a built module uses of the kernel and of other modules.

use std::{fs, path::Path};

use koru_error::{Error, IoContext, Kind, Result};
use object::{File, Object, ObjectSymbol};

/// Returns the symbols that a module uses and that others have, in alphabetical order.
pub fn imported_symbols(ko: &Path) -> Result<Vec<String>> {
    let bytes = fs::read(ko).path_context("reading", ko)?;
    let file = File::parse(&*bytes).map_err(|e| {
        let attempted = format!("reading {}", ko.display());
        Error::new(Kind::System, attempted, e.to_string())
    })?;
    let undefined = file.symbols().filter(|s| s.is_undefined());
    let mut names: Vec<String> = undefined
        .filter_map(|s| s.name().ok().map(str::to_owned))
        .filter(|name| !name.is_empty())
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}
