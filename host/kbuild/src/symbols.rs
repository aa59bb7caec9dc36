// SPDX-License-Identifier: MIT OR Apache-2.0

//! The symbols of objects and modules.

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::Path,
};

use koru_error::{Error, IoContext, Kind, Result};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SymbolKind};

fn with<T>(object: &Path, f: impl FnOnce(&object::File<'_>) -> T) -> Result<T> {
    let bytes = fs::read(object).path_context("reading", object)?;
    let file = object::File::parse(&*bytes).map_err(|e| {
        let attempted = format!("reading {}", object.display());
        Error::new(Kind::Link, attempted, e.to_string())
    })?;
    Ok(f(&file))
}

/// Returns whether an object defines a symbol.
pub(crate) fn defines(object: &Path, symbol: &str) -> Result<bool> {
    with(object, |file| {
        let mut symbols = file.symbols();
        symbols.any(|s| s.is_definition() && s.name() == Ok(symbol))
    })
}

/// Returns the names, one a line, of symbols that no relocation needs and that a module is better
/// without: those of other objects, which the linker keeps although it dropped what used them, and
/// those of local data. (objcopy would make the former global again, so that modpost misses them.)
pub(crate) fn unneeded(object: &Path) -> Result<String> {
    with(object, |file| {
        let relocations = file
            .sections()
            .flat_map(|s| s.relocations().collect::<Vec<_>>());
        let used: HashSet<_> = relocations
            .filter_map(|(_, relocation)| match relocation.target() {
                RelocationTarget::Symbol(index) => file.symbol_by_index(index).ok()?.name().ok(),
                _ => None,
            })
            .collect();
        let unneeded = file.symbols().filter(|s| match s.kind() {
            SymbolKind::Text | SymbolKind::Section | SymbolKind::File => false,
            _ => s.is_undefined() || s.is_local(),
        });
        let names = unneeded.filter_map(|s| s.name().ok());
        let names = names.filter(|name| !name.is_empty() && !used.contains(name));
        names.map(|name| format!("{name}\n")).collect()
    })
}

/// Returns the symbols that a module uses and that others have, in alphabetical order.
pub fn imported_symbols(ko: &Path) -> Result<Vec<String>> {
    with(ko, |file| {
        let undefined = file.symbols().filter(|s| s.is_undefined());
        let names = undefined.filter_map(|s| s.name().ok().map(str::to_owned));
        let names: BTreeSet<String> = names.filter(|name| !name.is_empty()).collect();
        names.into_iter().collect()
    })
}
