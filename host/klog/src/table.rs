// SPDX-License-Identifier: MIT OR Apache-2.0

//! The one table of what kernels print when something is wrong.

use crate::{ComplaintKind, ReportKind};

/// What a line looks like, the complaint that it is, and the report that it begins.
struct Row {
    text: Text,
    complaint: Option<ComplaintKind>,
    report: Option<ReportKind>,
}

/// How a line is recognised.
///
/// Most rows match the beginning of the line: a module's own message may well contain
/// "WARNING: " later on, and the kernel reports faults of user space in the same words.
enum Text {
    /// The line begins with this.
    Begin(&'static str),
    /// The line begins with the first text, and contains the second one behind it.
    BeginAnd(&'static str, &'static str),
    /// The line contains this.
    Within(&'static str),
}

impl Text {
    fn fits(&self, line: &str) -> bool {
        match *self {
            Text::Begin(begin) => line.starts_with(begin),
            Text::BeginAnd(begin, behind) => {
                let rest = line.strip_prefix(begin);
                rest.is_some_and(|rest| rest.contains(behind))
            }
            Text::Within(text) => line.contains(text),
        }
    }
}

/// Returns the kind of complaint that a line is, if it is one.
pub(crate) fn complaint_kind(line: &str) -> Option<ComplaintKind> {
    let rows = TABLE.iter().filter(|row| row.complaint.is_some());
    rows.into_iter()
        .find(|row| row.text.fits(line))
        .and_then(|row| row.complaint)
}

/// Returns the kind of report that a line begins, if it begins one.
pub(crate) fn report_kind(line: &str) -> Option<ReportKind> {
    let rows = TABLE.iter().filter(|row| row.report.is_some());
    rows.into_iter()
        .find(|row| row.text.fits(line))
        .and_then(|row| row.report)
}

const fn row(text: Text, complaint: Option<ComplaintKind>, report: Option<ReportKind>) -> Row {
    Row {
        text,
        complaint,
        report,
    }
}

/// The table. In each column the first row that matches counts, so special rows come first.
const TABLE: &[Row] = {
    use ComplaintKind as C;
    use ReportKind as R;
    use Text::{Begin, BeginAnd, Within};
    &[
        row(
            Begin("------------[ cut here ]"),
            Some(C::Warning),
            Some(R::Cut),
        ),
        row(
            Begin("Kernel panic - not syncing"),
            Some(C::Panic),
            Some(R::Panic),
        ),
        // Sanitizers.
        row(Begin("BUG: KASAN:"), Some(C::Sanitizer), Some(R::Bug)),
        row(Begin("BUG: KFENCE:"), Some(C::Sanitizer), Some(R::Bug)),
        row(Begin("BUG: KCSAN:"), Some(C::Sanitizer), Some(R::Bug)),
        row(Begin("BUG: KMSAN:"), Some(C::Sanitizer), Some(R::Bug)),
        row(Begin("UBSAN:"), Some(C::Sanitizer), Some(R::Warning)),
        row(Begin("refcount_t: "), Some(C::Refcount), Some(R::Warning)),
        row(Within("new suspected memory leaks"), Some(C::Leak), None),
        // Sleeping in atomic context.
        row(
            Begin("BUG: scheduling while atomic"),
            Some(C::AtomicSleep),
            Some(R::Sleep),
        ),
        row(
            Begin("BUG: sleeping function called"),
            Some(C::AtomicSleep),
            Some(R::Sleep),
        ),
        row(
            Begin("bad: scheduling from the idle thread"),
            Some(C::AtomicSleep),
            Some(R::Sleep),
        ),
        row(
            Begin("Voluntary context switch within RCU"),
            Some(C::AtomicSleep),
            Some(R::Sleep),
        ),
        // Lockups, stalls, hung tasks.
        row(Begin("BUG: soft lockup"), Some(C::Lockup), Some(R::Lockup)),
        row(
            Begin("watchdog: BUG: soft lockup"),
            Some(C::Lockup),
            Some(R::Lockup),
        ),
        row(
            Begin("watchdog: Watchdog detected hard"),
            Some(C::Lockup),
            Some(R::Lockup),
        ),
        row(
            Begin("NMI watchdog: Watchdog detected hard"),
            Some(C::Lockup),
            Some(R::Lockup),
        ),
        row(Begin("NMI watchdog: "), None, Some(R::Lockup)),
        row(
            Begin("BUG: workqueue lockup"),
            Some(C::Lockup),
            Some(R::Lockup),
        ),
        row(Within("self-detected stall"), Some(C::RcuStall), None),
        row(Within("detected stalls on CPUs"), Some(C::RcuStall), None),
        row(Within("detected expedited stalls"), Some(C::RcuStall), None),
        row(Begin("rcu: INFO: "), None, Some(R::Stall)),
        row(Begin("INFO: rcu"), None, Some(R::Stall)),
        row(
            BeginAnd("INFO: task ", " blocked for more than "),
            Some(C::HungTask),
            Some(R::HungTask),
        ),
        // Lockdep, which begins its reports in several ways.
        row(
            Within("possible circular locking dependency"),
            Some(C::Lockdep),
            None,
        ),
        row(
            Within("possible recursive locking detected"),
            Some(C::Lockdep),
            None,
        ),
        row(
            Within("possible irq lock inversion"),
            Some(C::Lockdep),
            None,
        ),
        row(Within("inconsistent lock state"), Some(C::Lockdep), None),
        row(Within("suspicious RCU usage"), Some(C::Lockdep), None),
        row(Within("bad unlock balance"), Some(C::Lockdep), None),
        row(Within("held lock freed"), Some(C::Lockdep), None),
        row(Within("Invalid wait context"), Some(C::Lockdep), None),
        row(
            Within("lock held when returning to user space"),
            Some(C::Lockdep),
            None,
        ),
        row(Within("locks held at exit"), Some(C::Lockdep), None),
        // Faults in kernel code.
        row(
            Begin("BUG: kernel NULL pointer dereference"),
            Some(C::Oops),
            Some(R::Oops),
        ),
        row(Begin("BUG: unable to handle"), Some(C::Oops), Some(R::Oops)),
        row(
            BeginAnd("BUG: ", "stack guard page was hit"),
            Some(C::Oops),
            Some(R::Oops),
        ),
        row(Begin("kernel stack overflow"), Some(C::Oops), Some(R::Oops)),
        row(Begin("Oops:"), Some(C::Oops), Some(R::Oops)),
        row(
            Begin("general protection fault"),
            Some(C::Oops),
            Some(R::Oops),
        ),
        row(Begin("invalid opcode:"), Some(C::Oops), Some(R::Oops)),
        row(Begin("divide error:"), Some(C::Oops), Some(R::Oops)),
        row(Begin("stack segment:"), Some(C::Oops), Some(R::Oops)),
        row(Begin("double fault:"), Some(C::Oops), Some(R::Oops)),
        row(Begin("int3:"), Some(C::Oops), Some(R::Oops)),
        row(Begin("traps: missing-endbr"), Some(C::Oops), Some(R::Oops)),
        row(Begin("CFI failure at"), Some(C::Oops), Some(R::Oops)),
        row(Begin("traps: "), None, Some(R::Oops)),
        // A panic of a module in Rust is followed by its BUG.
        row(
            BeginAnd("rust_kernel: ", " panicked at "),
            Some(C::Bug),
            Some(R::RustPanic),
        ),
        row(
            BeginAnd("rust_kernel: ", " must stay in memory: "),
            Some(C::StillRegistered),
            None,
        ),
        // Checks that found something broken.
        row(Begin("kernel BUG at "), Some(C::Bug), Some(R::Bug)),
        row(Begin("BUG: "), Some(C::Bug), Some(R::Bug)),
        row(Begin("list_add corruption"), Some(C::Bug), Some(R::Bug)),
        row(Begin("list_del corruption"), Some(C::Bug), Some(R::Bug)),
        row(Begin("usercopy: Kernel memory"), Some(C::Bug), Some(R::Bug)),
        // The kernel's own strlen, memcpy and so on print this, and then BUG.
        row(
            Begin("detected buffer overflow"),
            Some(C::Bug),
            Some(R::Bug),
        ),
        row(
            Within(": detected buffer overflow: "),
            Some(C::Bug),
            Some(R::Bug),
        ),
        row(Within("Object already free"), Some(C::Bug), None),
        row(Begin("INFO: Slab"), Some(C::Bug), None),
        row(Begin("WARNING: "), Some(C::Warning), Some(R::Warning)),
        // The module loader found the module itself wrong.
        row(Within("Unknown rela relocation"), Some(C::Loader), None),
        row(Within("Skipping invalid relocation"), Some(C::Loader), None),
        row(Within("verflow in relocation type"), Some(C::Loader), None),
        // Reports that were requested.
        row(Begin("Uhhuh. NMI received"), None, Some(R::Nmi)),
        row(Begin("NMI backtrace for cpu "), None, Some(R::Backtrace)),
        row(Begin("task:"), None, Some(R::Task)),
        row(BeginAnd("CPU: ", " Comm: "), None, Some(R::Stack)),
    ]
};
