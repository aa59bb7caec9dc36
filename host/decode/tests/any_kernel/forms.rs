// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes reports in the forms that consoles, tools and people give to a log.

use koru_decode::Style;
use koru_klog::ReportKind;

use crate::{all, functions, only};

const OOPS: &str = "\
BUG: kernel NULL pointer dereference, address: 0000000000000008
Oops: 0002 [#1] PREEMPT SMP
CPU: 1 PID: 900 Comm: cat Tainted: G           OE      6.8.0 #1
RIP: 0010:lab_read+0x18/0x40 [lab]
Call Trace:
 <TASK>
 vfs_read+0xb2/0x300
 ksys_read+0x6b/0xf0
 </TASK>
";

#[test]
fn whatever_stands_before_the_lines() {
    let befores = [
        "| ",
        "# ",
        "> ",
        ">> ",
        "00478 ",
        "WARN: ",
        "[  +0.000010] ",
        "[Nov21 17:05] ",
        "[1-721.3694] ",
        "181.3  [ 37.864108] ",
        "|[    0.535569] ",
    ];
    for before in befores {
        let log: String = OOPS.lines().map(|l| format!("{before}{l}\n")).collect();
        let oops = only(&log);
        assert_eq!(oops.kind, ReportKind::Oops, "{before}");
        let path = ["lab_read", "vfs_read", "ksys_read"];
        assert_eq!(functions(&oops), path, "{before}");
    }
}

#[test]
fn a_report_without_its_first_lines() {
    let log = "\
IP: [<ffffffffa0a42101>] lab_read+0x18/0x40 [lab]
PGD 9fa14067 PUD 9fa16067
Oops: 0000 [#1] SMP
 [<ffffffff81002123>] vfs_read+0x9c/0x170
";
    let oops = only(log);
    assert_eq!(oops.kind, ReportKind::Oops);
    assert_eq!(functions(&oops), ["lab_read", "vfs_read"]);
    assert!(all("eth0: IP: 10.0.0.1 is up\nIP: 10.0.0.1\n").is_empty());
}

/// `decode_stacktrace.sh` replaces the offsets by lines of the source.
#[test]
fn lines_of_the_source_instead_of_offsets() {
    let log = "\
BUG: KASAN: slab-out-of-bounds in lab_write (drivers/lab/main.c:31) lab
Write of size 1 at addr ffff888003d3c6d8 by task sh/84
CPU: 0 PID: 84 Comm: sh Tainted: G           OE      6.8.0 #1
Call Trace:
 <TASK>
dump_stack_lvl (lib/dump_stack.c:107)
print_report (mm/kasan/report.c:365 mm/kasan/report.c:475)
kasan_report (mm/kasan/report.c:590)
lab_write (drivers/lab/main.c:31 (discriminator 3)) lab
vfs_write (fs/read_write.c:588)
 </TASK>
";
    let found = only(log);
    assert_eq!(found.kind, ReportKind::Sanitizer);
    assert_eq!(functions(&found), ["lab_write", "vfs_write"]);
    assert_eq!(found.frames[0].module.as_deref(), Some("lab"));
}

/// Where the log does not say where the processor was, the innermost frames are those of the
/// function that failed for the others.
#[test]
fn the_function_that_a_person_would_name() {
    let log = "\
BUG: unable to handle kernel NULL pointer dereference at 0000000000000018
Call Trace:
 ? mark_held_locks+0x4f/0x80
 lock_acquire+0x9a/0x190
 _raw_spin_lock_irqsave+0x3a/0x50
 ida_destroy+0x3f/0x190
 lab_release+0x11/0x20 [lab]
 __x64_sys_delete_module+0x124/0x1b0
";
    let place = only(log).place();
    assert_eq!(
        place.as_deref(),
        Some("ida_destroy, called by lab_release [lab]")
    );
}

/// Somebody has left out the frames that matter; the title still names the function.
#[test]
fn the_function_of_the_title() {
    let log = "\
BUG: KASAN: slab-out-of-bounds in lab_copy+0xb3/0x4a0 [lab]
Read of size 64 at addr ffff8880b8f9fe40 by task cat/17603
Call Trace:
 lab_open+0x2ae/0x910 [lab]
";
    assert_eq!(only(log).place().as_deref(), Some("lab_copy"));
}

#[test]
fn lockdep_before_it_had_a_title() {
    let log = "\
include/linux/lab.h:221 suspicious rcu_dereference_check() usage!

other info that might help us debug this:

rcu_scheduler_active = 2, debug_locks = 1
1 lock held by cat/42:
 #0: ffffffffa04263f8 (lab_mutex){+.+.}-{3:3}, at: lab_open+0x20/0x40 [lab]

stack backtrace:
Call Trace:
 lockdep_rcu_suspicious+0x141/0x14f
 lab_find+0x31/0x50 [lab]
";
    let found = only(log);
    assert_eq!(found.kind, ReportKind::Lockdep);
    assert_eq!(functions(&found), ["lab_find"]);
    // Later kernels print the same line behind a title: that is one report.
    let titled = format!("WARNING: suspicious RCU usage\n6.8.0 #1 Tainted: G\n----\n{log}");
    assert_eq!(only(&titled).kind, ReportKind::Lockdep);
}

#[test]
fn functions_that_call_each_other() {
    let frames = " lab_even+0x18/0x40 [lab]\n lab_odd+0x9/0x40 [lab]\n".repeat(200);
    let again = " walk+0x1/0x20\n".repeat(50);
    let log = OOPS.replace(" vfs_read", &format!("{frames}{again} vfs_read"));
    let oops = only(&log);
    assert_eq!(oops.frames.len(), 1 + 400 + 50 + 2);
    let style = Style {
        colour: false,
        raw: None,
    };
    let text = oops.text("", &style);
    assert!(text.contains("(these 2 calls, 200 times)"), "{text}");
    assert!(text.contains("walk  (50 times), vfs_read"), "{text}");
    assert!(text.lines().count() < 12, "{text}");
}
