// SPDX-License-Identifier: MIT OR Apache-2.0

//! Says what the `kernel` crate has in place of what rustc does not find in a module.

use std::collections::BTreeSet;

use cargo_metadata::diagnostic::{Diagnostic, DiagnosticLevel};

/// Paths of `std` and `alloc`, the longest first, and what a module uses instead.
const PATHS: &[(&str, &str)] = &[
    ("std::collections", MAPS),
    ("alloc::collections", MAPS),
    (
        "std::sync::Mutex",
        "`kernel::sync::Mutex` is a lock, which `new_mutex!` makes in its place: \
         `KBox::pin_init(new_mutex!(0), GFP_KERNEL)?`",
    ),
    ("std::sync::Arc", ARC),
    ("alloc::sync", ARC),
    ("std::rc", ARC),
    ("alloc::rc", ARC),
    (
        "std::sync::atomic",
        "`core::sync::atomic` has the atomic types",
    ),
    ("std::thread::sleep", SLEEP),
    ("std::thread", THREAD),
    (
        "std::time",
        "`kernel::time` has `Instant::<Monotonic>::now()` and `Delta::from_millis(10)`",
    ),
    ("std::string", STRING),
    ("alloc::string", STRING),
    ("std::vec", VEC),
    ("alloc::vec", VEC),
    ("std::boxed", BOX),
    ("alloc::boxed", BOX),
    (
        "std::process",
        "a module is no process: return an error, as in `return Err(EINVAL)`",
    ),
    (
        "std::fs",
        "a module has no files of its own: it gives files to users, in `kernel::proc_fs` or \
         `kernel::miscdevice`",
    ),
    (
        "std::io",
        "a module has no standard input and output: `pr_info!` writes to the kernel log, and \
         `kernel::proc_fs` makes files",
    ),
    (
        "std::env",
        "a module has no arguments: its parameters are in `module! { params: { .. } }`",
    ),
];

/// Names that a module finds nowhere, and what it uses instead.
const NAMES: &[(&[&str], &str)] = &[
    (
        &["println", "print"],
        "`pr_info!(\"..\\n\")` writes to the kernel log",
    ),
    (
        &["eprintln", "eprint"],
        "`pr_err!(\"..\\n\")` writes to the kernel log",
    ),
    (&["vec"], "`kernel::kvec![1, 2]?` makes a `KVec`"),
    (
        &["format"],
        "`pr_info!` and the like format what they print; `CString::try_from_fmt(fmt!(\"{n}\"))?` \
         of `kernel::str` makes a text",
    ),
    (&["String", "ToString"], STRING),
    (
        &[
            "HashMap",
            "HashSet",
            "BTreeMap",
            "BTreeSet",
            "VecDeque",
            "BinaryHeap",
        ],
        MAPS,
    ),
    (&["Rc", "Arc"], ARC),
    (
        &["Mutex", "RwLock"],
        "`kernel::sync::Mutex` is a lock, which `new_mutex!` makes in its place: \
         `KBox::pin_init(new_mutex!(0), GFP_KERNEL)?`",
    ),
    (&["thread"], THREAD),
    (
        &["Instant", "Duration"],
        "`kernel::time` has `Instant::<Monotonic>::now()` and `Delta::from_millis(10)`",
    ),
    (&["Vec"], VEC),
    (&["Box"], BOX),
];

/// Methods that only `std` and `alloc` have.
const METHODS: &[(&[&str], &str)] = &[
    (&["to_string"], STRING),
    (
        &["to_owned", "to_vec"],
        "a copy is a `KVec`: `v.extend_from_slice(slice, GFP_KERNEL)?`",
    ),
    (
        &[
            "sqrt", "sin", "cos", "tan", "exp", "ln", "log10", "log2", "powf", "powi", "floor",
            "ceil", "round", "trunc",
        ],
        "the kernel saves no FPU state for modules: use integers, such as fixed point",
    ),
];

const MAPS: &str = "the `kernel` crate has no maps: a `KVec` can be searched, and \
                    `kernel::list::List` is a linked list";
const ARC: &str = "`kernel::sync::Arc` counts references: `Arc::new(value, GFP_KERNEL)?`";
const THREAD: &str = "`kernel::kthread::KThread::spawn(c\"name\", |thread| { .. })?` starts a \
                      kernel thread, which is stopped when the value is dropped";
const SLEEP: &str = "`kernel::time::delay::fsleep(Delta::from_millis(10))` sleeps, and a kernel \
                     thread sleeps by `thread.sleep(Delta::from_millis(10))`";
const STRING: &str = "`CString::try_from_fmt(fmt!(\"{n}\"))?` of `kernel::str` makes a text; a \
                      constant one is a `&str` or a `&CStr`: `c\"text\"`";
const VEC: &str = "`KVec` is the vector: `let mut v = KVec::new(); v.push(1, GFP_KERNEL)?;`";
const BOX: &str = "`KBox` is the box: `KBox::new(value, GFP_KERNEL)?`";

/// Returns what to write instead of what an error is about.
pub(crate) fn hint(diagnostic: &Diagnostic) -> Option<&'static str> {
    if diagnostic.level != DiagnosticLevel::Error {
        return None;
    }
    let message = &diagnostic.message;
    let name = message.split('`').nth(1).unwrap_or_default();
    let place = diagnostic.spans.iter().find(|s| s.is_primary);
    // What is marked, with the rest of the line.
    let text = place.and_then(|s| {
        let line = s.text.first()?;
        let rest = line.text.chars().skip(line.highlight_start - 1);
        Some(rest.collect::<String>())
    });
    let text = text.unwrap_or_default();
    let of = |table: &'static [(&'static [&'static str], &'static str)]| {
        let row = table.iter().find(|(names, _)| names.contains(&name))?;
        Some(row.1)
    };
    let is_missing = [
        "cannot find",
        "failed to resolve",
        "unresolved import",
        "can't find crate",
    ];
    if is_missing.iter().any(|m| message.contains(m)) {
        if !matches!(name, "std" | "alloc") {
            return of(NAMES);
        }
        let row = PATHS.iter().find(|(path, _)| text.starts_with(path));
        return Some(row.map_or(NO_STD, |row| row.1));
    }
    if message.starts_with("no method named") {
        return of(METHODS);
    }
    let is_short = diagnostic.code.as_ref().is_some_and(|c| c.code == "E0061");
    let labels = diagnostic.spans.iter().filter_map(|s| s.label.as_deref());
    let misses = |what: &str| labels.clone().any(|label| label.contains(what));
    if is_short && misses("type `Flags` is missing") {
        return Some(
            "memory is allocated with flags, and may be short: `KBox::new(value, GFP_KERNEL)?`, \
             `v.push(value, GFP_KERNEL)?`",
        );
    }
    if is_short && misses("LockClassKey") {
        return Some(
            "`new_mutex!`, `new_spinlock!` and the like of `kernel` make locks in their place: \
             `KBox::pin_init(new_mutex!(0), GFP_KERNEL)?`",
        );
    }
    None
}

const NO_STD: &str = "a module has no `std` and no `alloc`: `core` has what needs neither memory \
                      nor an operating system, such as `core::fmt` and `core::mem`, and `kernel` \
                      has the rest";

/// Hints that have been given.
#[derive(Default)]
pub(crate) struct Hints(BTreeSet<&'static str>);

impl Hints {
    /// Returns the hint for an error, unless it was given before.
    pub fn once(&mut self, diagnostic: &Diagnostic) -> Option<&'static str> {
        hint(diagnostic).filter(|hint| self.0.insert(hint))
    }
}

/// Returns which of `std` and `alloc` a crate needs, if this error is about that.
pub(crate) fn missing_library(diagnostic: &Diagnostic) -> Option<&'static str> {
    let message = &diagnostic.message;
    let is_about = [
        "can't find crate",
        "cannot find",
        "unresolved import",
        "failed to resolve",
    ];
    let name = message.split('`').nth(1)?;
    let is_missing = diagnostic.level == DiagnosticLevel::Error
        && is_about.iter().any(|start| message.contains(start));
    ["std", "alloc"]
        .into_iter()
        .find(|library| is_missing && name == *library)
}
