// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes reports of kernels of any version, for any architecture, in any kind of log. The
//! logs are written for these tests, in the kernel's formats.

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

const POISON: &str = "\
[   99.408388] =============================================================================
[   99.408393] BUG kmalloc-64 (Tainted: G           OE     ): Poison overwritten
[   99.408394] -----------------------------------------------------------------------------

[   99.408395] Allocated in lab_alloc+0x55/0x1000 [uaf] age=1 cpu=0 pid=1329
[   99.408395]  do_one_initcall+0x56/0x230
[   99.408398] 0xffff888103f2a040-0xffff888103f2a040 @offset=64. First byte 0x1 instead of 0x6b
[   99.408402] Slab 0xffffea00040fca80 objects=21 used=20 fp=0xffff888103f2a040 flags=0x17(slab|zone=2)
[   99.408402] Object   ffff888103f2a040: 01 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  .kkkkkkkkkkkkkkk
[   99.408403] CPU: 0 PID: 1329 Comm: insmod Tainted: G    B      OE      6.1.0-18-amd64 #1  Debian
[   99.408404] Call Trace:
[   99.408405]  <TASK>
[   99.408406]  dump_stack_lvl+0x44/0x5c
[   99.408407]  check_bytes_and_report.cold+0x49/0x92
[   99.408408]  check_object+0x1b5/0x2a0
[   99.408409]  uaf_init+0x55/0x1000 [uaf]
[   99.408410]  do_one_initcall+0x56/0x230
[   99.408411]  </TASK>
[   99.408412] FIX kmalloc-64: Restoring Poison 0xffff888103f2a040-0xffff888103f2a040=0x6b
";

#[test]
fn slab_says_what_was_overwritten() {
    let slab = only(POISON);
    assert_eq!(slab.kind, ReportKind::Slab);
    let what = "memory error: BUG kmalloc-64: Poison overwritten: written after it was freed";
    assert_eq!(slab.what, what);
    assert_eq!(functions(&slab), ["uaf_init", "do_one_initcall"]);
    assert_eq!(slab.process.as_deref(), Some("insmod"));
    assert_eq!(slab.parts.len(), 1, "{:#?}", slab.parts);
    assert!(slab.parts[0].title.starts_with("Allocated in lab_alloc"));
}

#[test]
fn locks_and_their_holders() {
    let log = "\
======================================================
WARNING: possible circular locking dependency detected
6.1.0 #1 Tainted: G           OE
------------------------------------------------------
insmod/77 is trying to acquire lock:
ffffffffc0204080 (&lab_a){+.+.}-{3:3}, at: lab_second+0x10/0x40 [lab]

but task is already holding lock:
ffffffffc0204020 (&lab_b){+.+.}-{3:3}, at: lab_second+0x8/0x40 [lab]

which lock already depends on the new lock.


the existing dependency chain (in reverse order) is:

-> #1 (&lab_b){+.+.}-{3:3}:
       __mutex_lock+0x8c/0x790
       lab_first+0x20/0x40 [lab]
       do_one_initcall+0x56/0x230

-> #0 (&lab_a){+.+.}-{3:3}:
       check_prev_add+0x90/0xc60
       __lock_acquire+0x1210/0x1fe0
       lab_second+0x10/0x40 [lab]

other info that might help us debug this:

 Possible unsafe locking scenario:

       CPU0                    CPU1
       ----                    ----
  lock(&lab_b);
                               lock(&lab_a);

 *** DEADLOCK ***

1 lock held by insmod/77:
 #0: ffffffffc0204020 (&lab_b){+.+.}-{3:3}, at: lab_second+0x8/0x40 [lab]

stack backtrace:
CPU: 1 PID: 77 Comm: insmod Tainted: G           OE      6.1.0 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x44/0x5c
 check_noncircular+0x120/0x130
 __lock_acquire+0x1210/0x1fe0
 lab_second+0x10/0x40 [lab]
 do_one_initcall+0x56/0x230
 </TASK>
";
    let lockdep = only(log);
    assert_eq!(lockdep.kind, ReportKind::Lockdep);
    let what = "locking error: possible circular locking dependency detected";
    assert_eq!(lockdep.what, what);
    assert_eq!(functions(&lockdep), ["lab_second", "do_one_initcall"]);
    assert_eq!(lockdep.pid, Some(77));
    let parts: Vec<_> = lockdep
        .parts
        .iter()
        .map(|p| (&*p.title, &p.locks[..]))
        .collect();
    let lock = |name: &str| vec![format!("{name}, at lab_second [lab]")];
    let (a, b) = (lock("&lab_a"), lock("&lab_b"));
    let expected: [(&str, &[String]); 5] = [
        ("insmod/77 is trying to acquire lock", &a),
        ("but task is already holding lock", &b),
        ("&lab_b was taken", &[]),
        ("&lab_a was taken", &[]),
        ("1 lock held by insmod/77", &b),
    ];
    assert_eq!(parts, expected);
    assert_eq!(lockdep.parts[2].function.as_deref(), Some("lab_first"));
    assert_eq!(others(&found(log)).len(), 1, "the rule above it");
}

const STACK: &str = "CPU: 1 PID: 77 Comm: insmod Not tainted 6.1.0 #1\nCall Trace:\n <TASK>\n \
                     lab_init+0x1/0x20 [lab]\n do_one_initcall+0x56/0x230\n </TASK>\n";

#[test]
fn every_kind_has_its_name() {
    for (log, kind, what) in [
        (
            "BUG: KFENCE: use-after-free read in lab_init+0x1/0x20 [lab]\n\n\
          Use-after-free read at 0xffff (in kfence-#17):\n lab_init+0x1/0x20 [lab]\n\n\
          kfence-#17: 0xffff-0xffff, size=32, cache=kmalloc-32\n\n\
          allocated by task 77 on cpu 0 at 24.8s:\n lab_open+0x1/0x20 [lab]\n\n",
            ReportKind::Sanitizer,
            "memory error: use-after-free read (KFENCE)",
        ),
        (
            "BUG: KCSAN: data-race in lab_read / lab_write\n\n\
          write to 0xffffffff of 8 bytes by task 78 on cpu 0:\n lab_init+0x1/0x20 [lab]\n\n\
          read to 0xffffffff of 8 bytes by task 79 on cpu 1:\n lab_read+0x1/0x20 [lab]\n\n\
          Reported by Kernel Concurrency Sanitizer on:\n",
            ReportKind::Sanitizer,
            "data race: lab_read / lab_write (KCSAN)",
        ),
        (
            "BUG: KMSAN: uninit-value in lab_init+0x1/0x20 [lab]\n lab_init+0x1/0x20 [lab]\n\n\
          Uninit was created at:\n lab_open+0x1/0x20 [lab]\n\n",
            ReportKind::Sanitizer,
            "use of uninitialised memory: uninit-value (KMSAN)",
        ),
        (
            "UBSAN: array-index-out-of-bounds in lab.c:5:4\nindex 7 is out of range for type 'int [4]'\n",
            ReportKind::Sanitizer,
            "undefined behaviour: array-index-out-of-bounds in lab.c:5:4: index 7 is out of range for type 'int [4]'",
        ),
        (
            "[ INFO: possible recursive locking detected ]\n4.4.0 #1 Not tainted\n",
            ReportKind::Lockdep,
            "locking error: possible recursive locking detected",
        ),
        (
            "WARNING: inconsistent lock state\n6.1.0 #1 Not tainted\n--------------------------------\n\
          inconsistent {HARDIRQ-ON-W} -> {IN-HARDIRQ-W} usage.\n",
            ReportKind::Lockdep,
            "locking error: inconsistent lock state: inconsistent {HARDIRQ-ON-W} -> {IN-HARDIRQ-W} usage.",
        ),
        (
            "[ BUG: Invalid wait context ]\n",
            ReportKind::Lockdep,
            "locking error: Invalid wait context",
        ),
        (
            "WARNING: held lock freed!\n",
            ReportKind::Lockdep,
            "locking error: held lock freed",
        ),
        (
            "WARNING: suspicious RCU usage\n6.1.0 #1 Not tainted\n\
          lab.c:7 suspicious rcu_dereference_check() usage!\n",
            ReportKind::Lockdep,
            "locking error: suspicious RCU usage: lab.c:7 suspicious rcu_dereference_check() usage!",
        ),
        (
            "WARNING: bad unlock balance detected!\n",
            ReportKind::Lockdep,
            "locking error: bad unlock balance detected",
        ),
        (
            "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n\
          rcu: \t0-...!: (1 GPs behind) idle=1\n\t(detected by 1, t=5252 jiffies, g=1, q=1)\n\
          Sending NMI from CPU 1 to CPUs 0:\nNMI backtrace for cpu 0\n",
            ReportKind::Stall,
            "hang: rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        ),
        (
            "INFO: rcu_sched self-detected stall on CPU { 0}  (t=21000 jiffies)\n",
            ReportKind::Stall,
            "hang: INFO: rcu_sched self-detected stall on CPU { 0}  (t=21000 jiffies)",
        ),
        (
            "INFO: rcu_tasks detected stalls on tasks:\nffff: .. nvcsw: 2/2 holdout: 1\n\
          task:insmod state:R running task stack:0 pid:77\n",
            ReportKind::Stall,
            "hang: INFO: rcu_tasks detected stalls on tasks:",
        ),
        (
            "watchdog: Watchdog detected hard LOCKUP on cpu 0\n",
            ReportKind::Lockup,
            "hang: watchdog: Watchdog detected hard LOCKUP on cpu 0",
        ),
        (
            "BUG: sleeping function called from invalid context at mm/slab.h:274\n\
          in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 77, name: insmod\n\
          preempt_count: 1, expected: 0\n",
            ReportKind::Sleep,
            "sleeping in atomic context: BUG: sleeping function called from invalid context at mm/slab.h:274",
        ),
        (
            "------------[ cut here ]------------\nrefcount_t: underflow; use-after-free.\n\
          WARNING: CPU: 1 PID: 77 at lib/refcount.c:28 refcount_warn_saturate+0x1/0x2\n",
            ReportKind::Warning,
            "warning: refcount_t: underflow; use-after-free.",
        ),
        (
            "WARNING: CPU: 0 PID: 1 at lib/list_debug.c:59 __list_del_entry+0xa1/0xd0()\n\
          list_del corruption. prev->next should be a, but was b\nModules linked in: lab(O)\n",
            ReportKind::Warning,
            "warning: list_del corruption. prev->next should be a, but was b",
        ),
        (
            "insmod: page allocation failure: order:10, mode:0x40cc0(GFP_KERNEL), nodemask=(null)\n",
            ReportKind::NoMemory,
            "out of memory: insmod: page allocation failure: order:10, mode:0x40cc0(GFP_KERNEL), nodemask=(null)",
        ),
        (
            "BUG: TASK stack guard page was hit at 00000000 (stack is 0..1)\n\
          stack guard page: 0000 [#1] PREEMPT SMP\n",
            ReportKind::Oops,
            "oops: kernel stack overflow: recursion or large local variables",
        ),
        (
            "unchecked MSR access error: WRMSR to 0x1 (tried to write 0x2) at rIP: 0xff (lab+0x1/0x2)\n",
            ReportKind::Warning,
            "warning: unchecked MSR access error: WRMSR to 0x1 (tried to write 0x2) at rIP: 0xff (lab+0x1/0x2)",
        ),
        (
            "BUG: Bad page state in process insmod  pfn:12345\npage:ffffea00 refcount:-1 mapcount:0\n",
            ReportKind::Bug,
            "bug: Bad page state in process insmod  pfn:12345",
        ),
        (
            "unreferenced object 0xffff888003f2a040 (size 64):\n  comm \"insmod\", pid 77, jiffies 42\n  \
          hex dump (first 32 bytes):\n    6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n  \
          backtrace:\n    [<00000000d1d2d3d4>] __kmalloc+0x1/0x2\n    [<00000000d1d2d3d4>] lab_init+0x1/0x20 [lab]\n",
            ReportKind::Leak,
            "memory leak: 64 bytes that nothing refers to",
        ),
    ] {
        let log = match kind {
            ReportKind::Leak => log.to_owned(),
            // The line with the task ends these.
            _ if ["KFENCE", "KCSAN", "KMSAN"]
                .iter()
                .any(|name| log.contains(name)) =>
            {
                let task = STACK.lines().next().expect("there is one");
                format!("{log}{task}\n")
            }
            _ => log.to_owned() + STACK,
        };
        let decoded = only(&log);
        assert_eq!((decoded.kind, &*decoded.what), (kind, what), "{decoded:#?}");
        assert_eq!(decoded.frames[0].function, "lab_init", "{log}{decoded:#?}");
        let pid = if log.contains("KCSAN") { 78 } else { 77 };
        assert_eq!(decoded.pid, Some(pid), "{log}");
        let left: Vec<_> = others(&found(&log))
            .into_iter()
            .filter(|l| !l.contains("#1 Not tainted"))
            .collect();
        assert!(left.len() <= 1, "{log}{left:?}");
    }
}

/// What nobody but the kernel prints is a report even where its stack is missing.
#[test]
fn reports_without_a_stack() {
    for line in [
        "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [insmod:80]",
        "INFO: task insmod:73 blocked for more than 120 seconds.",
        "rcu: INFO: rcu_preempt self-detected stall on CPU",
        "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
        "kernel BUG at lab.c:5!",
        "BUG: kernel NULL pointer dereference, address: 0000000000000000",
    ] {
        assert_eq!(all(line).len(), 1, "{line}");
    }
    let kasan = only("BUG: KASAN: slab-use-after-free in lab_read+0x44/0x90 [lab]\n");
    assert_eq!(functions(&kasan), ["lab_read"]);
}

#[test]
fn other_architectures() {
    let arm64 = "\
[32185.008731] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
[32185.008765] Mem abort info:
[32185.008770]   ESR = 0x96000005
[32185.008840] Internal error: Oops: 96000005 [#1] PREEMPT SMP
[32185.008846] Modules linked in: lab
[32185.009000] CPU: 1 PID: 900 Comm: kworker/1:2 Tainted: G         C        5.15.32-v8+ #1538
[32185.009010] pc : lab_read+0x18/0x40 [lab]
[32185.009014] lr : lab_dpc+0x24/0x90 [lab]
[32185.009015] sp : ffffffc0123
[32185.009015] x29: ffffffc0123 x28: 0000000000000000 x27: 0000000000000000
[32185.009100] Call trace:
[32185.009104]  lab_read+0x18/0x40 [lab]
[32185.009108]  lab_dpc+0x24/0x90 [lab]
[32185.009130] Code: aa0003f3 f9400c00 b4000060 (f9400c01)
[32185.009140] ---[ end trace 0000000000000000 ]---
";
    let vendor: String = arm64
        .lines()
        .map(|l| l.replacen("] ", "] [pid:10974,cpu1,grep]", 1) + "\n")
        .collect();
    let arm = "\
Unable to handle kernel NULL pointer dereference at virtual address 00000018
pgd = c0004000
[00000018] *pgd=00000000
Internal error: Oops: 17 [#1] ARM
Modules linked in: lab(O+)
CPU: 0 PID: 900 Comm: insmod Tainted: G           O    4.4.0 #1
PC is at lab_read+0x18/0x40 [lab]
LR is at lab_dpc+0x24/0x90 [lab]
pc : [<bf000018>]    lr : [<bf000064>]    psr: 60000013
r10: 00000000  r9 : 00000000  r8 : 00000000
Process insmod (pid: 900, stack limit = 0xc1234210)
Stack: (0xc1235e48 to 0xc1236000)
5e40:                   00000000 c0a5d2c8 00000000 00000000
[<bf000018>] (lab_read [lab]) from [<bf000064>] (lab_dpc+0x24/0x90 [lab])
[<bf000064>] (lab_dpc [lab]) from [<c0008a4c>] (do_one_initcall+0x3c/0x170)
Code: e59f0010 e5900000 e3500000 (e5801000)
---[ end trace 0000000000000000 ]---
";
    let riscv = "\
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
Oops [#1]
Modules linked in: lab(O+)
CPU: 0 PID: 900 Comm: insmod Tainted: G           O       6.1.0 #1
epc : lab_read+0x18/0x40 [lab]
 ra : lab_dpc+0x24/0x90 [lab]
epc : ffffffff01a8a018 ra : ffffffff01a8a064 sp : ff20000000d4bc50
 gp : ffffffff81a3ff38 tp : ff60000080b82640 t0 : 0000000000000000
status: 0000000200000120 badaddr: 0000000000000018 cause: 000000000000000f
[<ffffffff01a8a018>] lab_read+0x18/0x40 [lab]
[<ffffffff01a8a064>] lab_dpc+0x24/0x90 [lab]
---[ end trace 0000000000000000 ]---
";
    let powerpc = "\
BUG: Kernel NULL pointer dereference at 0x00000018
Faulting instruction address: 0xc008000000a50018
Oops: Kernel access of bad area, sig: 11 [#1]
LE PAGE_SIZE=64K MMU=Hash SMP NR_CPUS=2048 NUMA pSeries
Modules linked in: lab(O+)
CPU: 0 PID: 900 Comm: insmod Tainted: G           O      5.10.0 #1
NIP:  c008000000a50018 LR: c008000000a50064 CTR: c000000000012340
REGS: c00000000a5b7800 TRAP: 0300   Tainted: G           O       (5.10.0)
GPR00: c008000000a50064 c00000000a5b7a90 c008000000a58000 0000000000000000
NIP [c008000000a50018] lab_read+0x18/0x40 [lab]
LR [c008000000a50064] lab_dpc+0x24/0x90 [lab]
Call Trace:
[c00000000a5b7a90] [c008000000a50064] lab_dpc+0x24/0x90 [lab] (unreliable)
Instruction dump:
---[ end trace 0000000000000000 ]---
";
    let s390 = "\
Unable to handle kernel pointer dereference in virtual kernel address space
Failing address: 0000000000000000 TEID: 0000000000000483
Fault in home space mode while using kernel ASCE.
Oops: 0004 ilc:2 [#1] SMP
Modules linked in: lab(O+)
CPU: 0 PID: 900 Comm: insmod Tainted: G           O      5.10.0 #1
Krnl PSW : 0704c00180000000 000003ff801e6018 (lab_read+0x18/0x40 [lab])
           R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:0 PM:0 RI:0 EA:3
Krnl GPRS: 0000000000000000 0000000000000000 0000000000000000 0000000000000001
Call Trace:
 [<000003ff801e6064>] lab_dpc+0x24/0x90 [lab]
([<000003ff801e6064>] lab_dpc+0x24/0x90 [lab])
Last Breaking-Event-Address:
 [<000003ff801e6000>] lab_read+0x0/0x40 [lab]
---[ end trace 0000000000000000 ]---
";
    for log in [arm64, &vendor, arm, riscv, powerpc, s390] {
        let oops = only(log);
        assert_eq!(oops.kind, ReportKind::Oops, "{log}");
        assert!(oops.what.starts_with("oops: "), "{}", oops.what);
        assert_eq!(
            functions(&oops)[..2],
            ["lab_read", "lab_dpc"],
            "{log}{oops:#?}"
        );
        assert_eq!(oops.frames[0].offset, 0x18, "{log}");
        assert_eq!(oops.frames[0].module.as_deref(), Some("lab"));
        assert_eq!(oops.pid, Some(900));
        assert_eq!(oops.place().as_deref(), Some("lab_read [lab]"));
        assert_eq!(others(&found(log)), [""; 0], "{log}");
    }
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
