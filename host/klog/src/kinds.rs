// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kinds of complaints and reports.

/// What kind of thing the kernel complained of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ComplaintKind {
    /// `Kernel panic`.
    Panic,
    /// A fault in kernel code.
    Oops,
    /// `BUG()`, or a check that found memory or a list broken.
    Bug,
    /// `WARN_ON` and the like.
    Warning,
    /// A processor that makes no progress.
    Lockup,
    /// RCU waits for a processor that makes no progress.
    RcuStall,
    /// A task that waits for ever.
    HungTask,
    /// Sleeping where that is forbidden.
    AtomicSleep,
    /// The lock checker.
    Lockdep,
    /// KASAN, UBSAN, KFENCE, KCSAN, KMSAN.
    Sanitizer,
    /// A reference count over- or underflowed.
    Refcount,
    /// A leak.
    Leak,
    /// A module that is leaving has not dropped all that it registered, so that its
    /// code has to stay.
    StillRegistered,
    /// The module loader found the module itself wrong.
    Loader,
    /// The kernel is tainted by more than an out-of-tree, unsigned module.
    Taint,
}

/// What kind of report it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// `[ cut here ]`: the next line says it.
    #[serde(skip)]
    Cut,
    /// A panic of a module in Rust.
    RustPanic,
    /// A fault in kernel code.
    Oops,
    /// `BUG()`, or a check that found something broken.
    Bug,
    /// `WARN_ON` and the like.
    Warning,
    /// Something slept where that is forbidden.
    Sleep,
    /// The kernel's own panic.
    Panic,
    /// The answer to the NMI that asks where the processor is.
    Nmi,
    /// A processor that makes no progress.
    Lockup,
    /// RCU waits for a processor.
    Stall,
    /// A task that waits for ever.
    HungTask,
    /// What a task is doing, as asked for.
    Task,
    /// What a processor is doing, as asked for.
    Backtrace,
    /// A stack without a word.
    Stack,
}

impl ReportKind {
    /// Whether such a report tells of several processors.
    pub(crate) fn asks_all(self) -> bool {
        matches!(
            self,
            ReportKind::Panic | ReportKind::Nmi | ReportKind::Stall | ReportKind::Lockup
        )
    }

    /// How much it tells, if several lines say what it is.
    pub(crate) fn priority(self) -> u8 {
        match self {
            ReportKind::Cut => 0,
            ReportKind::Stack => 1,
            ReportKind::Backtrace => 2,
            ReportKind::RustPanic => 4,
            _ => 3,
        }
    }
}
