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
    /// A report of KASAN, KFENCE, KMSAN, KCSAN or UBSAN.
    Sanitizer,
    /// The slab allocator found an object broken, or objects left in a cache.
    Slab,
    /// A report of lockdep, the lock checker.
    Lockdep,
    /// Memory that nothing refers to any more.
    Leak,
    /// An allocation failed for lack of memory.
    NoMemory,
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

impl ComplaintKind {
    /// Returns whether a kernel cannot be used any more after such a complaint: the task that
    /// was killed may hold locks, or half of a change was done.
    pub fn is_fatal(self) -> bool {
        use ComplaintKind as K;
        matches!(self, K::Panic | K::Oops | K::Bug)
    }
}

impl ReportKind {
    /// Returns whether such a report describes several processors.
    pub(crate) fn asks_all(self) -> bool {
        use ReportKind::*;
        matches!(self, Panic | Nmi | Stall | Lockup | HungTask)
    }

    /// Returns whether such a report consists of several parts with stacks of their own.
    pub(crate) fn has_parts(self) -> bool {
        use ReportKind::*;
        matches!(self, Sanitizer | Slab | Lockdep | Leak)
    }

    /// Returns whether a line that begins a report of the kind `next` says more about the same
    /// event, before the stack.
    pub(crate) fn continues_with(self, next: ReportKind) -> bool {
        use ReportKind::*;
        match next {
            Panic | Stack | Backtrace => true,
            // These kinds print what they found before they call BUG().
            Cut | Bug => matches!(self, Bug | RustPanic | Cut),
            Oops => matches!(self, Oops | Bug | RustPanic | Cut | Sanitizer),
            Warning | RustPanic => matches!(self, Cut | Warning),
            Sanitizer => matches!(self, Cut | Oops),
            // What KASAN found was described by the slab allocator in older kernels.
            Slab => matches!(self, Sanitizer | Cut),
            Task => matches!(self, HungTask | Stall | Sleep | Lockup),
            Sleep | Lockup | Stall => self == next || self == Cut,
            Nmi | HungTask | Leak | NoMemory => false,
            Lockdep => matches!(self, Cut | Lockdep),
        }
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
