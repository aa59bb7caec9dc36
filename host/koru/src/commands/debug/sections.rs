// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the addresses of a module's sections by what the kernel wrote into them.
//!
//! The kernel lists the addresses in /sys, but nobody can read them while the guest is
//! stopped. The kernel has applied the file's relocations, however: where one section is
//! known, each relocation in it leads to the address of another.

use std::collections::{BTreeMap, HashMap};

use koru_error::{Error, Kind, Result};
use object::{
    File, Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionFlags, SectionIndex, elf,
};

use super::x86;

/// The section that contains the kernel's `struct module`.
const MODULE: &str = ".gnu.linkonce.this_module";

/// A `.ko` file.
pub struct KoFile<'a> {
    file: File<'a>,
}

/// A loaded module.
pub struct Loaded {
    /// The address of the module's init.
    pub init: u64,
    /// The addresses of the sections, by name; `None` where the address could not be found.
    sections: BTreeMap<String, Option<u64>>,
}

impl Loaded {
    /// Returns a linker script that puts the file's sections, and what the debug info says
    /// about them, at the addresses where they are.
    ///
    /// A debugger could do that by itself. But functions that were not linked into the module
    /// begin at 0 in the debug info. Debuggers know that and skip such functions, unless a
    /// section really begins at 0, as all sections do in a file that is not linked yet.
    pub fn linker_script(&self) -> String {
        /// The distance from the init to an area without symbols, near enough for relocations.
        const NOWHERE: u64 = 512 << 20;
        let of =
            |(name, address): (&String, u64)| format!("  {name} {address:#x} : {{ *({name}) }}\n");
        let known = self.sections.iter();
        let known: String = known.filter_map(|(n, a)| Some(of((n, (*a)?)))).collect();
        let unknown = self.sections.iter().filter(|(_, a)| a.is_none());
        let unknown: String = unknown
            .zip(1..)
            .map(|((name, _), n)| of((name, self.init + NOWHERE + (n << 20))))
            .collect();
        // gdb has no use for this index, of which each crate has one.
        let left_out = "*(.debug_names) *(.comment) *(.note.*)";
        format!("SECTIONS {{\n{known}{unknown}  /DISCARD/ : {{ {left_out} }}\n}}\n")
    }
}

impl<'a> KoFile<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<KoFile<'a>> {
        match File::parse(bytes) {
            Ok(file) => Ok(KoFile { file }),
            Err(e) => Err(message(&format!("it is not an ELF file: {e}"))),
        }
    }

    /// Returns the addresses of the sections, given that `struct module` is at `module`.
    /// `read` reads the kernel's memory.
    pub fn loaded(
        &self,
        module: u64,
        mut read: impl FnMut(u64, usize) -> Result<Vec<u8>>,
    ) -> Result<Loaded> {
        let this = self.file.section_by_name(MODULE);
        let this = this.ok_or_else(|| message("it is not a kernel module"))?;
        let mut known = HashMap::from([(this.index(), module)]);
        let mut next = vec![this.index()];
        while let Some(index) = next.pop() {
            let Ok(section) = self.file.section_by_index(index) else {
                continue;
            };
            for (offset, relocation) in section.relocations() {
                let RelocationTarget::Symbol(symbol) = relocation.target() else {
                    continue;
                };
                let Ok(symbol) = self.file.symbol_by_index(symbol) else {
                    continue;
                };
                let Some(target) = symbol.section_index().filter(|i| self.is_loaded(*i)) else {
                    continue;
                };
                if known.contains_key(&target) {
                    continue;
                }
                let place = known[&index].wrapping_add(offset);
                let Some(value) = x86::relocation_target(relocation.flags(), place, &mut read)?
                else {
                    continue;
                };
                let address = value
                    .wrapping_sub(relocation.addend() as u64)
                    .wrapping_sub(symbol.address());
                known.insert(target, address);
                next.push(target);
            }
        }
        let init = self
            .file
            .symbol_by_name("init_module")
            .and_then(|s| Some((known.get(&s.section_index()?)?, s.address())))
            .map(|(section, offset)| section + offset)
            .ok_or_else(|| message("it has no init"))?;
        let sections = self
            .file
            .sections()
            .filter(|s| self.is_loaded(s.index()))
            .filter_map(|s| {
                let name = s.name().ok().filter(|n| !n.starts_with(".note"))?;
                Some((name.to_owned(), known.get(&s.index()).copied()))
            })
            .collect();
        Ok(Loaded { init, sections })
    }

    fn is_loaded(&self, index: SectionIndex) -> bool {
        let flags = self.file.section_by_index(index).map(|s| s.flags());
        matches!(flags, Ok(SectionFlags::Elf { sh_flags, .. }) if sh_flags.contains(elf::SHF_ALLOC))
    }
}

fn message(what: &str) -> Error {
    Error::new(Kind::Usage, "finding the module's sections", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_at_its_place() {
        let loaded = Loaded {
            init: 0xffff_ffff_c020_1000,
            sections: BTreeMap::from([
                (".text".into(), Some(0xffff_ffff_c020_1000)),
                (".modinfo".into(), None),
            ]),
        };
        assert_eq!(
            loaded.linker_script(),
            "SECTIONS {\n  .text 0xffffffffc0201000 : { *(.text) }\n  \
             .modinfo 0xffffffffe0301000 : { *(.modinfo) }\n  \
             /DISCARD/ : { *(.debug_names) *(.comment) *(.note.*) }\n}\n"
        );
    }
}
