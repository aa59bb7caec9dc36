// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes logs of real guests, without debug info.

use koru_decode::{Decoded, Decoder, Sources};
use koru_klog::{Finder, Found, Report, ReportKind, split_line};

fn found(log: &str) -> Vec<Found<&str>> {
    let mut finder = Finder::default();
    let mut found: Vec<_> = log
        .lines()
        .flat_map(|line| finder.push(line, split_line(line).1))
        .collect();
    found.extend(finder.flush());
    found
}

fn reports(log: &str) -> Vec<Report<&str>> {
    let reports = found(log).into_iter().filter_map(|f| match f {
        Found::Report(report) => Some(*report),
        Found::Other(_) => None,
    });
    reports.collect()
}

/// Returns the only report, and the lines that do not belong to it.
#[track_caller]
fn only(log: &str) -> (Report<&str>, Vec<&str>) {
    let mut reports = reports(log);
    assert_eq!(reports.len(), 1, "{reports:#?}");
    let others = found(log).into_iter().filter_map(|f| match f {
        Found::Other(line) => Some(line),
        Found::Report(_) => None,
    });
    (reports.remove(0), others.collect())
}

fn decoded<T>(report: &Report<T>) -> Decoded {
    Decoder::new(Sources::default(), |_, _| Vec::new()).decode(report)
}

fn functions(decoded: &Decoded) -> Vec<&str> {
    decoded.frames.iter().map(|f| f.function.as_str()).collect()
}

const PANICS: [(&str, &str); 2] = [
    ("6.1.0-56-cloud-amd64", include_str!("logs/panic-6.1.txt")),
    (
        "6.12.117+deb12-cloud-amd64",
        include_str!("logs/panic-6.12.txt"),
    ),
];

#[test]
fn rust_panic_is_found() {
    for (release, log) in PANICS {
        let (report, others) = only(log);
        assert_eq!(report.kind, ReportKind::RustPanic);
        assert_eq!(report.release.as_deref(), Some(release));
        assert_eq!(others.len(), 3, "{others:?}");
        let decoded = decoded(&report);
        let said = "index out of bounds: the len is 3 but the index is 7";
        assert_eq!(decoded.what, format!("panic in kt_fault_panic: {said}"));
        let at = decoded.at.as_ref().expect("a panic says where");
        let file = "tests/modules/kt_fault_panic/src/lib.rs";
        assert_eq!(at.file.as_deref(), Some(file));
        assert_eq!((at.line, at.column), (Some(31), Some(26)));
        assert_eq!(decoded.process.as_deref(), Some("insmod"));
        let functions = functions(&decoded);
        assert_eq!(functions[0], "koru_bug");
        assert!(functions.contains(&"kt_fault_panic::Panics::take"));
        // Addresses that the kernel only guesses are not in the call trace.
        assert!(!functions.contains(&"cleanup_module"), "{functions:?}");
        assert_eq!(functions.last(), Some(&"entry_SYSCALL_64_after_hwframe"));
        // A note says that the debug info is missing.
        assert_eq!(decoded.notes.len(), 1);
        assert!(
            decoded.notes[0].contains("--ko FILE"),
            "{:?}",
            decoded.notes
        );
    }
}

#[test]
fn registers_printed_twice_are_one_oops() {
    let (report, others) = only(include_str!("logs/null-6.12.txt"));
    assert_eq!(report.kind, ReportKind::Oops);
    assert_eq!(others.len(), 3, "{others:?}");
    let decoded = decoded(&report);
    assert_eq!(
        decoded.what,
        "oops: NULL pointer dereference (write to address 0)"
    );
    assert_eq!(
        decoded.place().as_deref(),
        Some("koru_fault_null [kt_fault_null]")
    );
    assert_eq!((decoded.pid, decoded.cpu), (Some(125), Some(0)));
    assert_eq!(functions(&decoded)[..2], ["koru_fault_null", "init_module"]);
}

#[test]
fn warning_ends_at_its_end_marker() {
    let log = include_str!("logs/warn-6.1.txt");
    let mut finder = Finder::default();
    let last = log.lines().last().expect("the end of the trace");
    for line in log.lines() {
        let found = finder.push(line, split_line(line).1);
        let whole = found.iter().any(|f| matches!(f, Found::Report(_)));
        assert_eq!(whole, line == last, "{line}");
    }
    let (report, _) = only(log);
    assert_eq!(decoded(&report).what, "warning: koru: a deliberate warning");
}

/// The stacks that allocated and freed the memory are shown apart.
#[test]
fn kasan_use_after_free_is_found() {
    let log = include_str!("logs/kasan-6.12.txt");
    let (report, others) = only(log);
    assert_eq!(report.kind, ReportKind::Sanitizer);
    assert_eq!(
        others.len(),
        2,
        "the rule above it is none of it: {others:?}"
    );
    assert_eq!(report.stacks.len(), 3, "{:#?}", report.stacks);
    let decoded = decoded(&report);
    let what = "memory error: read of 1 byte: memory that was freed (slab-use-after-free)";
    assert_eq!(decoded.what, what);
    let place = decoded.place();
    assert_eq!(
        place.as_deref(),
        Some("kt_kasan::after_the_free [kt_kasan]")
    );
    // KASAN's own functions are not in the call trace.
    let functions = functions(&decoded);
    let call_trace = ["kt_kasan::after_the_free", "do_one_initcall"];
    assert_eq!(functions[..2], call_trace);
    assert_eq!(functions.last(), Some(&"entry_SYSCALL_64_after_hwframe"));
}

#[test]
fn loop_is_found_by_an_nmi() {
    let (report, others) = only(include_str!("logs/loop-6.12.txt"));
    assert_eq!(report.kind, ReportKind::Nmi);
    assert!(report.panicked);
    assert_eq!(others.len(), 3, "{others:?}");
    // The functions that handle the NMI are not in the call trace.
    let decoded = decoded(&report);
    assert_eq!(functions(&decoded)[0], "kt_fault_loop::Loops::for_ever");
}

#[test]
fn journal_and_serial_prefixes_change_nothing() {
    let (_, log) = PANICS[1];
    let journal: String = log
        .lines()
        .map(|l| format!("Nov 21 17:05:08 box kernel: {}\n", split_line(l).1))
        .collect();
    let serial = log.replace('\n', "\r\n");
    let bare: String = log
        .lines()
        .map(|l| split_line(l).1.to_owned() + "\n")
        .collect();
    let (expected, _) = only(log);
    for other in [journal, serial, bare] {
        let (report, _) = only(&other);
        assert_eq!(report.stacks, expected.stacks);
        assert_eq!(report.head, expected.head);
    }
}

#[test]
fn foreign_lines_in_a_report_stay_in_the_log() {
    let (_, log) = PANICS[0];
    let mut lines: Vec<&str> = log.lines().collect();
    lines.insert(30, "[    3.100000] other: amid the stack");
    lines.insert(12, "[    3.100000] other: amid the registers");
    lines.push("[    3.200000] other: after it");
    let log = lines.join("\n");
    let (report, others) = only(&log);
    assert_eq!(report.stacks, only(PANICS[0].1).0.stacks);
    let theirs: Vec<_> = others.iter().filter(|l| l.contains("] other: ")).collect();
    assert_eq!(theirs.len(), 3);
    assert!(theirs[2].ends_with("after it"));
}

#[test]
fn consecutive_reports_are_separate() {
    let log = [
        include_str!("logs/warn-6.1.txt"),
        include_str!("logs/null-6.12.txt"),
    ]
    .concat();
    let kinds: Vec<ReportKind> = reports(&log).iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [ReportKind::Warning, ReportKind::Oops]);
}

#[test]
fn kernel_panic_belongs_to_its_oops() {
    let panic = "[    2.4] Kernel panic - not syncing: Fatal exception in interrupt\n\
                 [    2.4] Kernel Offset: disabled\n\
                 [    2.4] ---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---\n";
    let log = [include_str!("logs/null-6.12.txt"), panic].concat();
    let (report, _) = only(&log);
    assert_eq!(report.kind, ReportKind::Oops);
    assert!(report.panicked);
}

#[test]
fn module_messages_are_no_reports() {
    let log = "[    1.0] m: BUG: kernel NULL pointer dereference, address: 0\n\
               [    1.0] BUG: not the kernel's, and without a stack\n\
               [    1.0] WARNING: nor this\n\
               [    1.0] ------------[ cut here ]------------\n\
               [    1.0] m: RIP: 0010:f+0x1/0x2 [m]\n\
               [    1.0] RIP: lost\n";
    let found = found(log);
    let lines: Vec<&str> = found
        .iter()
        .map(|f| match f {
            Found::Other(line) => *line,
            Found::Report(report) => panic!("{report:?}"),
        })
        .collect();
    assert_eq!(lines, log.lines().collect::<Vec<_>>());
}

#[test]
fn every_other_kind_is_recognised() {
    let stack = "CPU: 1 PID: 77 Comm: my prog Not tainted 6.1.0 #1\nCall Trace:\n <TASK>\n \
                 f+0x1/0x20 [m]\n ? 0xffffffffc0206000\n do_syscall_64+0x1/0x20\n </TASK>\n";
    for (begin, kind, what) in [
        (
            "divide error: 0000 [#1] PREEMPT SMP\n",
            ReportKind::Oops,
            "oops: division by zero, or a result that is too large",
        ),
        (
            "Oops: divide error: 0000 [#1] PREEMPT SMP\n",
            ReportKind::Oops,
            "oops: division by zero, or a result that is too large",
        ),
        (
            "general protection fault, probably for non-canonical address 0xdead000000000122: \
             0000 [#1]\n",
            ReportKind::Oops,
            "oops: access to the non-canonical address 0xdead000000000122 (the mark of an entry \
             that \
             was removed from its list)",
        ),
        (
            "BUG: unable to handle page fault for address: 00007ffd1234\n\
             #PF: supervisor write access in kernel mode\n",
            ReportKind::Oops,
            "oops: write to address 0x7ffd1234, which belongs to user space: use copy_to_user \
             or copy_from_user",
        ),
        (
            "BUG: unable to handle page fault for address: ffffffffc0000000\n\
             #PF: supervisor instruction fetch in kernel mode\n",
            ReportKind::Oops,
            "oops: call of address 0xffffffffc0000000, which is not mapped",
        ),
        (
            "BUG: scheduling while atomic: insmod/77/0x00000002\n",
            ReportKind::Sleep,
            "sleeping in atomic context: BUG: scheduling while atomic: insmod/77/0x00000002",
        ),
        (
            "list_del corruption. next->prev should be x\n------------[ cut here ]------------\n\
             kernel BUG at lib/list_debug.c:59!\ninvalid opcode: 0000 [#1]\n",
            ReportKind::Bug,
            "bug: list_del corruption. next->prev should be x",
        ),
        (
            "------------[ cut here ]------------\nkernel BUG at a.c:5!\n",
            ReportKind::Bug,
            "BUG() at a.c:5",
        ),
        (
            "------------[ cut here ]------------\nWARNING: CPU: 1 PID: 7 at a.c:5 f+0x1/0x2 [m]\n",
            ReportKind::Warning,
            "warning: WARN_ON at a.c:5",
        ),
        (
            "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [insmod:80]\n",
            ReportKind::Lockup,
            "hang: watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [insmod:80]",
        ),
        (
            "rcu: INFO: rcu_preempt self-detected stall on CPU\nrcu: \t0-....: (5250 ticks)\n",
            ReportKind::Stall,
            "hang: rcu: INFO: rcu_preempt self-detected stall on CPU",
        ),
        (
            "INFO: task insmod:73 blocked for more than 120 seconds.\n      Not tainted 6.1.0 #1\n",
            ReportKind::HungTask,
            "hang: task insmod:73 blocked for more than 120 seconds",
        ),
        (
            "Kernel panic - not syncing: m says so\n",
            ReportKind::Panic,
            "kernel panic: m says so",
        ),
        ("", ReportKind::Stack, "the kernel printed its stack"),
    ] {
        let log = format!("{begin}{stack}");
        let (report, others) = only(&log);
        assert_eq!(report.kind, kind, "{begin}");
        assert!(others.is_empty(), "{begin}{others:?}");
        let decoded = decoded(&report);
        assert_eq!(decoded.what, what);
        assert_eq!(decoded.process.as_deref(), Some("my prog"));
        assert_eq!((decoded.pid, decoded.cpu), (Some(77), Some(1)));
    }
}
