// SPDX-License-Identifier: MIT OR Apache-2.0

//! The roles that lines have in the kernel's reports.

use crate::{
    Frame, architectures,
    table::{Opening, opening},
};

/// The role that a line may have.
#[derive(Debug)]
pub(crate) enum Line {
    /// A line that may begin a report.
    Opens(Opening),
    Frame(Frame),
    /// Where the processor was; `None` is an address that is in no function.
    Pointer(Option<Frame>),
    /// A line "Call Trace:".
    Trace,
    /// The heading of a part of a report, without its colon. `None` heads the report's own
    /// stack.
    Heading(Option<String>),
    /// A lock, in a report of lockdep or in a list of the locks that a task holds.
    Lock(String),
    /// Registers and the like, which are part of a report if there is one.
    Detail,
    /// A detail that says what is wrong.
    Telling,
    EndTrace,
    /// A rule of `=`, with which several kinds of reports begin and end.
    Rule,
    Empty,
    Text,
}

/// Returns the role of a line. Some lines have theirs only in a report of lockdep.
pub(crate) fn role(text: &str, in_lockdep: bool) -> Line {
    let inner = text.trim();
    if inner.is_empty() {
        return Line::Empty;
    }
    if let Some(opening) = opening(inner) {
        return Line::Opens(opening);
    }
    if let Some(frame) = architectures::pointer(inner) {
        return Line::Pointer(frame);
    }
    if let Some(frame) = Frame::of_stack(text) {
        return Line::Frame(frame);
    }
    if is_rule(inner, b'=') {
        return Line::Rule;
    }
    if inner.starts_with("---[ end trace ") {
        return Line::EndTrace;
    }
    if let Some(heading) = heading(inner) {
        return heading;
    }
    if in_lockdep {
        if let Some(line) = of_lockdep(inner) {
            return line;
        }
    }
    if begins_with(inner, TELLING) || contains(inner, TELLING_WITHIN) {
        return Line::Telling;
    }
    let is_detail = begins_with(inner, DETAILS)
        || architectures::is_registers(inner)
        || is_bare_address(inner)
        || is_rule(inner, b'-')
        || is_memory(inner)
        || is_old_task_line(inner)
        || inner.contains("] *pgd=")
        || inner.contains("] pgd=")
        || (inner.starts_with('<') && inner.ends_with('>'));
    match is_detail {
        true => Line::Detail,
        false => Line::Text,
    }
}

fn begins_with(text: &str, begins: &[&str]) -> bool {
    begins.iter().any(|begin| text.starts_with(begin))
}

fn contains(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

fn is_rule(text: &str, of: u8) -> bool {
    text.len() >= 20 && text.bytes().all(|b| b == of)
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Returns whether a line of a stack is an address that is in no symbol: `? 0xffffffffc0206000`.
fn is_bare_address(text: &str) -> bool {
    let text = text.trim_start_matches("? ");
    let inside = text.strip_prefix("[<").and_then(|t| t.strip_suffix(">]"));
    text.strip_prefix("0x").or(inside).is_some_and(is_hex)
}

/// Returns whether a line shows memory: a row of KASAN's shadow memory, of the slab allocator's
/// dump, or of the words on the stack.
fn is_memory(text: &str) -> bool {
    if text == "^" {
        return true;
    }
    let text = text.trim_start_matches(['>', ' ']);
    let is_word = |w: &str| is_hex(w) && [2, 8, 16].contains(&w.len());
    let is_row = text.split_once(": ").is_some_and(|(address, rest)| {
        let first = rest.split_whitespace().next();
        is_hex(address) && address.len() >= 4 && first.is_some_and(is_word)
    });
    let of_slab = ["Object ", "Redzone ", "Padding ", "Bytes b4 "];
    if is_row || of_slab.iter().any(|begin| text.starts_with(begin)) {
        return true;
    }
    let mut words = text.split_whitespace().peekable();
    words.peek().is_some() && words.filter(|w| !w.starts_with('.')).all(is_word)
}

/// Returns whether a line is how kernels before 5.12 describe a task: its name, its state, and
/// numbers.
fn is_old_task_line(text: &str) -> bool {
    let mut words = text.split_whitespace().skip(1);
    let state = words
        .next()
        .is_some_and(|w| ["R", "S", "D", "T", "t", "Z", "I"].contains(&w));
    let words: Vec<&str> = words.collect();
    state
        && words.len() >= 3
        && words
            .iter()
            .all(|w| is_hex(w.trim_start_matches("0x")) || *w == "running" || *w == "task")
}

/// Returns the heading of a part of a report, if a line is one.
fn heading(text: &str) -> Option<Line> {
    const TRACES: &[&str] = &[
        "Call Trace:",
        "Call trace:",
        "Backtrace:",
        "backtrace:",
        "backtrace (",
    ];
    if begins_with(text, TRACES) && !text.contains("no frame pointer") {
        return Some(Line::Trace);
    }
    let begins = [
        "Allocated by task ",
        "Freed by task ",
        "allocated by task ",
        "freed by task ",
        "Last potentially related work creation:",
        "Second to last potentially related work creation:",
        "Uninit was ",
        "Memory was marked as uninitialized:",
        "Bytes ",
        "Local variable ",
        "page last allocated via ",
        "page last free ",
        "page_owner free stack trace:",
        "Preemption disabled at:",
    ];
    let title = text.trim_end_matches(':');
    if begins_with(text, &begins) && !text.contains(" are uninitialized") {
        return Some(Line::Heading(Some(title.to_owned())));
    }
    // The slab allocator says where: `Allocated in f+0x1/0x2 [m] age=1 cpu=0 pid=77`.
    let track = text.strip_prefix("INFO: ").unwrap_or(text);
    if begins_with(track, &["Allocated in ", "Freed in "]) && track.contains(" age=") {
        return Some(Line::Heading(Some(track.to_owned())));
    }
    // KCSAN: `write to 0xffff of 8 bytes by task 77 on cpu 0:`.
    let accesses = ["read", "write", "race at unknown origin"];
    if begins_with(text, &accesses) && (text.contains(" bytes by ") || text.starts_with("race at"))
    {
        return Some(Line::Heading(Some(title.to_owned())));
    }
    // `2 locks held by insmod/77:`
    let words: Vec<&str> = text.split_whitespace().collect();
    if matches!(words[..], [_, "lock" | "locks", "held", "by", ..]) && text.ends_with(':') {
        return Some(Line::Heading(Some(title.to_owned())));
    }
    if text.starts_with("RCU grace-period kthread stack dump:")
        || text.starts_with("rcu: RCU grace-period kthread stack dump:")
    {
        return Some(Line::Heading(Some("RCU's own thread".to_owned())));
    }
    // KFENCE: `Use-after-free read at 0xffff (in kfence-#171):`.
    if (text.contains(" at 0x") && text.contains("(in kfence-#")) || text == "stack backtrace:" {
        return Some(Line::Heading(None));
    }
    lock(text).map(Line::Lock)
}

/// Returns a lock and where it was taken: `#0: ffff888003 (&a){+.+.}-{3:3}, at: f+0x1/0x2 [m]`
/// becomes `&a, at f+0x1/0x2 [m]`.
fn lock(text: &str) -> Option<String> {
    let (before, rest) = text.split_once('(')?;
    // That is a link of a chain of locks.
    if before.starts_with("->") {
        return None;
    }
    let (name, rest) = rest.split_once("){")?;
    let is_address = |w: &str| is_hex(w) || w == "_____ptrval_____";
    let mut words = before.split_whitespace();
    if !words.all(|w| is_address(w) || w.starts_with('#')) {
        return None;
    }
    let place = rest.split_once(", at: ").map(|(_, place)| place.trim());
    let place = place.map(|p| match Frame::behind_address(p) {
        Some((frame, _)) => frame.place(),
        None => p.to_owned(),
    });
    Some(match place {
        Some(place) => format!("{name}, at {place}"),
        None => name.to_owned(),
    })
}

/// Returns the role that a line has in a report of lockdep only.
fn of_lockdep(text: &str) -> Option<Line> {
    // `-> #1 (&b){+.+.}-{3:3}:`
    if let Some(link) = text.strip_prefix("-> #") {
        let name = link.split_once('(').and_then(|(_, t)| t.split_once("){"));
        let name = name.map_or(link, |(name, _)| name);
        return Some(Line::Heading(Some(format!("{name} was taken"))));
    }
    const TELLING: &[&str] = &[
        "which lock already depends on the new lock",
        "but there are no more locks to release",
        "inconsistent {",
    ];
    const TELLING_WITHIN: &[&str] = &[
        "suspicious rcu_",
        " is freeing memory ",
        "RCU-list traversed",
    ];
    if begins_with(text, TELLING) || contains(text, TELLING_WITHIN) {
        return Some(Line::Telling);
    }
    const DETAILS: &[&str] = &[
        "the existing dependency chain",
        "other info that might help us debug this",
        "Chain exists of:",
        "Possible unsafe locking scenario",
        "Possible interrupt unsafe locking scenario",
        "-> (",
        "... key ",
        "}",
        "CPU0",
        "----",
        "lock(",
        "rlock(",
        "<Interrupt>",
        "*** DEADLOCK ***",
        "May be due to missing lock nesting notation",
        "no locks held by ",
        "rcu_scheduler_active = ",
        "context-{",
        "and this task is already holding:",
        "the code is fine but needs lockdep annotation",
        "turning off the locking correctness validator",
        "you didn't initialize this object before use",
        "maybe you didn't initialize",
        "INFO: lockdep is turned off",
        "irq event stamp",
    ];
    if begins_with(text, DETAILS) || text.contains(" --> ") || text.contains(" #1 ") {
        return Some(Line::Detail);
    }
    text.strip_suffix(':')
        .or_else(|| text.ends_with("] takes").then_some(text))
        .map(|title| Line::Heading(Some(title.to_owned())))
}

/// The beginnings of lines that describe the access to memory and the like.
const TELLING: &[&str] = &[
    "#PF: ",
    "Read of size ",
    "Write of size ",
    "The buggy address is located",
    "KASAN: ",
    "caller is ",
    "kernel tried to execute ",
    "unable to execute userspace code",
    "signed integer overflow",
    "value changed: ",
    "comm \"",
];

/// What such lines contain.
const TELLING_WITHIN: &[&str] = &[
    " cannot be represented in type ",
    " out of bounds (",
    " is out of range for type ",
    ". First byte 0x",
];

/// The beginnings of the other lines of reports: what the kernel adds to every fault, and the
/// parts of single kinds of reports.
const DETAILS: &[&str] = &[
    "The buggy address ",
    "which belongs to the cache ",
    "allocated ",
    "freed ",
    "This frame has ",
    "page:",
    "page: refcount:",
    "head:",
    "head: order:",
    "flags: 0x",
    "anon flags: 0x",
    "page_type: ",
    "raw: ",
    "page dumped because: ",
    "bad because of flags",
    "page_owner ",
    "Memory state around the buggy address:",
    "The buggy address belongs",
    "addr ",
    "kfence-#",
    "Reported by Kernel Concurrency Sanitizer on:",
    "kasan: ",
    "Slab 0x",
    "INFO: Slab 0x",
    "INFO: Object 0x",
    "Object 0x",
    "INFO: 0x",
    "Disabling lock debugging due to kernel taint",
    "hex dump (first ",
    "Code: ",
    "Code:",
    "Tainted: ",
    "Tainted: [",
    "Not tainted ",
    "Hardware name: ",
    "Hardware name:",
    "Modules linked in: ",
    "Modules linked in:",
    "note: ",
    "Kernel Offset: ",
    "Rebooting in ",
    "Sending NMI ",
    "Last unloaded",
    "last unloaded",
    "Stack:",
    "Stack :",
    "preempt_count: ",
    "preempt_count() ",
    "RCU nest depth: ",
    "in_atomic(): ",
    "INFO: lockdep",
    "irq event stamp",
    "hardirqs last",
    "softirqs last",
    "Workqueue: ",
    "---[ end Kernel panic",
    "\"echo 0 > /proc/sys/kernel/hung_task",
    "Dumping ftrace buffer",
    "(ftrace buffer empty)",
    "Shutting down cpus with NMI",
    "SMP: stopping secondary CPUs",
    "(t=",
    "(detected by",
    "rcu: \t",
    "rcu: (",
    "CPU features: ",
    "CPU: ",
    "Process ",
    "lock: ",
    "Showing all locks held in the system:",
    "Showing busy workqueues",
    "Fixing recursive fault",
    "Fatal exception",
    "Memory Limit: ",
    "Physical memory",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks() {
        for (line, told) in [
            (
                " #0: ffff888003f2a0a8 (&a->lock){+.+.}-{3:3}, at: f+0x10/0x20 [m]",
                "&a->lock, at f [m]",
            ),
            (
                "ffffffffc0204080 (b_lock){+.+.}-{3:3}, at: f+0x10/0x20 [m]",
                "b_lock, at f [m]",
            ),
            (
                " (&mm->mmap_sem){++++++}, at: [<ffffffff811fa3c1>] f+0x10/0x20",
                "&mm->mmap_sem, at f",
            ),
        ] {
            assert_eq!(lock(line.trim()).as_deref(), Some(told));
        }
        assert_eq!(lock("m: call(x){y}"), None);
    }

    #[test]
    fn only_text_is_text() {
        for line in [
            "e1000: eth0 NIC Link is Up",
            "m: 00 01 02",
            "read the manual",
            "m: allocated 5 pages",
        ] {
            assert!(matches!(role(line, false), Line::Text), "{line}");
        }
    }
}
