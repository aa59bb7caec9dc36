// SPDX-License-Identifier: MIT OR Apache-2.0

//! Refuses a module whose code may sleep where the kernel must not.
//!
//! Types cannot express that: `Mutex::lock` takes no token, here as upstream. But the linker
//! has all of a module's Rust code, with one section for each function and constant, and every
//! use of one by another is a relocation. So each handler that runs in atomic context is
//! followed through its calls, and through the tables and pointers that its code names, to the
//! C interface layer, whose header says for each function which context it needs.
//!
//! A call through a pointer may lead to any function whose address is somewhere in the
//! handler's data, so such a call is refused, except for those of [`POINTER_CALLS`].

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fs,
    path::Path,
};

use iced_x86::{Decoder, DecoderOptions, Mnemonic, OpKind};
use koru_decode::{Location, Symbols};
use koru_error::{Error, IoContext, Kind, Result};
use koru_klog::demangled;
use object::{
    Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SectionKind, SymbolKind,
};

use crate::{paths::shortened, shim_header::Context};

/// Functions that the kernel calls in a context that restricts what they may do. The `kernel`
/// crate puts them into a section of their own by `#[link_section]`.
struct Handlers {
    section: &'static str,
    /// The phrase by which an error names such a function.
    what: &'static str,
    allowed: &'static [Context],
    /// What is wrong with a function that is not allowed, although it does not sleep.
    locks: &'static str,
    help: &'static str,
}

const HANDLERS: [Handlers; 3] = [
    Handlers {
        section: ".text.koru_hrtimer",
        what: "a timer's callback",
        allowed: &[Context::Any, Context::Raw, Context::Atomic],
        locks: "which takes locks that the interrupted code may hold",
        help: "a timer's callback runs in an interrupt: let it wake a thread or queue work, which \
               may sleep",
    },
    // Other timers run their callbacks in a thread on a real-time kernel.
    Handlers {
        section: ".text.koru_hrtimer_hard",
        what: "the callback of a timer in a hard mode",
        allowed: &[Context::Any, Context::Raw],
        locks: "which takes locks that sleep on a real-time kernel",
        help: "use a mode without `Hard`, or only atomics in the callback",
    },
    Handlers {
        section: ".text.koru_kprobe",
        what: "a kprobe's handler",
        // The code that the probed function interrupts may hold the lock that an atomic function
        // takes, and the context may be that of an NMI.
        allowed: &[Context::Any],
        locks: "which takes locks that the probed code may hold",
        help: "use atomics in a handler, or one of `kernel::kprobe`'s ready-made ones, and leave \
           the rest to a thread",
    },
];

/// The kernel's functions that the compiler calls. None of them sleeps or takes a lock.
const KERNEL: [&str; 8] = [
    "__x86_return_thunk",
    "bcmp",
    "memcmp",
    "memcpy",
    "memmove",
    "memset",
    "strlen",
    "__fentry__",
];

/// The functions whose calls through pointers cannot lead to unknown code: those of core's
/// formatting that print texts and numbers. They call
///
/// - the formatting function of an argument. `fmt::Arguments` contains its address and is
///   neither `Send` nor `Sync`, so no handler's data contains one, and safe code creates it by
///   `format_args!` alone: some function on the path names that address;
/// - the methods of the `dyn fmt::Write` that is written to. Only a lock hands out a `&mut` to
///   one that is in shared data. A handler that takes no lock created the writer itself, so
///   the handler's code names the table of methods.
///
/// `debug_struct` and its like are not in the list: they take a `&dyn Debug`, which may come
/// from the handler's data.
const POINTER_CALLS: [&str; 14] = [
    "core::fmt::write",
    "core::fmt::rt::Argument::fmt",
    "core::fmt::Formatter::pad",
    "core::fmt::Formatter::pad_formatted_parts",
    "core::fmt::Formatter::pad_integral",
    "core::fmt::Formatter::pad_integral::write_prefix",
    "core::fmt::Formatter::padding",
    "core::fmt::Formatter::write_fmt",
    "core::fmt::Formatter::write_formatted_parts",
    "core::fmt::Formatter::write_str",
    "<core::fmt::Formatter as core::fmt::Write>::write_char",
    "<core::fmt::Formatter as core::fmt::Write>::write_fmt",
    "<core::fmt::Formatter as core::fmt::Write>::write_str",
    "core::fmt::PostPadding::write",
];

/// Checks a module's Rust code. `object` must have every function in a section of its own.
pub(crate) fn check(name: &str, object: &Path, contexts: &BTreeMap<String, Context>) -> Result<()> {
    let bytes = fs::read(object).path_context("reading", object)?;
    let unreadable = |e: object::Error| {
        let attempted = format!("reading {}", object.display());
        Error::new(Kind::Link, attempted, e.to_string())
    };
    let file = object::File::parse(&*bytes).map_err(unreadable)?;
    let mut graph = Graph::new(&file, object, contexts);
    for handlers in &HANDLERS {
        let Some(section) = file.section_by_name(handlers.section) else {
            continue;
        };
        let mut refused = Vec::new();
        for root in graph.functions(section.index()) {
            refused.extend(graph.follow(root, handlers).map_err(unreadable)?);
        }
        if let Some(first) = refused.first() {
            let mut help = handlers.help.to_owned();
            if refused.iter().any(|r| r.message == THROUGH_A_POINTER) {
                help = format!("{THROUGH_NO_POINTER}\n{help}");
            }
            let paths: Vec<&str> = refused.iter().map(|r| r.path.as_str()).collect();
            return Err(Error::new(
                Kind::Link,
                format!("linking {name}"),
                format!("{} {}", handlers.what, first.message),
            )
            .help(help)
            .output(paths.join("\n")));
        }
    }
    Ok(())
}

const THROUGH_A_POINTER: &str = "calls through a pointer, whose target is not known at link time";
const THROUGH_NO_POINTER: &str = "take a type parameter instead of a `dyn Trait` or a function \
     pointer, and print the fields of a struct one by one instead of by `{:?}`";

/// The reason why a handler is refused.
struct Refused {
    /// The message, which follows the handler's name.
    message: String,
    /// The path from the handler to what it must not do, with a line for each function.
    path: String,
}

/// A piece of code or data: a section or, in a section of handlers, a single handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Node {
    section: SectionIndex,
    start: u64,
    end: u64,
}

/// The place in a node where another node is used.
#[derive(Debug, Clone, Copy)]
struct Use {
    by: Node,
    offset: u64,
}

struct Graph<'a> {
    file: &'a object::File<'a>,
    path: &'a Path,
    contexts: &'a BTreeMap<String, Context>,
    /// The debug info, which is read when it is first needed: most modules never need it.
    lines: Option<Option<Symbols>>,
}

impl<'a> Graph<'a> {
    fn new(
        file: &'a object::File<'a>,
        path: &'a Path,
        contexts: &'a BTreeMap<String, Context>,
    ) -> Self {
        Graph {
            file,
            path,
            contexts,
            lines: None,
        }
    }

    /// Returns the functions of a section, each as a node.
    fn functions(&self, section: SectionIndex) -> Vec<Node> {
        self.file
            .symbols()
            .filter(|s| s.section_index() == Some(section) && s.kind() == SymbolKind::Text)
            .map(|s| Node {
                section,
                start: s.address(),
                end: s.address() + s.size(),
            })
            .collect()
    }

    /// Searches for the shortest path from `root` to a function that sleeps or, if there is none,
    /// to something else that is not allowed.
    fn follow(&mut self, root: Node, handlers: &Handlers) -> object::Result<Option<Refused>> {
        let mut other = None;
        let mut from: HashMap<Node, Option<Use>> = HashMap::from([(root, None)]);
        let mut waiting = VecDeque::from([root]);
        while let Some(node) = waiting.pop_front() {
            let section = self.file.section_by_index(node.section)?;
            let is_code = section.kind() == SectionKind::Text;
            let mut pointer_calls = if is_code {
                calls_through_pointers(section.data()?, node)
            } else {
                Vec::new()
            };
            for (offset, relocation) in section.relocations() {
                if !(node.start..node.end).contains(&offset) {
                    continue;
                }
                let here = Use { by: node, offset };
                let RelocationTarget::Symbol(symbol) = relocation.target() else {
                    let message = "refers to what has no name";
                    other.get_or_insert_with(|| self.refuse(&from, here, message));
                    continue;
                };
                let symbol = self.file.symbol_by_index(symbol)?;
                if let Some(section) = symbol.section_index() {
                    let size = self.file.section_by_index(section)?.size();
                    let target = Node {
                        section,
                        start: 0,
                        end: size,
                    };
                    from.entry(target).or_insert_with(|| {
                        waiting.push_back(target);
                        Some(here)
                    });
                    continue;
                }
                let target = symbol.name()?;
                if target.starts_with("__x86_indirect_") {
                    pointer_calls.push(offset);
                } else if let Some(message) = self.misuse(target, handlers) {
                    if self.may_sleep(target) {
                        return Ok(Some(self.refuse(&from, here, &message)));
                    }
                    other.get_or_insert_with(|| self.refuse(&from, here, &message));
                }
            }
            for offset in pointer_calls {
                let here = Use { by: node, offset };
                if other.is_none() && !self.leads_nowhere_unseen(here) {
                    other = Some(self.refuse(&from, here, THROUGH_A_POINTER));
                }
            }
        }
        Ok(other)
    }

    fn may_sleep(&self, target: &str) -> bool {
        let context = self.contexts.get(target);
        matches!(context, Some(Context::Sleeps | Context::Process))
    }

    /// Returns what is wrong with a call of a function that is not part of the module's Rust
    /// code.
    fn misuse(&self, target: &str, handlers: &Handlers) -> Option<String> {
        // KASAN's checks of memory accesses print something only if there is a bug; KCOV only writes
        // into memory.
        let of_checks = ["__asan_", "__sanitizer_cov_"];
        if KERNEL.contains(&target) || of_checks.iter().any(|start| target.starts_with(start)) {
            return None;
        }
        let why = match self.contexts.get(target) {
            Some(context) if handlers.allowed.contains(context) => return None,
            Some(_) if self.may_sleep(target) => "which may sleep",
            Some(_) => handlers.locks,
            None => "which is not marked as allowed there",
        };
        Some(format!("reaches `{target}`, {why}"))
    }

    /// Returns whether the call is in one of [`POINTER_CALLS`]. The code of those may have
    /// been inlined into another function; the debug info shows that.
    fn leads_nowhere_unseen(&mut self, call: Use) -> bool {
        let innermost = self.places(call).into_iter().next();
        innermost.is_some_and(|place| POINTER_CALLS.contains(&place.function.as_str()))
    }

    /// Returns the functions that a place is in, the innermost first, according to the debug
    /// info.
    fn places(&mut self, place: Use) -> Vec<Location> {
        let path = self.path;
        let lines = self
            .lines
            .get_or_insert_with(|| Symbols::read(path).ok())
            .as_ref();
        lines.map_or_else(Vec::new, |l| l.at(place.by.section.0, place.offset))
    }

    fn refuse(&mut self, from: &HashMap<Node, Option<Use>>, last: Use, message: &str) -> Refused {
        let mut uses = vec![last];
        while let Some(Some(before)) = from.get(&uses[uses.len() - 1].by) {
            uses.push(*before);
        }
        let mut path = String::new();
        for place in uses.into_iter().rev() {
            let places = self.places(place);
            if places.is_empty() {
                // A table of functions has no line, and need not be mentioned.
                path.extend(self.name(place.by).map(|name| format!("  in {name}\n")));
            }
            for place in places.into_iter().rev() {
                match (&place.file, place.line) {
                    // Nobody needs to know through which functions core drops a value.
                    (Some(file), _) if file.contains("/library/core/src/") => {}
                    (Some(file), Some(line)) => {
                        let file = shortened(file);
                        path += &format!("  at {file}:{line}, in {}\n", place.function);
                    }
                    _ => path += &format!("  in {}\n", place.function),
                }
            }
        }
        path += &format!("  {message}\n");
        Refused {
            message: message.to_owned(),
            path,
        }
    }

    /// Returns the name of the function that a node is.
    fn name(&self, node: Node) -> Option<String> {
        let mut symbols = self.file.symbols();
        let symbol = symbols.find(|s| {
            s.section_index() == Some(node.section)
                && s.kind() == SymbolKind::Text
                && (node.start..node.end).contains(&s.address())
        })?;
        symbol.name().ok().map(demangled)
    }
}

/// Returns the offsets of calls and jumps whose target is not in the instruction. (With
/// retpolines the target is in a register, and the call goes to a thunk that relocations
/// name.) Bytes that are no instruction count as such a call.
fn calls_through_pointers(code: &[u8], node: Node) -> Vec<u64> {
    let bounds = usize::try_from(node.start)
        .ok()
        .zip(usize::try_from(node.end).ok());
    let code = bounds
        .and_then(|(start, end)| code.get(start..end))
        .unwrap_or_default();
    let decoder = Decoder::with_ip(64, code, node.start, DecoderOptions::NONE);
    decoder
        .into_iter()
        .filter(|i| match i.mnemonic() {
            Mnemonic::Call | Mnemonic::Jmp => i.op0_kind() != OpKind::NearBranch64,
            mnemonic => mnemonic == Mnemonic::INVALID,
        })
        .map(|i| i.ip())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_without_a_thunk() {
        #[rustfmt::skip]
        let code = [
            0xf3, 0x0f, 0x1e, 0xfa,                   //  0: endbr64
            0xff, 0xd0,                               //  4: call rax
            0xe8, 0, 0, 0, 0,                         //  6: call 11
            0xff, 0x50, 0x18,                         // 11: call [rax + 24]
            0x48, 0xff, 0xc0,                         // 14: inc rax
            0x75, 0xfb,                               // 17: jne 14
            0x41, 0xff, 0x14, 0x24,                   // 19: call [r12]
            0xeb, 0,                                  // 23: jmp 25
            0x0f, 0x0b,                               // 25: ud2
            0xff, 0x25, 0, 0, 0, 0,                   // 27: jmp [rip]
            0xff, 0xe2,                               // 33: jmp rdx
            0xc3,                                     // 35: ret
            0xff, 0xd0,                               // 36: call rax, of the next function
        ];
        let node = Node {
            section: SectionIndex(1),
            start: 4,
            end: 36,
        };
        assert_eq!(calls_through_pointers(&code, node), [4, 11, 19, 27, 33]);
    }

    #[test]
    fn what_is_no_code() {
        let node = Node {
            section: SectionIndex(1),
            start: 0,
            end: 2,
        };
        assert_eq!(calls_through_pointers(&[0x90, 0x06], node), [1]);
        // Nothing beyond the end is read.
        assert_eq!(calls_through_pointers(&[0x90], node), [0; 0]);
    }
}
