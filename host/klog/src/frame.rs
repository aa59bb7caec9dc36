// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parses places in kernel code as the kernel prints them: `symbol+0xoff/0xsize [module]`.

use crate::demangled;

/// A place in kernel code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The symbol's mangled name.
    pub symbol: String,
    /// The number of bytes from the beginning of the symbol.
    pub offset: u64,
    /// The size of the symbol, which the kernel counts up to the next symbol.
    pub size: u64,
    /// The module that the place is in; `None` means the kernel itself.
    pub module: Option<String>,
    /// The module's build-id, if this kernel prints it.
    pub build_id: Option<String>,
    /// Whether the kernel is certain: false for what it found on the stack without knowing why
    /// (`? `).
    pub certain: bool,
    /// Whether the processor was exactly there. Otherwise the place is where a call returns
    /// to.
    pub exact: bool,
}

impl Frame {
    /// Parses a line of a stack, which must contain nothing else.
    ///
    /// ```
    /// use koru_klog::Frame;
    /// let frame = Frame::of_stack(" ? read+0x1a/0x40 [my_timer]").unwrap();
    /// assert_eq!((frame.offset, frame.module.as_deref()), (0x1a, Some("my_timer")));
    /// assert!(!frame.certain && !frame.exact);
    /// assert!(Frame::of_stack(" [<ffffffffa0a42101>] read+0x1a/0x40 [my_timer]").is_some());
    /// assert!(Frame::of_stack("my_timer: read+0x1a/0x40 is no frame").is_none());
    /// ```
    pub fn of_stack(text: &str) -> Option<Frame> {
        let text = after_marker(text.trim());
        let (place, certain) = skip_addresses(text);
        if let Some(caller) = caller_of_arm(place) {
            return Some(Frame::first(caller)?.0);
        }
        let Some((frame, rest)) = Frame::first(place) else {
            let frame = resolved(place).or_else(|| inlined(place))?;
            return Some(Frame { certain, ..frame });
        };
        is_end_of_frame(rest.trim()).then_some(Frame { certain, ..frame })
    }

    /// Parses the place at which a processor was, behind its address or a bracket.
    pub(crate) fn of_pointer(text: &str) -> Option<Frame> {
        let place = skip_addresses(text).0;
        let frame = Frame::first(place).map(|(frame, _)| frame);
        let frame = frame.or_else(|| resolved(place))?;
        Some(Frame {
            exact: true,
            ..frame
        })
    }

    /// Parses the frame at the beginning of a text, behind its address or a bracket, and
    /// returns it with the text that follows.
    pub(crate) fn behind_address(text: &str) -> Option<(Frame, &str)> {
        Frame::first(skip_addresses(text).0)
    }

    /// Parses the frame at the beginning of a text, and returns it with the text that follows.
    pub fn first(text: &str) -> Option<(Frame, &str)> {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (symbol, numbers) = text[..end].rsplit_once("+0x")?;
        let (offset, size) = numbers.split_once("/0x")?;
        let digits = size.find(|c: char| !c.is_ascii_hexdigit());
        let (size, after) = size.split_at(digits.unwrap_or(size.len()));
        // What follows the size in the same word can only be punctuation.
        if !after.is_empty() && !after.starts_with([',', ':', '.', ')', '(']) {
            return None;
        }
        let rest = &text[end - after.len()..];
        // A tool may have put the line of the source before the module.
        let behind_source = rest
            .strip_prefix(" (")
            .and_then(|t| t.rsplit_once(") ["))
            .filter(|(source, _)| is_line_of_source(source));
        let mut rest = match behind_source {
            Some((_, module)) => &rest[rest.len() - module.len() - 2..],
            None => rest,
        };
        let hex = |t: &str| u64::from_str_radix(t, 16).ok();
        let (offset, size) = (hex(offset)?, hex(size)?);
        let (mut module, mut build_id) = (None, None);
        let bracket = rest.strip_prefix(" [").and_then(|t| t.split_once(']'));
        if let Some((inside, after)) = bracket.filter(|(inside, _)| *inside != "inline") {
            let mut words = inside.split(' ');
            module = words.next().filter(|m| !m.is_empty()).map(str::to_owned);
            build_id = words.next().map(str::to_owned);
            rest = after;
        }
        // The first ABI of 64-bit PowerPC has names with a dot.
        let symbol = symbol.strip_prefix('.').unwrap_or(symbol);
        (!symbol.is_empty()).then(|| {
            let frame = Frame {
                symbol: symbol.into(),
                offset,
                size,
                module,
                build_id,
                certain: true,
                exact: false,
            };
            (frame, rest)
        })
    }

    /// Returns the function and its module, as in `read [my_timer]`.
    pub(crate) fn place(&self) -> String {
        let function = demangled(&self.symbol);
        match &self.module {
            Some(module) => format!("{function} [{module}]"),
            None => function,
        }
    }

    /// Returns whether another frame is the same place.
    pub(crate) fn is_at(&self, other: &Frame) -> bool {
        (&self.symbol, self.offset) == (&other.symbol, other.offset)
    }

    /// Returns the offset in the symbol of the instruction that is meant. A call returns to
    /// the instruction after it.
    pub fn instruction(&self) -> u64 {
        match self.exact {
            true => self.offset,
            false => self.offset.saturating_sub(1),
        }
    }
}

/// Skips the marker that older kernels put before the first frame of another stack: `<EOI>`.
fn after_marker(text: &str) -> &str {
    let marker = text.strip_prefix('<').and_then(|t| t.split_once("> "));
    let is_name = |t: &str| {
        t.bytes()
            .all(|b| b.is_ascii_uppercase() || b"<>#".contains(&b))
    };
    match marker {
        Some((name, rest)) if is_name(name) => rest.trim_start(),
        _ => text,
    }
}

/// Skips what stands before the name of a function: addresses as in `[<ffffffff81234567>]`,
/// `[c000000000123456]` and `[<0>]`, a bracket, and the mark `?`. Returns the rest, and whether
/// there was no such mark.
fn skip_addresses(text: &str) -> (&str, bool) {
    let (mut rest, mut certain) = (text, true);
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("? ") {
            (rest, certain) = (after, false);
            continue;
        }
        // The debugger of PowerPC puts no brackets around the second address.
        let word = rest.split_once(' ').filter(|_| rest.len() < text.len());
        if let Some((_, after)) = word.filter(|(w, _)| is_long_address(w)) {
            rest = after;
            continue;
        }
        let address = rest.strip_prefix('[').and_then(|t| t.split_once(']'));
        let is_address = |t: &str| {
            let digits = t.trim_start_matches('<').trim_end_matches('>');
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())
        };
        rest = match address {
            Some((inside, after)) if is_address(inside) => after,
            _ => match rest.strip_prefix('(') {
                Some(after) => after,
                None => return (rest, certain),
            },
        };
    }
}

fn is_long_address(word: &str) -> bool {
    [8, 16].contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Returns the caller in a line of a stack of arm: `function from caller+0x1/0x2`, or
/// `(function) from [<c0008a4c>] (caller+0x1/0x2)`.
fn caller_of_arm(text: &str) -> Option<&str> {
    let (function, caller) = text.split_once(" from ")?;
    let name = function.split(" [").next()?.trim_end_matches(')');
    (!name.contains([' ', '+', ':'])).then(|| skip_addresses(caller).0)
}

/// Returns whether nothing but remarks follows a frame: how the kernel found it (`(P)`), who
/// called it (on arm), or the line that a tool has added.
fn is_end_of_frame(rest: &str) -> bool {
    let after = rest.trim_start_matches(')').trim_start();
    after.is_empty()
        || (after.starts_with('(') && after.ends_with(')'))
        || after.starts_with("from [<")
        || is_line_of_source(after)
}

/// Returns whether a text is a place in a source, as tools add it: `mm/slub.c:52 [inline]`, or
/// `mm/slub.c:52 (discriminator 1) mm/slab.h:7` with the places that it was inlined into.
fn is_line_of_source(text: &str) -> bool {
    let is_line = |word: &str| {
        word.rsplit_once(':').is_some_and(|(file, line)| {
            let digits = !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit());
            let ends = [".c", ".h", ".S", ".rs"];
            (digits || line == "?") && ends.iter().any(|end| file.ends_with(end))
        })
    };
    let is_remark = |word: &str| {
        let number = word.trim_end_matches(')');
        word == "[inline]" || word == "(discriminator" || number.bytes().all(|b| b.is_ascii_digit())
    };
    let mut words = text.split_whitespace();
    words.next().is_some_and(is_line) && words.all(|w| is_line(w) || is_remark(w))
}

/// Parses a frame of which a tool has replaced the offset by the line of the source:
/// `f (mm/slub.c:52)`, with the module behind it, in brackets or without.
fn resolved(text: &str) -> Option<Frame> {
    let (symbol, rest) = text.split_once(" (")?;
    let (source, module) = rest.rsplit_once(')')?;
    let is_name = |t: &str| {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        !t.is_empty() && t.bytes().all(is_part)
    };
    let module = module.trim().trim_matches(['[', ']']);
    let fits = is_name(symbol) && is_line_of_source(source);
    (fits && (module.is_empty() || is_name(module))).then(|| Frame {
        symbol: symbol.into(),
        offset: 0,
        size: 0,
        module: (!module.is_empty()).then(|| module.to_owned()),
        build_id: None,
        certain: true,
        exact: false,
    })
}

/// Parses the frame of an inlined function, which a tool has added: `f mm/slub.c:52 [inline]`.
fn inlined(text: &str) -> Option<Frame> {
    let (name, place) = text.split_once(' ')?;
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (is_name && place.ends_with("[inline]") && is_line_of_source(place)).then(|| Frame {
        symbol: name.into(),
        offset: 0,
        size: 0,
        module: None,
        build_id: None,
        certain: true,
        exact: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let rust = "_RNvMs_Cs5A6xvgFVS0T_14kt_fault_panicNtB4_6Panics4take";
        let frame = Frame::of_stack(&format!("  {rust}+0x17/0x20 [kt_fault_panic]")).unwrap();
        assert_eq!(frame.symbol, rust);
        assert_eq!((frame.offset, frame.size), (0x17, 0x20));
        assert_eq!(frame.instruction(), 0x16);
        let frame = Frame::of_stack(" do_one_initcall+0x5b/0x320").unwrap();
        assert_eq!(frame.module, None);
        let frame = Frame::of_stack(" f.isra.0+0x5b/0x320 [m 9bbc7799474647f4]").unwrap();
        assert_eq!(frame.build_id.as_deref(), Some("9bbc7799474647f4"));
        assert!(Frame::of_stack("[<0>] do_wait+0x5b/0x320").is_some());
        assert!(Frame::of_stack(" do_wait+0x5b/0x320 (P)").is_some());
    }

    #[test]
    fn frames_of_old_kernels_and_other_architectures() {
        for line in [
            " [<ffffffffa0a42101>] f+0x10/0x20 [m]",
            " [<ffffffffa0a42101>] ? f+0x10/0x20 [m]",
            " <EOI>  [<ffffffffa0a42101>] f+0x10/0x20 [m]",
            "[<bf000010>] (f+0x10/0x20 [m]) from [<c0008a4c>] (do_one_initcall+0x3c/0x170)",
            " lab_open from f+0x10/0x20 [m]",
            "[<bf000010>] (lab_open [m]) from [<bf000064>] (f+0x10/0x20 [m])",
            "[c00000007a5b7b90] [c00000000012f4d0] .f+0x10/0x20 [m] (unreliable)",
            "([<000003ff801e6072>] f+0x10/0x20 [m])",
            " f+0x10/0x20 [m] drivers/m/main.c:52",
            " f+0x10/0x20 [m] (P)",
            " f+0x10/0x20 (drivers/m/main.c:52) [m]",
            "[c00000007a5b7b90] c00000000012f4d0 f+0x10/0x20 [m]",
        ] {
            let frame = Frame::of_stack(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((&*frame.symbol, frame.offset), ("f", 0x10), "{line}");
            assert_eq!(frame.module.as_deref(), Some("m"), "{line}");
            assert_eq!(frame.certain, !line.contains('?'), "{line}");
        }
        let frame = Frame::of_stack(" slab_free mm/slub.c:52 [inline]").unwrap();
        assert_eq!((&*frame.symbol, frame.offset), ("slab_free", 0));
        assert!(Frame::of_stack(" f+0x10/0x20()").is_some());
    }

    #[test]
    fn frames_with_lines_of_the_source() {
        for line in [
            " lab_open (drivers/m/main.c:52) m",
            " lab_open (drivers/m/main.c:52 (discriminator 3)) [m]",
            " ? lab_open (./include/linux/m.h:7 drivers/m/main.c:52) m",
        ] {
            let frame = Frame::of_stack(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(frame.symbol, "lab_open", "{line}");
            assert_eq!(frame.module.as_deref(), Some("m"), "{line}");
            assert_eq!(frame.certain, !line.contains('?'), "{line}");
        }
        let frame = Frame::of_stack("dump_stack_lvl (lib/dump_stack.c:107)").unwrap();
        assert_eq!((&*frame.symbol, frame.module), ("dump_stack_lvl", None));
        for line in [
            "m: open (main.c:52)",
            "open (main.c)",
            "open (see main.c:52)",
            "open (main.c:52) failed: no",
        ] {
            assert_eq!(Frame::of_stack(line), None, "{line}");
        }
    }

    #[test]
    fn other_lines() {
        for text in [
            " <TASK>",
            "",
            "a+b",
            "x+0x1",
            "x+0x1/0x2 is here",
            "+0x1/0x2",
            "1 x+0x1/0x2",
        ] {
            assert_eq!(Frame::of_stack(text), None, "{text}");
        }
    }
}
