// SPDX-License-Identifier: MIT OR Apache-2.0

//! Recognises complaints: lines in which the kernel says that it found something wrong.

use std::fmt;

use koru_protocol::LogRecord;

use crate::{ComplaintKind, table::complaint_kind};

/// A complaint of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The kind of the complaint.
    pub kind: ComplaintKind,
    /// The line that the kernel printed.
    pub line: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl Complaint {
    /// Returns what the user can do about the complaint.
    pub fn help(&self) -> &'static str {
        match self.kind.is_fatal() {
            true => "see the log above; after an oops the kernel cannot be trusted",
            false => "see the log above; the kernel goes on, but the module is wrong",
        }
    }
}

/// Returns the complaint that a line of the log is, if it is one.
///
/// ```
/// use koru_klog::{ComplaintKind, complaint};
/// let found = complaint("BUG: kernel NULL pointer dereference, address: 0010").unwrap();
/// assert_eq!(found.kind, ComplaintKind::Oops);
/// assert!(complaint("hello: loading, no warning meant").is_none());
/// ```
pub fn complaint(line: &str) -> Option<Complaint> {
    Some(Complaint {
        kind: complaint_kind(line)?,
        line: positive_init(line).unwrap_or_else(|| line.trim().into()),
    })
}

/// Rewords what the kernel says of an init that returned a positive number, which means
/// nothing: the kernel loads the module nevertheless.
fn positive_init(line: &str) -> Option<String> {
    let (_, said) = line.split_once("do_init_module: '")?;
    let (module, rest) = said.split_once("'->init suspiciously returned ")?;
    let value = rest.split(',').next()?;
    Some(format!(
        "the init of {module} returned {value}; it must return 0 or a negative errno"
    ))
}

/// Returns the message of a module that has to stay ([`ComplaintKind::StillRegistered`]):
/// neither the module nor the process that loads or unloads it can be removed.
pub fn still_registered(records: &[LogRecord]) -> Option<Complaint> {
    records
        .iter()
        .filter(|r| r.facility == 0)
        .filter_map(|r| complaint(&r.text))
        .find(|c| c.kind == ComplaintKind::StillRegistered)
}

/// Returns the message of a module whose unloading, or whose dropping of something, has waited
/// for long. That is not a complaint, because the wait may still end.
pub fn overdue(records: &[LogRecord]) -> Option<&str> {
    const SAID: [&str; 2] = ["rust_kernel: ", " still waits for "];
    records
        .iter()
        .filter(|r| r.facility == 0)
        .map(|r| r.text.as_str())
        .find(|text| text.starts_with(SAID[0]) && text.contains(SAID[1]))
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
            (
                Loader,
                "do_init_module: 'x'->init suspiciously returned 5, it should follow 0/-E convention",
            ),
        ] {
            assert_eq!(complaint(line).map(|c| c.kind), Some(kind), "{line}");
        }
    }

    #[test]
    fn positive_init_is_explained() {
        let line = "do_init_module: 'x'->init suspiciously returned 5, it should follow 0/-E \
                    convention";
        for line in [line.to_owned(), format!("module: {line}")] {
            assert_eq!(
                complaint(&line).unwrap().line,
                "the init of x returned 5; it must return 0 or a negative errno"
            );
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
}
