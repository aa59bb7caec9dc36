// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads which code a module consists of: where the kernel puts it, and from which lines it is.

use std::{collections::BTreeSet, fs, ops::Range, path::Path};

use object::{
    Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionFlags, elf,
    read::elf::{ElfFile64, SectionHeader},
};

use crate::symbols::{Location, Symbols};

/// The section that contains the kernel's `struct module`.
const MODULE: &str = ".gnu.linkonce.this_module";

/// Where the name of a module is in `struct module`, and its longest length with the zero byte.
const NAME: Range<usize> = 24..80;

/// The alignment of what follows the pointer to the init in `struct module`, which are the
/// addresses of the module's memory.
const CACHE_LINE: u64 = 64;

/// The sections of a module's code, as the kernel lays them out in memory.
pub struct CodeLayout {
    /// The offset of the pointer to the init in `struct module`.
    init_pointer: u64,
    /// The section of the init, and the offset in it.
    init: Option<(String, u64)>,
    /// The sections that stay, and those that are freed after the init: the name, the offset and
    /// the size of each.
    stays: Vec<(String, u64, u64)>,
    freed: Vec<(String, u64, u64)>,
}

/// Where the code of a loaded module is: the name and the addresses of each section.
pub type PlacedCode = Vec<(String, Range<u64>)>;

impl CodeLayout {
    /// Reads a `.ko`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no module.
    pub fn read(path: &Path) -> Result<CodeLayout, String> {
        let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        CodeLayout::of(&bytes).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Reads the content of a `.ko`.
    ///
    /// # Errors
    ///
    /// It is no module.
    pub fn of(bytes: &[u8]) -> Result<CodeLayout, String> {
        let file: ElfFile64<object::Endianness> =
            ElfFile64::parse(bytes).map_err(|e| e.to_string())?;
        let this = file.section_by_name(MODULE);
        let this = this.ok_or("it is not a kernel module")?;
        let init_symbol = file.symbol_by_name("init_module");
        let init_symbol = init_symbol.ok_or("it has no init")?;
        let refers_to_init = |target| match target {
            RelocationTarget::Symbol(index) => {
                let found = file.symbol_by_index(index);
                found.is_ok_and(|s| {
                    s.section_index() == init_symbol.section_index()
                        && s.address() == init_symbol.address()
                        && s.name() == init_symbol.name()
                })
            }
            _ => false,
        };
        let mut relocations = this.relocations();
        let init_pointer = relocations.find(|(_, r)| refers_to_init(r.target()));
        let init_section = init_symbol
            .section_index()
            .and_then(|index| file.section_by_index(index).ok())
            .and_then(|section| section.name().ok().map(str::to_owned));
        let mut layout = CodeLayout {
            init_pointer: init_pointer.ok_or("its init is not referred to")?.0,
            init: init_section.map(|name| (name, init_symbol.address())),
            stays: Vec::new(),
            freed: Vec::new(),
        };
        // The kernel puts one section behind the other, those of code first.
        let endian = file.endian();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                continue;
            };
            if !sh_flags.contains(elf::SHF_ALLOC) || !sh_flags.contains(elf::SHF_EXECINSTR) {
                continue;
            }
            let name = section.name().map_err(|e| e.to_string())?.to_owned();
            let part = match name.starts_with(".init") {
                true => &mut layout.freed,
                false => &mut layout.stays,
            };
            let end = part.last().map_or(0, |(_, at, size)| at + size);
            let align = section.elf_section_header().sh_addralign(endian).max(1);
            let too_far = || "a section is too large".to_owned();
            let at = end.checked_next_multiple_of(align).ok_or_else(too_far)?;
            at.checked_add(section.size()).ok_or_else(too_far)?;
            part.push((name, at, section.size()));
        }
        Ok(layout)
    }

    /// Returns where a module's code is, given the first bytes of its `struct module` before its
    /// init runs. `None` means that this is another module.
    pub fn placed(&self, module: &[u8]) -> Option<PlacedCode> {
        let word = |at: u64| -> Option<u64> {
            let at = usize::try_from(at).ok()?;
            let bytes = module.get(at..at.checked_add(8)?)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?))
        };
        let base = word((self.init_pointer + 1).next_multiple_of(CACHE_LINE))?;
        let init = word(self.init_pointer)?;
        let find = |sections: &[(String, u64, u64)]| {
            let (name, offset) = self.init.as_ref()?;
            let (_, at, _) = sections.iter().find(|(other, ..)| other == name)?;
            init.checked_sub(offset.checked_add(*at)?)
        };
        // An init that stays must be where the other code is.
        if find(&self.stays).is_some_and(|begin| begin != base) {
            return None;
        }
        let at = |base: u64, sections: &[(String, u64, u64)]| -> Option<PlacedCode> {
            let placed = sections.iter().map(|(name, at, size)| {
                let begin = base.checked_add(*at)?;
                Some((name.clone(), begin..begin.checked_add(*size)?))
            });
            placed.collect()
        };
        let mut placed = at(base, &self.stays)?;
        if let Some(base) = find(&self.freed) {
            placed.extend(at(base, &self.freed)?);
        }
        Some(placed)
    }
}

/// Returns the name of a module, given the first bytes of its `struct module`.
pub fn module_name(module: &[u8]) -> Option<String> {
    let name = module.get(NAME)?.split(|b| *b == 0).next()?;
    String::from_utf8(name.to_owned()).ok()
}

/// A piece of code that comes from one place of the source.
pub struct CodePiece {
    /// The section's name.
    pub section: String,
    /// The offsets in the section.
    pub range: Range<u64>,
    /// The place, and where the function there is inlined, the innermost one first.
    pub places: Vec<Location>,
}

impl Symbols {
    /// Returns all code of the module of which the debug info says where it comes from.
    pub fn code(&self) -> Vec<CodePiece> {
        let mut ranges = BTreeSet::new();
        let mut units = self.dwarf.units();
        // What is wrong in one unit's debug info does not hide the others'.
        while let Ok(Some(header)) = units.next() {
            if let Ok(unit) = self.dwarf.unit(header) {
                let _ = ranges_of(&unit, &mut ranges);
            }
        }
        let pieces = ranges.into_iter().filter_map(|(begin, end)| {
            let (name, begin, end) = self.within_section(begin, end)?;
            let places = self.at_section(&name, begin)?;
            Some(CodePiece {
                section: name,
                range: begin..end,
                places,
            })
        });
        pieces.collect()
    }
}

/// Adds the ranges of addresses of the lines of one unit.
fn ranges_of<R: gimli::Reader>(
    unit: &gimli::Unit<R>,
    ranges: &mut BTreeSet<(u64, u64)>,
) -> gimli::Result<()> {
    let Some(program) = unit.line_program.clone() else {
        return Ok(());
    };
    let mut rows = program.rows();
    let mut before: Option<u64> = None;
    while let Some((_, row)) = rows.next_row()? {
        if let Some(begin) = before.filter(|begin| *begin < row.address()) {
            ranges.insert((begin, row.address()));
        }
        // Several rows may be about the same address.
        before = (!row.end_sequence()).then(|| row.address());
    }
    Ok(())
}
