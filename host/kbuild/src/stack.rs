// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds functions whose stack frame is larger than the kernel allows.
//!
//! The compiler writes the size of each function's frame into a section of its own
//! (`-Zemit-stack-sizes`). That section is read before the last link, which leaves it out.

use std::{fmt, fs, path::Path};

use koru_decode::{Location, Symbols};
use koru_error::{Error, IoContext, Kind, Result};
use koru_klog::demangled;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SymbolKind};

use crate::{Module, paths::shortened};

/// The section that contains, for each function, its address and then its frame's size in
/// bytes, in LEB128.
pub(crate) const SECTION: &str = ".stack_sizes";

const ADDRESS: u64 = size_of::<u64>() as u64;

/// A function whose stack frame is larger than the kernel's `CONFIG_FRAME_WARN`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LargeFrame {
    /// The function, demangled.
    pub function: String,
    /// The size of the frame in bytes.
    pub bytes: u64,
    /// The size in bytes that the kernel's config allows.
    pub limit: u64,
    /// The first function of the module's own source that was inlined into this function,
    /// unless this function is from that source itself.
    pub inlined: Option<String>,
    /// The file of the inlined function or, without one, of this function.
    pub file: Option<String>,
    pub line: Option<u32>,
}

impl fmt::Display for LargeFrame {
    /// Formats the text that follows `warning: `, in rustc's form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LargeFrame {
            function,
            bytes,
            limit,
            ..
        } = self;
        write!(
            f,
            "the stack frame of `{function}` has {bytes} bytes, and this kernel's limit is {limit}"
        )?;
        if let (Some(file), Some(line)) = (&self.file, self.line) {
            write!(f, "\n  --> {}:{line}", shortened(file))?;
        }
        if let Some(inlined) = &self.inlined {
            write!(f, "\n  = note: `{inlined}` is inlined into it")?;
        }
        write!(
            f,
            "\n  = help: allocate large values, for example in a `KBox`; the limit is \
             the kernel's CONFIG_FRAME_WARN"
        )
    }
}

/// The frame size, in bytes, that functions of Koru's own crates and of `core` may have on
/// every kernel. The `kernel` crate formats messages on the stack, and the author of a module
/// cannot change that.
const OURS: u64 = 2048;

/// Returns the functions of `object` whose frames have more bytes than `limit`, the largest
/// first. `is_ours` returns whether a symbol is from Koru's own crates or `core`, for which
/// [`OURS`] applies.
pub(crate) fn large_frames(
    object: &Path,
    limit: u64,
    module: &Module,
    is_ours: impl Fn(&str) -> Result<bool>,
) -> Result<Vec<LargeFrame>> {
    let bytes = fs::read(object).path_context("reading", object)?;
    let file = object::File::parse(&*bytes).map_err(|e| {
        let attempted = format!("reading {}", object.display());
        Error::new(Kind::Link, attempted, e.to_string())
    })?;
    let sections = file.sections().filter(|s| s.name() == Ok(SECTION));
    let mut found = Vec::new();
    for (bytes, function) in sections.flat_map(|s| larger(&file, &s, limit)) {
        if bytes > OURS || !is_ours(&function.symbol)? {
            found.push((bytes, function));
        }
    }
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    // The debug info is read only when it is needed, which is rare.
    let symbols = (!found.is_empty()).then(|| Symbols::read(object).ok());
    let symbols = symbols.flatten();
    let described = found.into_iter().map(|(bytes, function)| {
        let inside = symbols.as_ref().and_then(|s| function.own(s, module));
        let place = inside.clone().or_else(|| {
            let places = symbols.as_ref()?.at(function.section, function.address);
            places.into_iter().next_back()
        });
        let name = demangled(&function.symbol);
        LargeFrame {
            inlined: inside.map(|i| i.function).filter(|i| *i != name),
            function: name,
            bytes,
            limit,
            line: place.as_ref().and_then(|p| p.line),
            file: place.and_then(|p| p.file),
        }
    });
    Ok(described.collect())
}

struct Function {
    symbol: String,
    section: usize,
    address: u64,
    size: u64,
}

impl Function {
    /// Returns the first place in this function that is in a function of the module's own
    /// source, and the outermost such function there.
    fn own(&self, symbols: &Symbols, module: &Module) -> Option<Location> {
        let is_own = |place: &Location| {
            // Names are `module::function` or `<module::Type as Trait>::method`. What a macro
            // or the compiler generates for a type has such a name, too, but is in another
            // file.
            let name = place.function.trim_start_matches('<');
            let path = name.strip_prefix(&module.name);
            path.is_some_and(|path| path.starts_with("::"))
                && (place.file.as_ref()).is_some_and(|f| Path::new(f).starts_with(&module.dir))
        };
        (self.address..self.address + self.size)
            .find_map(|at| symbols.at(self.section, at).into_iter().rfind(is_own))
    }
}

/// Returns the frames of a section that have more bytes than `limit`.
fn larger<'a>(
    file: &object::File<'a>,
    section: &object::Section<'a, '_>,
    limit: u64,
) -> Vec<(u64, Function)> {
    let data = section.data().unwrap_or_default();
    let size = |offset: u64| {
        let at = usize::try_from(offset + ADDRESS).ok()?;
        leb128(data.get(at..)?)
    };
    let large = section.relocations().filter_map(|(offset, relocation)| {
        let bytes = size(offset).filter(|bytes| *bytes > limit)?;
        Some((bytes, relocation))
    });
    large
        .filter_map(|(bytes, relocation)| {
            let RelocationTarget::Symbol(target) = relocation.target() else {
                return None;
            };
            let target = file.symbol_by_index(target).ok()?;
            Some((bytes, function(file, &target, relocation.addend())?))
        })
        .collect()
}

/// Returns the function that a relocation refers to, by the function's own symbol or its
/// section's.
fn function<'a>(
    file: &object::File<'a>,
    target: &object::Symbol<'a, '_>,
    addend: i64,
) -> Option<Function> {
    let section = target.section_index()?;
    let address = target.address().checked_add_signed(addend)?;
    let symbol = file.symbols().find(|s| {
        s.kind() == SymbolKind::Text
            && s.section_index() == Some(section)
            && s.address() == address
            && s.size() > 0
    })?;
    Some(Function {
        symbol: symbol.name().ok()?.to_owned(),
        section: section.0,
        address,
        size: symbol.size(),
    })
}

fn leb128(bytes: &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_several_bytes() {
        assert_eq!(leb128(&[0x08, 0xff]), Some(8));
        assert_eq!(leb128(&[0x88, 0x20]), Some(4104));
        assert_eq!(leb128(&[0x80]), None);
        assert_eq!(leb128(&[]), None);
    }

    #[test]
    fn in_words() {
        let frame = LargeFrame {
            function: "kernel::f".into(),
            bytes: 4104,
            limit: 2048,
            inlined: Some("m::fill".into()),
            file: Some("/m/src/lib.rs".into()),
            line: Some(7),
        };
        let text = frame.to_string();
        assert!(
            text.starts_with(
                "the stack frame of `kernel::f` has 4104 bytes, and this kernel's limit is 2048\n  \
                 --> /m/src/lib.rs:7\n  = note: `m::fill` is inlined into it\n  = help: "
            ),
            "{text}"
        );
    }
}
