// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parses places in kernel code as the kernel prints them: `symbol+0xoff/0xsize [module]`.

use crate::x86;

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
    /// assert!(Frame::of_stack("my_timer: read+0x1a/0x40 is no frame").is_none());
    /// ```
    pub fn of_stack(text: &str) -> Option<Frame> {
        let mut text = text.trim();
        // Lines of /proc/PID/stack begin with this.
        text = text.strip_prefix("[<0>] ").unwrap_or(text);
        let certain = match text.strip_prefix("? ") {
            Some(rest) => {
                text = rest;
                false
            }
            None => true,
        };
        let (mut frame, rest) = Frame::first(text)?;
        frame.certain = certain;
        // Newer kernels add how they found the frame: `(P)`.
        let rest = rest.trim();
        (rest.is_empty() || (rest.starts_with('(') && rest.ends_with(')'))).then_some(frame)
    }

    /// Parses `RIP: 0010:place`; returns `None` for user space's RIP.
    pub fn of_rip(text: &str) -> Option<Frame> {
        let (mut frame, _) = Frame::first(x86::kernel_place(text)?)?;
        frame.exact = true;
        Some(frame)
    }

    /// Parses the frame at the beginning of a text, and returns it with the text that follows.
    pub fn first(text: &str) -> Option<(Frame, &str)> {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (word, mut rest) = text.split_at(end);
        let (symbol, numbers) = word.rsplit_once("+0x")?;
        let (offset, mut size) = numbers.split_once("/0x")?;
        if let Some(number) = size.strip_suffix([',', ':', '.']) {
            rest = &text[end - 1..];
            size = number;
        }
        let hex = |t: &str| u64::from_str_radix(t, 16).ok();
        let (offset, size) = (hex(offset)?, hex(size)?);
        let (mut module, mut build_id) = (None, None);
        let bracket = rest.strip_prefix(" [").and_then(|t| t.split_once(']'));
        if let Some((inside, after)) = bracket {
            let mut words = inside.split(' ');
            module = words.next().filter(|m| !m.is_empty()).map(str::to_owned);
            build_id = words.next().map(str::to_owned);
            rest = after;
        }
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

    /// Returns the offset in the symbol of the instruction that is meant. A call returns to
    /// the instruction after it.
    pub fn instruction(&self) -> u64 {
        match self.exact {
            true => self.offset,
            false => self.offset.saturating_sub(1),
        }
    }
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
    fn where_the_processor_was() {
        let frame = Frame::of_rip("RIP: 0010:koru_bug+0x9/0x10 [m]").unwrap();
        assert!(frame.exact);
        assert_eq!(frame.instruction(), 9);
        assert_eq!(Frame::of_rip("RIP: 0033:0x7fcf3965180a"), None);
        assert_eq!(Frame::of_rip("RIP: 0010:0x0"), None);
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
