// SPDX-License-Identifier: MIT OR Apache-2.0

//! The one table of what kernels print when something is wrong.

use crate::{
    ComplaintKind, ReportKind, architectures,
    row::{Row, Text, row, sure},
};

/// A line that begins a report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub kind: ReportKind,
    /// Whether the line is a report even if no stack follows it.
    pub sure: bool,
}

/// Returns the kind of complaint that a line is, if it is one.
pub(crate) fn complaint_kind(line: &str) -> Option<ComplaintKind> {
    let mut found = rows().filter(|row| row.complaint.is_some());
    found.find(|row| row.text.fits(line))?.complaint
}

/// Returns the report that a line begins, if it begins one.
pub(crate) fn opening(line: &str) -> Option<Opening> {
    let mut found = rows().filter_map(|row| Some((row, row.report?)));
    let (row, kind) = found.find(|(row, _)| row.text.fits(line))?;
    let sure = row.sure;
    Some(Opening { kind, sure })
}

/// Returns all rows: those of single architectures, which are the most special, first.
fn rows() -> impl Iterator<Item = &'static Row> {
    let special = architectures::ALL.iter().flat_map(|arch| arch.rows);
    special.chain(TABLE)
}

/// The table. In each column the first row that matches counts, so special rows come first.
const TABLE: &[Row] = {
    use ComplaintKind as C;
    use ReportKind as R;
    use Text::{Begin, BeginAnd, Titled, Within};
    &[
        row(
            Begin("------------[ cut here ]"),
            Some(C::Warning),
            Some(R::Cut),
        ),
        sure(
            Begin("Kernel panic - not syncing"),
            Some(C::Panic),
            R::Panic,
        ),
        // Sanitizers.
        sure(Begin("BUG: KASAN:"), Some(C::Sanitizer), R::Sanitizer),
        sure(Begin("BUG: KFENCE:"), Some(C::Sanitizer), R::Sanitizer),
        sure(Begin("BUG: KCSAN:"), Some(C::Sanitizer), R::Sanitizer),
        sure(Begin("BUG: KMSAN:"), Some(C::Sanitizer), R::Sanitizer),
        sure(Begin("UBSAN: "), Some(C::Sanitizer), R::Sanitizer),
        row(Begin("refcount_t: "), Some(C::Refcount), Some(R::Warning)),
        // Memory that a module lost, or did not get.
        sure(
            BeginAnd("kmemleak: ", "new suspected memory leak"),
            Some(C::Leak),
            R::Leak,
        ),
        row(Within("new suspected memory leaks"), Some(C::Leak), None),
        sure(BeginAnd("unreferenced object 0x", "(size "), None, R::Leak),
        row(Within("page allocation failure"), None, Some(R::NoMemory)),
        row(
            Within("page allocation stalls for"),
            None,
            Some(R::NoMemory),
        ),
        row(Within(" invoked oom-killer: "), None, Some(R::NoMemory)),
        row(
            Begin("SLUB: Unable to allocate memory on node"),
            None,
            Some(R::NoMemory),
        ),
        // Checks of the slab allocator.
        sure(BeginAnd("BUG ", " (Tainted: "), Some(C::Bug), R::Slab),
        sure(BeginAnd("BUG ", " (Not tainted): "), Some(C::Bug), R::Slab),
        // Before 3.8, the line did not say how the kernel was tainted.
        sure(
            BeginAnd("BUG ", ": Objects remaining"),
            Some(C::Bug),
            R::Slab,
        ),
        row(Within("Object already free"), Some(C::Bug), None),
        row(Begin("INFO: Slab"), Some(C::Bug), None),
        sure(
            BeginAnd("kmem_cache_destroy ", "Slab cache still has objects"),
            Some(C::Bug),
            R::Slab,
        ),
        // Sleeping in atomic context.
        sure(
            Begin("BUG: scheduling while atomic"),
            Some(C::AtomicSleep),
            R::Sleep,
        ),
        sure(
            Begin("BUG: sleeping function called"),
            Some(C::AtomicSleep),
            R::Sleep,
        ),
        sure(
            Begin("bad: scheduling from the idle thread"),
            Some(C::AtomicSleep),
            R::Sleep,
        ),
        row(
            Begin("Voluntary context switch within RCU"),
            Some(C::AtomicSleep),
            Some(R::Sleep),
        ),
        // Lockups, stalls, hung tasks.
        sure(Begin("BUG: soft lockup"), Some(C::Lockup), R::Lockup),
        sure(
            Begin("watchdog: BUG: soft lockup"),
            Some(C::Lockup),
            R::Lockup,
        ),
        sure(
            Begin("NMI watchdog: BUG: soft lockup"),
            Some(C::Lockup),
            R::Lockup,
        ),
        sure(
            BeginAnd("watchdog: ", "detected hard LOCKUP"),
            Some(C::Lockup),
            R::Lockup,
        ),
        sure(
            BeginAnd("NMI watchdog: ", "detected hard LOCKUP"),
            Some(C::Lockup),
            R::Lockup,
        ),
        row(Begin("NMI watchdog: "), None, Some(R::Lockup)),
        sure(Begin("BUG: workqueue lockup"), Some(C::Lockup), R::Lockup),
        sure(
            BeginAnd("BUG: ", "lockup suspected on CPU"),
            Some(C::Lockup),
            R::Lockup,
        ),
        row(Within("self-detected stall"), Some(C::RcuStall), None),
        row(Within("detected stalls on CPUs"), Some(C::RcuStall), None),
        row(Within("detected expedited stalls"), Some(C::RcuStall), None),
        row(
            BeginAnd("INFO: rcu_tasks", " detected stalls on tasks"),
            Some(C::RcuStall),
            None,
        ),
        sure(BeginAnd("rcu: INFO: ", " stall"), None, R::Stall),
        sure(BeginAnd("INFO: rcu", " stall"), None, R::Stall),
        sure(
            BeginAnd("rcu: rcu_", " kthread starved for "),
            None,
            R::Stall,
        ),
        sure(
            BeginAnd("rcu_tasks_wait_gp: rcu_tasks", " is "),
            None,
            R::Stall,
        ),
        sure(
            BeginAnd("INFO: task ", " blocked for more than "),
            Some(C::HungTask),
            R::HungTask,
        ),
        sure(
            BeginAnd("INFO: task ", " blocked in I/O wait for more than "),
            Some(C::HungTask),
            R::HungTask,
        ),
        // Lockdep.
        sure(
            Titled("possible circular locking dependency"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(
            Titled("possible recursive locking detected"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(
            Titled("possible irq lock inversion"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(Titled("lock order detected"), Some(C::Lockdep), R::Lockdep),
        sure(
            Titled("inconsistent lock state"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(Titled("suspicious RCU usage"), Some(C::Lockdep), R::Lockdep),
        sure(
            Titled("suspicious rcu_dereference"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(Titled("bad unlock balance"), Some(C::Lockdep), R::Lockdep),
        sure(
            Titled("bad contention detected"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(Titled("held lock freed"), Some(C::Lockdep), R::Lockdep),
        sure(Titled("Invalid wait context"), Some(C::Lockdep), R::Lockdep),
        sure(
            Titled("lock held when returning to user space"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(Titled("locks held at exit"), Some(C::Lockdep), R::Lockdep),
        sure(Titled("still has locks held"), Some(C::Lockdep), R::Lockdep),
        sure(
            Titled("Nested lock was not taken"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(
            Titled("trying to register non-static key"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        sure(
            Titled("lock held at task exit time"),
            Some(C::Lockdep),
            R::Lockdep,
        ),
        // The first line of such a report before 3.4, and what remains of many later.
        row(
            Within(" suspicious rcu_dereference_"),
            None,
            Some(R::Lockdep),
        ),
        row(Begin("DEBUG_LOCKS_WARN_ON("), None, Some(R::Warning)),
        // Faults in kernel code.
        sure(
            Begin("BUG: kernel NULL pointer dereference"),
            Some(C::Oops),
            R::Oops,
        ),
        sure(Begin("BUG: unable to handle"), Some(C::Oops), R::Oops),
        sure(
            Begin("BUG: Kernel NULL pointer dereference"),
            Some(C::Oops),
            R::Oops,
        ),
        sure(Begin("BUG: Unable to handle"), Some(C::Oops), R::Oops),
        sure(Begin("Unable to handle kernel "), Some(C::Oops), R::Oops),
        sure(
            BeginAnd("CPU ", " Unable to handle kernel "),
            Some(C::Oops),
            R::Oops,
        ),
        row(Begin("Oops:"), Some(C::Oops), Some(R::Oops)),
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
        sure(Begin("kernel BUG at "), Some(C::Bug), R::Bug),
        sure(
            Begin("BUG: Bad page state in process "),
            Some(C::Bug),
            R::Bug,
        ),
        sure(Begin("BUG: Bad page map in process "), Some(C::Bug), R::Bug),
        sure(
            Begin("BUG: Bad rss-counter state mm:"),
            Some(C::Bug),
            R::Bug,
        ),
        sure(
            Begin("BUG: Bad page cache in process "),
            Some(C::Bug),
            R::Bug,
        ),
        sure(
            Begin("BUG: workqueue leaked lock or atomic: "),
            Some(C::Bug),
            R::Bug,
        ),
        row(Begin("BUG: "), Some(C::Bug), Some(R::Bug)),
        row(Begin("list_add corruption"), Some(C::Bug), Some(R::Bug)),
        row(Begin("list_del corruption"), Some(C::Bug), Some(R::Bug)),
        row(Begin("usercopy: "), Some(C::Bug), Some(R::Bug)),
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
        row(BeginAnd("irq ", ": nobody cared"), None, Some(R::Bug)),
        // What every warning has is never a module's own message.
        sure(
            BeginAnd("WARNING: CPU: ", " at "),
            Some(C::Warning),
            R::Warning,
        ),
        sure(BeginAnd("WARNING: at ", ":"), Some(C::Warning), R::Warning),
        sure(
            BeginAnd("WARNING: kernel stack ", " has bad "),
            Some(C::Warning),
            R::Warning,
        ),
        row(Begin("WARNING: "), Some(C::Warning), Some(R::Warning)),
        // The module loader found the module itself wrong.
        row(Within("Unknown rela relocation"), Some(C::Loader), None),
        row(
            BeginAnd("do_init_module: '", "init suspiciously returned "),
            Some(C::Loader),
            None,
        ),
        row(
            BeginAnd("module: do_init_module: '", "init suspiciously returned "),
            Some(C::Loader),
            None,
        ),
        row(Within("Skipping invalid relocation"), Some(C::Loader), None),
        row(Within("verflow in relocation type"), Some(C::Loader), None),
        // Reports that were requested.
        row(Begin("Uhhuh. NMI received"), None, Some(R::Nmi)),
        row(Begin("NMI backtrace for cpu "), None, Some(R::Backtrace)),
        row(BeginAnd("task:", " state:"), None, Some(R::Task)),
        row(BeginAnd("CPU: ", " Comm: "), None, Some(R::Stack)),
        // Before 3.11.
        row(BeginAnd("Pid: ", ", comm: "), None, Some(R::Stack)),
    ]
};
