// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes reports of kernels of any version, for any architecture, in any kind of log. The
//! logs are written for these tests, in the kernel's formats.

mod architectures;
mod damage;
mod forms;
mod kinds;

use koru_decode::{Decoded, Decoder, Sources, Style};
use koru_klog::{Finder, Found, Report, ReportKind, caller, plain_line, split_line};

fn found(log: &str) -> Vec<Found<&str>> {
    let mut finder = Finder::default();
    let mut found = Vec::new();
    for line in log.lines() {
        let plain = plain_line(line);
        let (before, text) = split_line(&plain);
        found.extend(finder.push_from(caller(before), line, text));
    }
    found.extend(finder.flush());
    found
}

fn others<'a>(found: &[Found<&'a str>]) -> Vec<&'a str> {
    let others = found.iter().filter_map(|f| match f {
        Found::Other(line) => Some(*line),
        Found::Report(_) => None,
    });
    others.collect()
}

fn decoded(report: &Report<&str>) -> Decoded {
    Decoder::new(Sources::default(), |_, _| Vec::new()).decode(report)
}

fn all(log: &str) -> Vec<Decoded> {
    let reports = found(log).into_iter().filter_map(|f| match f {
        Found::Report(report) => Some(decoded(&report)),
        Found::Other(_) => None,
    });
    reports.collect()
}

#[track_caller]
fn only(log: &str) -> Decoded {
    let mut all = all(log);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn functions(decoded: &Decoded) -> Vec<&str> {
    decoded.frames.iter().map(|f| f.function.as_str()).collect()
}

const OLD_OOPS: &str = "\
[  1.000] BUG: unable to handle kernel paging request at ffff88009d5e3000
[  1.001] IP: [<ffffffffa0a42101>] agent_init+0x101/0x1000 [lab]
[  1.002] PGD 1d24067
[  1.003] Oops: 0000 [#1] SMP
[  1.004] Modules linked in: lab(O+)
[  1.005] task: ffff880337f12990 ti: ffff880337514000
[  1.006] RIP: 0010:[<ffffffffa0a42101>]  [<ffffffffa0a42101>] agent_init+0x101/0x1000 [lab]
[  1.007] Call Trace:
[  1.008]  [<ffffffff81002123>] do_one_initcall+0xb3/0x1d0
[  1.009]  [<ffffffff8118a8f2>] do_init_module+0x5b/0x1d2
[  1.010] ---[ end trace 1 ]---
[  2.000] next
";

#[test]
fn oops_of_an_old_kernel() {
    let oops = only(OLD_OOPS);
    assert_eq!(oops.kind, ReportKind::Oops);
    let path = ["agent_init", "do_one_initcall", "do_init_module"];
    assert_eq!(functions(&oops), path);
    assert_eq!(others(&found(OLD_OOPS)), ["[  2.000] next"]);
    assert!(
        oops.what.contains("paging request at ffff88009d5e3000"),
        "{}",
        oops.what
    );
}

/// Lines that only look like a report come out as they came in.
#[test]
fn nothing_is_reordered() {
    let log = "[1.0] BUG: a module's own words\n[1.1] usb 1-1: new device\n\
               [1.2] Modules linked in: m\n[1.3] eth0: link is up\n[1.4] Code: 00\n[1.5] end\n";
    let found = found(log);
    assert_eq!(others(&found), log.lines().collect::<Vec<_>>());
}

#[test]
fn lines_of_others_are_no_cause() {
    let warning = |between: &str| {
        format!(
            "[  1.0][  T77] ------------[ cut here ]------------\n{between}\
             [  1.2][  T77] WARNING: CPU: 0 PID: 77 at lab.c:5 lab_init+0x1/0x20 [lab]\n\
             [  1.3][  T77] CPU: 0 PID: 77 Comm: insmod Tainted: G O 6.8.0 #1\n\
             [  1.4][  T77] RIP: 0010:lab_init+0x1/0x20 [lab]\n\
             [  1.5][  T77] ---[ end trace 0 ]---\n"
        )
    };
    // The caller says that it is another task's line.
    let log = warning("[  1.1][    C1] eth0: link is up\n");
    assert_eq!(only(&log).what, "warning: WARN_ON at lab.c:5");
    assert_eq!(others(&found(&log)), ["[  1.1][    C1] eth0: link is up"]);
    // Without callers, the message can be any of two lines.
    let strip = |log: &str| log.replace("[  T77]", "").replace("[    C1]", "");
    let log = strip(&warning(
        "[  1.1] eth0: link is up\n[  1.1] lab: went wrong\n",
    ));
    assert_eq!(only(&log).what, "warning: WARN_ON at lab.c:5");
    assert_eq!(others(&found(&log)).len(), 2);
    let log = strip(&warning("[  1.1] lab: went wrong\n"));
    assert_eq!(only(&log).what, "warning: lab: went wrong");
    // A report that another processor prints in between is found as well.
    let other: String = OLD_OOPS
        .lines()
        .map(|l| l.replacen("] ", "][   C1] ", 1) + "\n")
        .collect();
    let log = warning(&other);
    let kinds: Vec<ReportKind> = all(&log).iter().map(|d| d.kind).collect();
    assert_eq!(kinds, [ReportKind::Warning, ReportKind::Oops]);
    assert_eq!(all(&log)[0].what, "warning: WARN_ON at lab.c:5");
}

const KASAN: &str = "\
[   54.510000] ==================================================================
[   54.510001] BUG: KASAN: slab-use-after-free in lab_read+0x44/0x90 [lab]
[   54.510002] Read of size 4 at addr ffff88806c856a40 by task cat/3608
[   54.510003]
[   54.510004] CPU: 1 PID: 3608 Comm: cat Tainted: G OE 6.8.0 #1
[   54.510005] Call Trace:
[   54.510006]  <TASK>
[   54.510007]  dump_stack_lvl+0x44/0x5c
[   54.510008]  print_report+0xc1/0x5e0
[   54.510009]  kasan_report+0xbe/0xf0
[   54.510010]  lab_read+0x44/0x90 [lab]
[   54.510011]  vfs_read+0xb2/0x300
[   54.510012]  </TASK>
[   54.510013]
[   54.510014] Allocated by task 3600:
[   54.510015]  kasan_save_stack+0x22/0x40
[   54.510016]  lab_open+0x30/0x60 [lab]
[   54.510017]
[   54.510018] Freed by task 3600:
[   54.510019]  kasan_save_stack+0x22/0x40
[   54.510020]  lab_write+0x70/0x90 [lab]
[   54.510021]
[   54.510022] The buggy address belongs to the object at ffff88806c856a40
                which belongs to the cache kmalloc-64 of size 64
";

#[test]
fn stacks_of_kasan_are_apart() {
    let kasan = only(KASAN);
    assert_eq!(kasan.kind, ReportKind::Sanitizer);
    assert_eq!(functions(&kasan), ["lab_read", "vfs_read"]);
    assert!(kasan.what.contains("read of 4 bytes"), "{}", kasan.what);
    let parts: Vec<_> = kasan
        .parts
        .iter()
        .map(|p| (&*p.title, p.function.as_deref()))
        .collect();
    let expected = [
        ("Allocated by task 3600", Some("lab_open")),
        ("Freed by task 3600", Some("lab_write")),
    ];
    assert_eq!(parts, expected);
    let style = Style {
        colour: false,
        raw: None,
    };
    let text = kasan.text("", &style);
    assert!(
        text.contains("\n  allocated by task 3600 in lab_open:\n    lab_open+0x30 [lab]\n"),
        "{text}"
    );
    assert!(
        text.contains("\n  freed by task 3600 in lab_write:\n    lab_write+0x70 [lab]"),
        "{text}"
    );
    assert_eq!(others(&found(KASAN)).len(), 1);
    // The fault is not in the module that allocated the memory.
    let log = KASAN.replace("lab_read+0x44/0x90 [lab]", "kernel_read+0x44/0x90");
    assert_eq!(functions(&only(&log)), ["kernel_read", "vfs_read"]);
}

/// Lines that look like the beginnings of reports, again and again, are neither held for ever
/// nor lost.
#[test]
fn floods_pass_through() {
    let log = "BUG: a module's own words\n------------[ cut here ]------------\n".repeat(1000);
    let found = found(&log);
    assert_eq!(others(&found), log.lines().collect::<Vec<_>>());
}

#[test]
fn every_kind_of_log() {
    let bare = KASAN.lines().map(|l| split_line(l).1);
    let expected = only(KASAN);
    for before in [
        "",
        "Nov 21 17:05:08 box kernel: ",
        "Nov 21 17:05:08 box kernel: [   54.510006] ",
        "<3>[   54.510006] ",
        "kern  :err   : [   54.510006] ",
        "11-21 17:05:08.100     0     0 E kernel  : [   54.510006] ",
        "[17:05:08] [   54.510006][ T3608] ",
        "\x1b[32m[   54.510006]\x1b[0m ",
        "\u{0}\u{fffd}[   54.510006] ",
    ] {
        let log: String = bare.clone().map(|l| format!("{before}{l}\r\n")).collect();
        let decoded = only(&log);
        assert_eq!(decoded.what, expected.what, "{before}");
        assert_eq!(functions(&decoded), functions(&expected), "{before}");
        assert_eq!(decoded.parts.len(), expected.parts.len(), "{before}");
    }
}
