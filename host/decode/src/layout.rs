// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads what a module's sections contain: its variables, and the functions to which these point.

use object::{Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget, SymbolKind};

/// A module's sections and their addresses while it was loaded.
#[derive(Debug, Clone)]
pub struct LoadedModule {
    pub name: String,
    pub sections: Vec<(String, u64)>,
}

/// A section of a module.
pub(crate) struct Section {
    pub name: String,
    pub index: usize,
    pub size: u64,
}

/// A variable of a module.
struct Variable {
    name: String,
    section: usize,
    offset: u64,
    size: u64,
}

/// A pointer to a function in a module's data.
struct Pointer {
    section: usize,
    offset: u64,
    /// The section and the offset of the function.
    to: (usize, u64),
}

/// The sections of a module, and what its data consists of.
pub(crate) struct Layout {
    pub sections: Vec<Section>,
    variables: Vec<Variable>,
    pointers: Vec<Pointer>,
}

impl Layout {
    pub fn of(file: &object::File, is_code: &dyn Fn(object::SectionIndex) -> bool) -> Layout {
        let sections = file.sections().filter_map(|s| {
            Some(Section {
                name: s.name().ok()?.to_owned(),
                index: s.index().0,
                size: s.size(),
            })
        });
        let variables = file.symbols().filter_map(|s| {
            (s.kind() == SymbolKind::Data).then_some(())?;
            Some(Variable {
                name: s.name().ok()?.to_owned(),
                section: s.section_index()?.0,
                offset: s.address(),
                size: s.size(),
            })
        });
        let data = file.sections().filter(|s| {
            let name = s.name().unwrap_or_default();
            name.starts_with(".data") || name.starts_with(".rodata")
        });
        let pointers = data.flat_map(|section| {
            let from = section.index().0;
            section
                .relocations()
                .filter_map(move |(offset, relocation)| {
                    let RelocationTarget::Symbol(symbol) = relocation.target() else {
                        return None;
                    };
                    let symbol = file.symbol_by_index(symbol).ok()?;
                    let to = symbol.section_index()?;
                    let addend = u64::try_from(relocation.addend()).ok()?;
                    let points = relocation.kind() == RelocationKind::Absolute && is_code(to);
                    points.then(|| Pointer {
                        section: from,
                        offset,
                        to: (to.0, symbol.address() + addend),
                    })
                })
        });
        Layout {
            variables: variables.collect(),
            pointers: pointers.collect(),
            sections: sections.collect(),
        }
    }

    /// Returns the function to which a pointer in a variable points, given the offset of the
    /// variable in its section and that of the pointer in the variable.
    pub fn function(&self, variable: &str, offset: u64, member: u64) -> Option<(usize, u64)> {
        let is_it = |v: &&Variable| v.name == variable && v.offset == offset;
        self.variables.iter().filter(is_it).find_map(|variable| {
            let is_member =
                |p: &&Pointer| p.section == variable.section && p.offset == offset + member;
            Some(self.pointers.iter().find(is_member)?.to)
        })
    }

    /// Returns the variable at an offset into a section, and the first function to which it
    /// points.
    pub fn variable(&self, section: usize, offset: u64) -> Option<(&str, Option<(usize, u64)>)> {
        let contains = |v: &&Variable| {
            v.section == section && (v.offset..v.offset + v.size.max(1)).contains(&offset)
        };
        let variable = self.variables.iter().find(contains)?;
        let range = variable.offset..variable.offset + variable.size;
        let mut pointers = self.pointers.iter();
        let pointer = pointers.find(|p| p.section == section && range.contains(&p.offset));
        Some((&variable.name, pointer.map(|p| p.to)))
    }
}
