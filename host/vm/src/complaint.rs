//! Recognises in the log that the kernel found something wrong.

use koru_protocol::{KERNEL_MAY_SAY, LogRecord};
use std::{fmt, ops::Range};

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

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Its kind.
    pub kind: ComplaintKind,
    /// The kernel's own line.
    pub line: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// What the lines look like; the first that fits counts. With `^` the line must
/// begin with it: a module's own message may well say "WARNING: " later on.
const PATTERNS: &[(ComplaintKind, &[&str])] = {
    use ComplaintKind::*;
    &[
        (Panic, &["^Kernel panic - not syncing"]),
        (
            Sanitizer,
            &[
                "BUG: KASAN:",
                "^UBSAN:",
                "BUG: KFENCE:",
                "BUG: KCSAN:",
                "BUG: KMSAN:",
            ],
        ),
        (
            AtomicSleep,
            &[
                "BUG: scheduling while atomic",
                "BUG: sleeping function called",
                "bad: scheduling from the idle thread",
                "Voluntary context switch within RCU",
            ],
        ),
        (
            Lockup,
            &["soft lockup", "hard LOCKUP", "Watchdog detected hard"],
        ),
        (
            RcuStall,
            &[
                "self-detected stall",
                "detected stalls on CPUs",
                "detected expedited stalls",
            ],
        ),
        (HungTask, &["blocked for more than"]),
        (
            Lockdep,
            &[
                "possible circular locking dependency",
                "possible recursive locking detected",
                "possible irq lock inversion",
                "inconsistent lock state",
                "suspicious RCU usage",
                "bad unlock balance",
                "held lock freed",
                "Invalid wait context",
                "lock held when returning to user space",
                "locks held at exit",
            ],
        ),
        (Refcount, &["^refcount_t: "]),
        (Leak, &["new suspected memory leaks"]),
        (
            Oops,
            &[
                "general protection fault",
                "unable to handle",
                "^Oops:",
                "kernel NULL pointer dereference",
                "invalid opcode:",
                "divide error:",
                "stack segment:",
                "double fault:",
                "stack guard page was hit",
                "kernel stack overflow",
                "traps: missing-endbr",
                "CFI failure at",
            ],
        ),
        (
            Bug,
            &[
                // A panic of a module in Rust, whose BUG comes next.
                "^rust_kernel: * panicked",
                "kernel BUG at",
                "^BUG: ",
                "list_add corruption",
                "list_del corruption",
                "Object already free",
                "^INFO: Slab",
                "usercopy: Kernel memory",
                // The kernel's own strlen, memcpy and so on, which then BUG.
                "detected buffer overflow",
            ],
        ),
        (StillRegistered, &["^rust_kernel: * must stay in memory: "]),
        (Warning, &["^WARNING: ", "------------[ cut here ]"]),
        (
            Loader,
            &[
                "Unknown rela relocation",
                "Skipping invalid relocation",
                "Overflow in relocation type",
                "overflow in relocation type",
            ],
        ),
    ]
};

/// Whether a line of the log is a complaint of the kernel's.
///
/// ```
/// use koru_vm::{ComplaintKind, complaint};
/// let found = complaint("BUG: kernel NULL pointer dereference, address: 0010").unwrap();
/// assert_eq!(found.kind, ComplaintKind::Oops);
/// assert!(complaint("hello: loading, no warning meant").is_none());
/// ```
pub fn complaint(line: &str) -> Option<Complaint> {
    let fits = |pattern: &&str| match pattern.strip_prefix('^') {
        // The beginning, and perhaps what comes somewhere behind it.
        Some(start) => {
            let (start, behind) = start.split_once('*').unwrap_or((start, ""));
            line.strip_prefix(start).is_some_and(|l| l.contains(behind))
        }
        None => line.contains(pattern),
    };
    let (kind, _) = PATTERNS
        .iter()
        .find(|(_, patterns)| patterns.iter().any(fits))?;
    Some(Complaint {
        kind: *kind,
        line: line.trim().into(),
    })
}

/// A report of the kernel's that a test has announced ([`KERNEL_MAY_SAY`]).
pub(crate) struct Announced {
    /// Its records.
    pub range: Range<usize>,
    /// The taint bits that it leaves behind.
    pub taint: u64,
}

/// Where warnings are that a test has announced, from "cut here" to "end trace", and
/// reports of KASAN's, which a line of `=` ends. Likewise what a module says that
/// has to stay, and the first line of a report of lockdep's, which is all that counts
/// as a complaint there.
pub(crate) fn announced(records: &[LogRecord]) -> Vec<Announced> {
    const WARNED: u64 = 1 << 9;
    const BAD_MEMORY: u64 = 1 << 5;
    let texts: Vec<&str> = records
        .iter()
        .filter(|r| r.facility != 0)
        .filter_map(|r| r.text.strip_prefix(KERNEL_MAY_SAY))
        // Every line has an empty text in it.
        .filter(|text| !text.is_empty())
        .collect();
    let begins = |record: &LogRecord| {
        if is(record, "[ cut here ]") {
            return Some(("[ end trace ", ComplaintKind::Warning, WARNED));
        }
        let is_kasan = record.text.starts_with("BUG: KASAN: ") && record.facility == 0;
        is_kasan.then_some(("====================", ComplaintKind::Sanitizer, BAD_MEMORY))
    };
    let expected = |r: &LogRecord| texts.iter().any(|t| is(r, t));
    let stays = |r: &LogRecord| still_registered(std::slice::from_ref(r)).is_some();
    let is_lockdep = |r: &LogRecord| {
        let found = complaint(&r.text);
        r.facility == 0 && found.is_some_and(|c| c.kind == ComplaintKind::Lockdep)
    };
    let is_one_line = |r: &LogRecord| stays(r) || is_lockdep(r);
    let mut found: Vec<Announced> = (0..records.len())
        .filter(|&i| is_one_line(&records[i]) && expected(&records[i]))
        .map(|i| Announced {
            range: i..i + 1,
            taint: 0,
        })
        .collect();
    let mut at = 0;
    while let Some((begin, (last, kind, taint))) =
        (at..records.len()).find_map(|i| Some((i, begins(&records[i])?)))
    {
        let end = (begin + 1..records.len())
            .find(|i| is(&records[*i], last))
            .map_or(records.len(), |i| i + 1);
        let report = &records[begin..end];
        let mut lines = report
            .iter()
            .filter(|r| r.facility == 0)
            .flat_map(|r| r.text.lines());
        let is_alone = lines.all(|line| complaint(line).is_none_or(|c| c.kind == kind));
        if is_alone && report.iter().any(expected) {
            let range = begin..end;
            found.push(Announced { range, taint });
        }
        at = end;
    }
    found
}

fn is(record: &LogRecord, text: &str) -> bool {
    record.facility == 0 && record.text.contains(text)
}

/// The first complaint in some records. User space's own records don't count, nor
/// do reports that a test has announced.
pub fn first_complaint(records: &[LogRecord]) -> Option<Complaint> {
    let expected = announced(records);
    let others = records
        .iter()
        .enumerate()
        .filter(|(i, _)| !expected.iter().any(|report| report.range.contains(i)));
    first_complaint_of(others.map(|(_, record)| record))
}

/// What a module has said that has to stay ([`ComplaintKind::StillRegistered`]):
/// neither it nor the process that loads or unloads it can be got rid of.
pub fn still_registered(records: &[LogRecord]) -> Option<Complaint> {
    records
        .iter()
        .filter(|r| r.facility == 0)
        .filter_map(|r| complaint(&r.text))
        .find(|c| c.kind == ComplaintKind::StillRegistered)
}

/// What a module has said whose unloading, or whoever drops something of it, has waited
/// for long. No complaint: it may go on.
pub fn overdue(records: &[LogRecord]) -> Option<&str> {
    const SAID: [&str; 2] = ["rust_kernel: ", " still waits for "];
    records
        .iter()
        .filter(|r| r.facility == 0)
        .map(|r| r.text.as_str())
        .find(|text| text.starts_with(SAID[0]) && text.contains(SAID[1]))
}

fn first_complaint_of<'a>(records: impl Iterator<Item = &'a LogRecord>) -> Option<Complaint> {
    let mut found = records
        .filter(|r| r.facility == 0)
        .flat_map(|r| r.text.lines())
        .filter_map(complaint);
    let first = found.next()?;
    // "cut here" only opens the box; what is wrong stands in the next line.
    if first.line.contains("cut here") {
        return Some(found.next().unwrap_or(first));
    }
    Some(first)
}

/// The complaints that bits of `/proc/sys/kernel/tainted` stand for. An
/// out-of-tree (O) or unsigned (E) module is what Koru loads, and no complaint;
/// nor is what was set already in `before`.
///
/// ```
/// use koru_vm::taint_complaint;
/// assert!(taint_complaint(0, 4096 | 8192).is_none());
/// assert!(taint_complaint(0, 512 | 4096).unwrap().line.contains('W'));
/// ```
pub fn taint_complaint(before: u64, now: u64) -> Option<Complaint> {
    const LETTERS: &[u8] = b"PFSRMBUDAWCIOELKXTNJ";
    const OUT_OF_TREE_AND_UNSIGNED: u64 = 1 << 12 | 1 << 13;
    let new = now & !before & !OUT_OF_TREE_AND_UNSIGNED;
    if new == 0 {
        return None;
    }
    let letters: String = (0..64)
        .filter(|bit| new >> bit & 1 == 1)
        .map(|bit| LETTERS.get(bit).map_or('?', |&l| l as char))
        .collect();
    Some(Complaint {
        kind: ComplaintKind::Taint,
        line: format!("the kernel is tainted: {letters}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ComplaintKind::*;

    #[test]
    fn real_lines_are_recognised() {
        for (kind, line) in [
            (
                Panic,
                "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b",
            ),
            (
                Oops,
                "BUG: unable to handle page fault for address: ffffffffc0000000",
            ),
            (Oops, "Oops: 0000 [#1] PREEMPT SMP NOPTI"),
            (
                Oops,
                "general protection fault, probably for non-canonical address 0xdead",
            ),
            (Bug, "kernel BUG at /build/linux/mm/slub.c:440!"),
            (
                Bug,
                "strlen: detected buffer overflow: 101 byte read of buffer size 100",
            ),
            (Bug, "detected buffer overflow in strlen"),
            (
                Bug,
                "rust_kernel: t panicked at src/lib.rs:3:5: not a number",
            ),
            (Bug, "BUG: Bad page state in process insmod  pfn:12345"),
            (
                Warning,
                "WARNING: CPU: 0 PID: 75 at /tmp/t_warn.c:5 m_init+0x1a/0x1000 [t_warn]",
            ),
            (
                Lockup,
                "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [insmod:80]",
            ),
            (
                RcuStall,
                "rcu: INFO: rcu_preempt self-detected stall on CPU",
            ),
            (
                HungTask,
                "INFO: task insmod:73 blocked for more than 120 seconds.",
            ),
            (
                AtomicSleep,
                "BUG: scheduling while atomic: insmod/77/0x00000002",
            ),
            (
                AtomicSleep,
                "BUG: sleeping function called from invalid context at mm/slab.h:274",
            ),
            (Lockdep, "WARNING: possible recursive locking detected"),
            (
                Sanitizer,
                "BUG: KASAN: slab-out-of-bounds in m_init+0x1a/0x30 [x]",
            ),
            (Sanitizer, "UBSAN: array-index-out-of-bounds in x.c:5:4"),
            (Refcount, "refcount_t: underflow; use-after-free."),
            (
                StillRegistered,
                "rust_kernel: t must stay in memory: its exit ended with 1 kernel thread still \
                 registered, never dropped.",
            ),
            (Loader, "module: hello: Unknown rela relocation: 9"),
        ] {
            assert_eq!(complaint(line).map(|c| c.kind), Some(kind), "{line}");
        }
    }

    #[test]
    fn ordinary_lines_are_not() {
        for line in [
            "hello: loading out-of-tree module taints kernel.",
            "hello: module verification failed: signature and/or required key missing - tainting kernel",
            "my_timer: the bug is fixed",
            "rust_kernel: attempted to create `Error` with out of range `errno`: -5000",
            "my_timer: WARNING: the interval is long. BUG: none",
            "my_timer: Kernel panic - not syncing: only words",
            "my_timer: rust_kernel: x must stay in memory: only words",
            "x86/fpu: Supporting XSAVE feature 0x001",
            "clocksource: Switched to clocksource tsc",
            "Debugging enabled",
        ] {
            assert_eq!(complaint(line), None, "{line}");
        }
    }

    fn record(facility: u8, text: &str) -> LogRecord {
        LogRecord {
            seq: 0,
            level: 4,
            facility,
            timestamp_us: 0,
            text: text.into(),
            continuation: false,
        }
    }

    #[test]
    fn the_telling_line_is_chosen() {
        let log = [
            record(0, "t: fine"),
            record(0, "------------[ cut here ]------------"),
            record(0, "t_warn warns"),
            record(0, "WARNING: CPU: 0 PID: 75 at t_warn.c:5 m_init [t_warn]"),
        ];
        let found = first_complaint(&log).unwrap();
        assert!(found.line.starts_with("WARNING: CPU"), "{found}");
    }

    #[test]
    fn user_space_cannot_complain() {
        assert_eq!(first_complaint(&[record(1, "BUG: not the kernel's")]), None);
    }

    #[test]
    fn an_announced_warning_is_none() {
        let warning = [
            record(0, "------------[ cut here ]------------"),
            record(0, "proc_dir_entry '/proc/timer' already registered"),
            record(
                0,
                "WARNING: CPU: 0 PID: 75 at fs/proc/generic.c:381 proc_register",
            ),
            record(0, "---[ end trace 0000000000000000 ]---"),
        ];
        let announce = |facility| record(facility, "koru: the kernel may say: already registered");
        let log = |first: LogRecord| [&[first], &warning[..]].concat();
        assert_eq!(first_complaint(&log(announce(1))), None);
        // Not by the module itself, and no other warning.
        assert!(first_complaint(&log(announce(0))).is_some());
        assert!(first_complaint(&log(record(1, "koru: the kernel may say: no"))).is_some());
        let mut twice = log(announce(1));
        twice.push(record(
            0,
            "BUG: kernel NULL pointer dereference, address: 0",
        ));
        assert_eq!(first_complaint(&twice).map(|c| c.kind), Some(Oops));
    }

    #[test]
    fn a_module_that_stays_may_be_announced() {
        let stays = record(
            0,
            "rust_kernel: t must stay in memory: its exit ended with ..",
        );
        let log = [record(0, "t: bye"), stays.clone()];
        assert_eq!(first_complaint(&log).map(|c| c.kind), Some(StillRegistered));
        assert!(still_registered(&log).is_some());
        let announce = record(1, "koru: the kernel may say: t must stay in memory");
        assert_eq!(first_complaint(&[announce.clone(), stays.clone()]), None);
        // The guest is none to go on with, all the same.
        assert!(still_registered(&[announce, stays]).is_some());
        let by_user = record(1, "rust_kernel: t must stay in memory: no");
        assert_eq!(still_registered(&[by_user]), None);
    }

    #[test]
    fn an_announced_report_of_lockdep_is_none() {
        let held = record(0, "WARNING: lock held when returning to user space!");
        let other = record(0, "WARNING: possible recursive locking detected");
        assert_eq!(
            first_complaint(std::slice::from_ref(&held)).map(|c| c.kind),
            Some(Lockdep)
        );
        let announce = record(1, "koru: the kernel may say: lock held when returning");
        assert_eq!(first_complaint(&[announce.clone(), held.clone()]), None);
        let both = first_complaint(&[announce, held, other]).unwrap();
        assert!(both.line.contains("recursive"), "{both}");
    }

    #[test]
    fn an_announced_report_of_kasan_is_none() {
        let record = |facility, text: &str| LogRecord {
            seq: 0,
            level: 4,
            facility,
            timestamp_us: 0,
            text: text.into(),
            continuation: false,
        };
        let line = "=".repeat(66);
        let report = |what: &str| {
            [
                line.clone(),
                format!("BUG: KASAN: {what} in f+0x1/0x2 [m]"),
                "Write of size 1 at addr ffff888003d3c6d8 by task insmod/84".into(),
                line.clone(),
            ]
            .map(|text| record(0, &text))
        };
        let announce = [record(1, "koru: the kernel may say: BUG: KASAN: heap")];
        let log = |reports: &[&str]| -> Vec<LogRecord> {
            let reports = reports.iter().flat_map(|what| report(what));
            announce.iter().cloned().chain(reports).collect()
        };
        assert_eq!(first_complaint(&log(&["heap"])), None);
        let found = first_complaint(&log(&["heap", "stack"])).unwrap();
        assert_eq!(found.kind, Sanitizer);
        assert!(found.line.contains("stack"), "{found}");
        // Nothing else may hide in it.
        let mut oops = log(&["heap"]);
        oops.insert(3, record(0, "Oops: 0000 [#1] PREEMPT SMP NOPTI"));
        assert!(first_complaint(&oops).is_some());
    }

    #[test]
    fn taints_that_are_new_count() {
        assert_eq!(taint_complaint(512, 512 | 4096), None);
        let found = taint_complaint(0, 128 | 512).unwrap();
        assert!(found.line.ends_with("DW"), "{found}");
    }
}
