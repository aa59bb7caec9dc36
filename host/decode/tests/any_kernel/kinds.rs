// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes every kind of report.

use koru_klog::ReportKind;

use crate::{all, found, functions, only, others};

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

/// A report is about the function that waits, not about the ones that do it for the function,
/// and about what an interrupt interrupted.
#[test]
fn subjects_of_hangs() {
    let hung = "INFO: task insmod:77 blocked for more than 120 seconds.\n      \
                Not tainted 4.4.0 #1\ninsmod          D ffff88003d3c6d88     0    77      1 0x00000000\n\
                Call Trace:\n [<ffffffff818205c0>] __schedule+0x1/0x20\n \
                [<ffffffff818205c0>] schedule+0x35/0x80\n [<ffffffff818205c0>] \
                mutex_lock+0x1/0x20\n [<ffffffff818205c0>] vfs_wait+0x1/0x20\n";
    assert_eq!(only(hung).place().as_deref(), Some("vfs_wait"));
    let stall = "INFO: rcu_sched self-detected stall on CPU { 0}  (t=21000 jiffies)\n\
                 Call Trace:\n <IRQ>  [<ffffffff813a0886>] sched_show_task+0x1/0x20\n \
                 [<ffffffff8148081c>] update_process_times+0x1/0x20\n <EOI>  \
                 [<ffffffff81010d64>] ? _raw_spin_lock+0x1/0x20\n \
                 [<ffffffff81718c49>] lab_spin+0x1/0x20 [lab]\n";
    assert_eq!(functions(&only(stall)), ["lab_spin"]);
}

/// Letters and commit messages indent what they quote.
#[test]
fn indented_reports_are_found() {
    let log = "\
    BUG: kernel NULL pointer dereference, address: 0000000000000008\n\
    #PF: supervisor read access in kernel mode\n\
    Oops: 0000 [#1] SMP\n\
    CPU: 1 PID: 77 Comm: cat Not tainted 6.1.0 #1\n\
    RIP: 0010:lab_read+0x10/0x40 [lab]\n\
    Call Trace:\n\
     <TASK>\n\
     vfs_read+0x100/0x200\n\
     </TASK>\n";
    let log: String = log.lines().map(|line| format!("    {line}\n")).collect();
    let oops = only(&log);
    assert_eq!(oops.kind, ReportKind::Oops);
    assert!(oops.what.contains("NULL pointer"), "{}", oops.what);
    assert_eq!(functions(&oops), ["lab_read", "vfs_read"]);
}

/// The kernel's own line names the function, also one that is left out of other reports.
#[test]
fn function_of_the_title_is_named() {
    for (title, frames, named) in [
        (
            "BUG: KASAN: slab-out-of-bounds in string_nocheck+0x10/0x40",
            &["string+0x1/0x10", "vsnprintf+0x1/0x10"][..],
            "string_nocheck",
        ),
        (
            "BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0x10/0x40",
            &["kmalloc_oob_right+0x10/0x40", "kunit_try_run_case+0x1/0x10"],
            "kmalloc_oob_right",
        ),
        (
            "WARNING: CPU: 0 PID: 7 at include/net/lock.h:56 linkwatch_sync+0x1/0x10",
            &["ethtool_op_get_link+0x1/0x10"],
            "linkwatch_sync",
        ),
    ] {
        let mut log =
            format!("{title}\nCPU: 0 PID: 7 Comm: cat Not tainted 6.1.0 #1\nCall Trace:\n");
        for frame in frames {
            log += &format!(" {frame}\n");
        }
        assert_eq!(only(&log).place().as_deref(), Some(named), "{title}");
    }
}

#[test]
fn titles_of_few_kernels_are_known() {
    for (line, kind) in [
        (
            "BUG sas_task: Objects remaining on kmem_cache_close()",
            ReportKind::Slab,
        ),
        (
            "[ INFO: suspicious rcu_dereference_check() usage. ]",
            ReportKind::Lockdep,
        ),
        (
            "Watchdog CPU:71 detected Hard LOCKUP other CPUS:42",
            ReportKind::Lockup,
        ),
        (
            "segment-related general protection fault: 206c [#2] SMP",
            ReportKind::Oops,
        ),
    ] {
        let log = format!("{line}\nCall Trace:\n f+0x1/0x10\n");
        assert_eq!(only(&log).kind, kind, "{line}");
    }
}

/// The stacks of the chain are those of other times.
#[test]
fn lockdep_without_a_stack_of_its_own_names_the_place_of_the_lock() {
    let log = "\
WARNING: possible circular locking dependency detected
cat/77 is trying to acquire lock:
ffff888000000001 (&lab->lock){+.+.}-{3:3}, at: lab_read+0x10/0x40 [lab]

but task is already holding lock:
ffff888000000002 (&other->lock){+.+.}-{3:3}, at: lab_open+0x10/0x40 [lab]

-> #1 (&other->lock){+.+.}-{3:3}:
       __mutex_lock+0x1/0x10
       lab_write+0x20/0x40 [lab]
";
    assert_eq!(only(log).place().as_deref(), Some("lab_read [lab]"));
}
