// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the debug info of a module, which leads from a symbol and an offset to source lines.

use std::{
    collections::HashMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use gimli::{EndianArcSlice, LittleEndian};
use koru_klog::{Frame, demangled};
use object::{
    CompressionFormat, Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget,
    SectionKind,
};

use crate::layout::{Layout, Section};

pub(crate) type Reader = EndianArcSlice<LittleEndian>;

/// What is known about a module's code.
pub struct Symbols {
    /// The file that the symbols were read from.
    pub path: PathBuf,
    pub build_id: Option<String>,
    /// The release of the kernel that the module was built for.
    pub release: Option<String>,
    /// The symbols, sorted by address.
    symbols: Vec<Symbol>,
    lines: addr2line::Context<Reader>,
    pub(crate) dwarf: Arc<gimli::Dwarf<Reader>>,
    pub(crate) layout: Layout,
    /// The calls of other functions: where each one's address is in the code, and its name.
    calls: HashMap<u64, String>,
}

/// A symbol of the module. The sections of a module have no addresses yet, so each is given a
/// range of addresses here.
struct Symbol {
    name: String,
    address: u64,
    size: u64,
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The function's name, demangled.
    pub function: String,
    /// The file's name, as the compiler wrote it.
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// Whether this function was inlined into the next one.
    pub inlined: bool,
}

/// What was at an address of a module.
pub(crate) struct Found {
    /// The name of the variable, if it was one.
    pub variable: Option<String>,
    /// The function that was there, or to which the variable points.
    pub location: Option<Location>,
}

/// The reason why there is no debug info.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebugInfoError {
    /// The file cannot be read.
    Unreadable(String),
    /// The file has no debug info.
    None,
}

/// The size of the address range of one section.
const SECTION: u64 = 1 << 32;

impl Symbols {
    /// Reads a `.ko.debug`, or a `.ko` that has debug info.
    pub fn read(path: &Path) -> Result<Symbols, DebugInfoError> {
        let unreadable = |e: String| DebugInfoError::Unreadable(format!("{}: {e}", path.display()));
        let bytes = fs::read(path).map_err(|e| unreadable(e.to_string()))?;
        let file = object::File::parse(&*bytes).map_err(|e| unreadable(e.to_string()))?;
        if file.section_by_name(".debug_info").is_none() {
            return Err(DebugInfoError::None);
        }
        let base = |section: object::SectionIndex| section.0 as u64 * SECTION;
        let is_code = |section: object::SectionIndex| {
            file.section_by_index(section)
                .is_ok_and(|s| s.kind() == SectionKind::Text || is_executable(&s))
        };
        let mut symbols: Vec<Symbol> = file
            .symbols()
            .filter_map(|s| {
                let section = s.section_index().filter(|i| is_code(*i))?;
                let name = s.name().ok()?;
                // The kernel leaves such symbols out as well.
                (!name.is_empty() && !name.starts_with(".L")).then(|| Symbol {
                    name: name.to_owned(),
                    address: base(section) + s.address(),
                    size: s.size(),
                })
            })
            .collect();
        symbols.sort_by_key(|s| s.address);
        let section = |id: gimli::SectionId| -> Result<Reader, DebugInfoError> {
            let data = match file.section_by_name(id.name()) {
                Some(s) => relocated(&file, &s, &base).map_err(unreadable)?,
                None => Vec::new(),
            };
            Ok(EndianArcSlice::new(Arc::from(data), LittleEndian))
        };
        let dwarf = Arc::new(gimli::Dwarf::load(section)?);
        let lines = addr2line::Context::from_arc_dwarf(dwarf.clone());
        let lines = lines.map_err(|e| unreadable(e.to_string()))?;
        Ok(Symbols {
            path: path.to_owned(),
            release: release_of(&file).or_else(|| release_from_sibling_ko(path, &file)),
            build_id: build_id_of(&file),
            layout: Layout::of(&file, &is_code),
            calls: calls(&file, &base),
            dwarf,
            symbols,
            lines,
        })
    }

    /// Returns where a frame is in the source, the innermost function first. `None` means that
    /// this is not the debug info of the frame's module, as the size of the symbol shows.
    pub fn locate(&self, frame: &Frame) -> Option<Vec<Location>> {
        let at = self.find(frame)?;
        let mut found = self.frames(self.symbols[at].address + frame.instruction());
        if found.is_empty() {
            found.push(Location {
                function: demangled(&frame.symbol),
                file: None,
                line: None,
                column: None,
                inlined: false,
            });
        }
        Some(found)
    }

    /// Returns the function that is called by the call that returns to a frame.
    pub fn callee(&self, frame: &Frame) -> Option<String> {
        let at = self.symbols[self.find(frame)?].address + frame.offset;
        // The address of a call's function is at its end, on x86.
        self.calls
            .get(&at.checked_sub(4)?)
            .map(|name| demangled(name))
    }

    /// Returns what is at an offset into a section, the innermost function first. The result
    /// is empty if the debug info does not say.
    pub fn at(&self, section: usize, offset: u64) -> Vec<Location> {
        self.frames(section as u64 * SECTION + offset)
    }

    /// Returns what is at an offset into the section of this name, or `None` if there is none.
    pub(crate) fn at_section(&self, name: &str, offset: u64) -> Option<Vec<Location>> {
        let section = self.layout.sections.iter().find(|s| s.name == name)?;
        Some(self.at(section.index, offset))
    }

    /// Returns the section that contains this range of the addresses that sections have here, and
    /// the offsets in the section. Functions that were not linked into the module are in none.
    pub(crate) fn within_section(&self, begin: u64, end: u64) -> Option<(String, u64, u64)> {
        let index = usize::try_from(begin / SECTION).ok()?;
        let section = self.layout.sections.iter().find(|s| s.index == index)?;
        let base = index as u64 * SECTION;
        let (begin, end) = (begin - base, end.checked_sub(base)?);
        (index > 0 && end <= section.size).then(|| (section.name.clone(), begin, end))
    }

    /// Returns what is at an offset into the function with this symbol, the innermost function
    /// first. The result is empty if the debug info does not say.
    pub fn in_symbol(&self, name: &str, offset: u64) -> Vec<Location> {
        let is_it = |s: &&Symbol| s.name == name && offset < s.size;
        let found = self.symbols.iter().find(is_it);
        found.map_or(Vec::new(), |s| self.frames(s.address + offset))
    }

    /// Returns what was at an address while the module's sections were at these addresses.
    pub(crate) fn what_was_at(&self, loaded: &[(String, u64)], address: u64) -> Option<Found> {
        let (section, offset) = self.section_at(loaded, address)?;
        let is_code = section.name.contains(".text");
        let variable = self.layout.variable(section.index, offset);
        let code = match variable {
            _ if is_code => Some((section.index, offset)),
            Some((_, points_to)) => points_to,
            None => None,
        };
        Some(Found {
            variable: variable
                .filter(|_| !is_code)
                .map(|(name, _)| name.to_owned()),
            // The outermost function is the one that has an address.
            location: code.and_then(|(section, offset)| self.at(section, offset).pop()),
        })
    }

    /// Returns the function that contains an address, as `FUNCTION+0x1/0x2`, while the module's
    /// sections were at these addresses.
    pub(crate) fn symbol_at(&self, loaded: &[(String, u64)], address: u64) -> Option<String> {
        let (section, offset) = self.section_at(loaded, address)?;
        let at = section.index as u64 * SECTION + offset;
        let after = self.symbols.partition_point(|s| s.address <= at);
        let symbol = self.symbols[..after].last()?;
        let offset = at - symbol.address;
        let is_inside = offset < symbol.size;
        is_inside.then(|| format!("{}+{offset:#x}/{:#x}", symbol.name, symbol.size))
    }

    /// Returns the section that contained an address, and the offset in it.
    fn section_at(&self, loaded: &[(String, u64)], address: u64) -> Option<(&Section, u64)> {
        loaded.iter().find_map(|(name, begin)| {
            let section = self.layout.sections.iter().find(|s| s.name == *name)?;
            let offset = address.checked_sub(*begin)?;
            (offset < section.size).then_some((section, offset))
        })
    }

    fn frames(&self, address: u64) -> Vec<Location> {
        let mut found = Vec::new();
        let frames = self.lines.find_frames(address).skip_all_loads();
        if let Ok(mut frames) = frames {
            while let Ok(Some(f)) = frames.next() {
                let function = f
                    .function
                    .as_ref()
                    .and_then(|n| Some(n.raw_name().ok()?.into_owned()));
                let location = f.location.as_ref();
                found.push(Location {
                    function: demangled(function.as_deref().unwrap_or_else(|| self.name(address))),
                    file: location.and_then(|l| l.file).map(file_name),
                    line: location.and_then(|l| l.line).filter(|l| *l > 0),
                    column: location.and_then(|l| l.column).filter(|c| *c > 0),
                    inlined: true,
                });
            }
        }
        if let Some(outermost) = found.last_mut() {
            outermost.inlined = false;
        }
        found
    }

    /// Returns the symbol that contains an address.
    fn name(&self, address: u64) -> &str {
        let after = self.symbols.partition_point(|s| s.address <= address);
        let before = self.symbols[..after].last();
        before.map_or("?", |s| s.name.as_str())
    }

    /// Returns the symbol of a frame, with the frame's name and size. The kernel counts the
    /// size up to the next symbol, or to the end of the section's memory.
    fn find(&self, frame: &Frame) -> Option<usize> {
        self.symbols
            .iter()
            .enumerate()
            .position(|(i, s)| {
                if s.name != frame.symbol {
                    return false;
                }
                let next = self.symbols[i..].iter().find(|n| n.address > s.address);
                match next.filter(|n| n.address / SECTION == s.address / SECTION) {
                    Some(next) => next.address - s.address == frame.size || s.size == frame.size,
                    None => s.size <= frame.size,
                }
            })
            .filter(|_| frame.offset <= frame.size)
    }
}

/// Returns the build-id of an ELF file, in hexadecimal digits.
pub fn build_id(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    build_id_of(&object::File::parse(&*bytes).ok()?)
}

fn build_id_of(file: &object::File) -> Option<String> {
    let id = file.build_id().ok()??;
    Some(id.iter().map(|b| format!("{b:02x}")).collect())
}

/// Returns the first word of a module's vermagic.
fn release_of(file: &object::File) -> Option<String> {
    let info = file.section_by_name(".modinfo")?;
    let entries = info.data().ok()?.split(|b| *b == 0);
    let mut values = entries.filter_map(|e| e.strip_prefix(b"vermagic="));
    let vermagic = String::from_utf8_lossy(values.next()?).into_owned();
    vermagic.split(' ').next().map(str::to_owned)
}

/// Returns the release from the `.ko` next to a `.ko.debug`, whose own `.modinfo` is empty.
fn release_from_sibling_ko(path: &Path, debug: &object::File) -> Option<String> {
    let ko = fs::read(path.to_str()?.strip_suffix(".debug")?).ok()?;
    let ko = object::File::parse(&*ko).ok()?;
    let id = build_id_of(&ko)?;
    release_of(&ko).filter(|_| build_id_of(debug) == Some(id))
}

/// Returns whether a section contains code. In a file with nothing but debug info, code
/// sections have no content, only flags.
fn is_executable<'a>(section: &impl ObjectSection<'a>) -> bool {
    match section.flags() {
        object::SectionFlags::Elf { sh_flags, .. } => sh_flags.contains(object::elf::SHF_EXECINSTR),
        _ => false,
    }
}

/// Returns the relocations of the code for functions that have a name.
fn calls(file: &object::File, base: &dyn Fn(object::SectionIndex) -> u64) -> HashMap<u64, String> {
    let code = file.sections().filter(is_executable);
    let calls = code.flat_map(|section| {
        let begin = base(section.index());
        section
            .relocations()
            .filter_map(move |(offset, relocation)| {
                let RelocationTarget::Symbol(symbol) = relocation.target() else {
                    return None;
                };
                let name = file.symbol_by_index(symbol).ok()?.name().ok()?.to_owned();
                (!name.is_empty()).then_some((begin + offset, name))
            })
    });
    calls.collect()
}

/// Returns a section's content with its relocations applied, because a module is not linked
/// yet.
fn relocated<'a>(
    file: &object::File<'a>,
    section: &impl ObjectSection<'a>,
    base: &dyn Fn(object::SectionIndex) -> u64,
) -> Result<Vec<u8>, String> {
    let mut data = content(section)?;
    for (offset, relocation) in section.relocations() {
        if relocation.kind() != RelocationKind::Absolute {
            continue;
        }
        let RelocationTarget::Symbol(symbol) = relocation.target() else {
            continue;
        };
        let symbol = file.symbol_by_index(symbol).map_err(|e| e.to_string())?;
        let code = symbol
            .section_index()
            .filter(|i| file.section_by_index(*i).is_ok_and(|s| is_executable(&s)));
        let value = code
            .map_or(0, base)
            .wrapping_add(symbol.address())
            .wrapping_add_signed(relocation.addend());
        let length = usize::from(relocation.size() / 8);
        let at = usize::try_from(offset)
            .ok()
            .and_then(|at| data.get_mut(at..at.checked_add(length)?));
        if let Some(place) = at.filter(|_| length <= 8) {
            place.copy_from_slice(&value.to_le_bytes()[..length]);
        }
    }
    Ok(data)
}

fn content<'a>(section: &impl ObjectSection<'a>) -> Result<Vec<u8>, String> {
    let compressed = section.compressed_data().map_err(|e| e.to_string())?;
    let mut data = Vec::new();
    let read = match compressed.format {
        CompressionFormat::None => return Ok(compressed.data.to_vec()),
        CompressionFormat::Zlib => {
            flate2::read::ZlibDecoder::new(compressed.data).read_to_end(&mut data)
        }
        CompressionFormat::Zstandard => ruzstd::decoding::StreamingDecoder::new(compressed.data)
            .map_err(|e| e.to_string())?
            .read_to_end(&mut data),
        other => return Err(format!("unknown compression ({other:?})")),
    };
    read.map(|_| data).map_err(|e| e.to_string())
}

/// Returns the name of a file. LLVM writes that of a unit's first file twice:
/// `src/lib.rs/@/hello.4105631faab15619-cgu.0`.
fn file_name(file: &str) -> String {
    file.split_once("/@/")
        .map_or(file, |(file, _)| file)
        .to_owned()
}
