// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kinds of complaints and reports.

/// The kind of a complaint.
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
    /// A report of lockdep, the lock checker.
    Lockdep,
    /// A report of KASAN, UBSAN, KFENCE, KCSAN or KMSAN.
    Sanitizer,
    /// A reference count over- or underflowed.
    Refcount,
    /// A memory leak.
    Leak,
    /// A module that is being removed has not dropped everything that it registered, so its
    /// code has to stay.
    StillRegistered,
    /// The module loader found something wrong with the module itself.
    Loader,
    /// The kernel is tainted by more than an out-of-tree, unsigned module.
    Taint,
}

/// The kind of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// `[ cut here ]`: the next line says what is wrong.
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
    /// A panic of the kernel.
    Panic,
    /// The response to an NMI that asks where the processor is.
    Nmi,
    /// A processor that makes no progress.
    Lockup,
    /// RCU waits for a processor.
    Stall,
    /// A task that waits for ever.
    HungTask,
    /// What a task is doing, printed on request.
    Task,
    /// What a processor is doing, printed on request.
    Backtrace,
    /// A stack without a message.
    Stack,
}

impl ReportKind {
    /// Returns whether such a report describes several processors.
    pub(crate) fn asks_all(self) -> bool {
        matches!(
            self,
            ReportKind::Panic | ReportKind::Nmi | ReportKind::Stall | ReportKind::Lockup
        )
    }

    /// Returns how specific the kind is, which decides if several lines name a kind.
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
