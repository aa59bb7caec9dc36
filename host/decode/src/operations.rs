// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the functions that a module gives the kernel for the operations of its files.

use gimli::{AttributeValue, DW_AT_data_member_location, DW_AT_location, DW_AT_name, DW_AT_type};
use gimli::{DW_TAG_const_type, DW_TAG_member, DW_TAG_structure_type, DW_TAG_variable};

use crate::{
    Decoder, Symbols,
    symbols::{Location, Reader},
};

type Unit<'a> = gimli::UnitRef<'a, Reader>;

impl Decoder {
    /// Returns the only function of a module that is an operation of this name in a structure
    /// of this kind, as `x_read (x.c:12)`. There is none if the module has several.
    pub fn operation(&self, module: &str, structure: &str, members: &[&str]) -> Option<String> {
        let loaded = self.loaded.get(module);
        // Other modules of this name may have been built. The best file is the first.
        let location = self.with_symbols(module, |symbols| {
            if loaded.is_some() && loaded != symbols.build_id.as_ref() {
                return None;
            }
            let mut found = symbols.operations(structure, members).into_iter();
            let first = found.next();
            Some(first.filter(|first| found.all(|other| other == *first)))
        })??;
        let place = self.place(location);
        let at = place.at()?;
        // Glue that all modules share says nothing about this one.
        place.own.then(|| format!("{} ({at})", place.function))
    }
}

impl Symbols {
    /// Returns the functions in all variables of a kind of structure, by the names of members.
    fn operations(&self, structure: &str, members: &[&str]) -> Vec<Location> {
        let mut found = Vec::new();
        let mut headers = self.dwarf.units();
        while let Ok(Some(header)) = headers.next() {
            let Ok(unit) = self.dwarf.unit(header) else {
                continue;
            };
            let unit = unit.unit_ref(&self.dwarf);
            let mut entries = unit.entries();
            while let Ok(Some((_, entry))) = entries.next_dfs() {
                if entry.tag() != DW_TAG_variable {
                    continue;
                }
                let functions = self.functions(unit, entry, structure, members);
                found.extend(functions.unwrap_or_default());
            }
        }
        found
    }

    /// Returns the functions in the members of a variable, if it is of this kind of structure.
    fn functions(
        &self,
        unit: Unit,
        variable: &gimli::DebuggingInformationEntry<Reader>,
        structure: &str,
        members: &[&str],
    ) -> Option<Vec<Location>> {
        let name = name(unit, variable)?;
        let offset = address(unit, variable)?;
        let kind = variable.attr_value(DW_AT_type).ok()??;
        let offsets = member_offsets(unit, kind, structure, members)?;
        let functions = offsets.into_iter().filter_map(|member| {
            let (section, offset) = self.layout.function(&name, offset, member)?;
            self.at(section, offset).pop()
        });
        Some(functions.collect())
    }
}

/// Returns the offsets of members in a type, if that is a structure of this name.
fn member_offsets(
    unit: Unit,
    mut kind: AttributeValue<Reader>,
    structure: &str,
    members: &[&str],
) -> Option<Vec<u64>> {
    loop {
        let AttributeValue::UnitRef(at) = kind else {
            return None;
        };
        let mut tree = unit.entries_tree(Some(at)).ok()?;
        let root = tree.root().ok()?;
        let entry = root.entry();
        if entry.tag() == DW_TAG_const_type {
            kind = entry.attr_value(DW_AT_type).ok()??;
            continue;
        }
        if entry.tag() != DW_TAG_structure_type || name(unit, entry)? != structure {
            return None;
        }
        let (mut offsets, mut children) = (Vec::new(), root.children());
        while let Ok(Some(child)) = children.next() {
            let entry = child.entry();
            let is_asked = |name: String| members.contains(&name.as_str());
            if entry.tag() != DW_TAG_member || !name(unit, entry).is_some_and(is_asked) {
                continue;
            }
            let offset = entry.attr_value(DW_AT_data_member_location).ok()??;
            offsets.push(offset.udata_value()?);
        }
        return Some(offsets);
    }
}

fn name(unit: Unit, entry: &gimli::DebuggingInformationEntry<Reader>) -> Option<String> {
    let name = entry.attr_value(DW_AT_name).ok()??;
    let name = unit.attr_string(name).ok()?;
    Some(gimli::Reader::to_string_lossy(&name).ok()?.into_owned())
}

/// Returns the address of a variable, which is an offset in its section.
fn address(unit: Unit, entry: &gimli::DebuggingInformationEntry<Reader>) -> Option<u64> {
    let AttributeValue::Exprloc(expression) = entry.attr_value(DW_AT_location).ok()?? else {
        return None;
    };
    match expression.operations(unit.encoding()).next().ok()?? {
        gimli::Operation::Address { address } => Some(address),
        gimli::Operation::AddressIndex { index } => unit.address(index).ok(),
        _ => None,
    }
}
