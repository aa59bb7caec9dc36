// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes oopses of kernels for architectures other than x86.

use koru_klog::ReportKind;

use crate::{found, functions, only, others};

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
fn mips_and_loongarch() {
    let mips = "\
CPU 0 Unable to handle kernel paging request at virtual address 00000018, epc == c0a00018, ra == c0a00064
Oops[#1]:
CPU: 0 PID: 900 Comm: insmod Tainted: G           O    4.14.0 #1
task: 87d5e360 task.stack: 8797a000
$ 0   : 00000000 00000001 00000000 a25b0831
$28   : 8797a000 8797bc68 00000010 c0a00064
Hi    : 00000009
Lo    : 9b49a300
epc   : c0a00018 lab_read+0x18/0x40 [lab]
ra    : c0a00064 lab_dpc+0x24/0x90 [lab]
Status: 1100e402\tKERNEL EXL
Cause : 80800008 (ExcCode 02)
BadVA : 00000018
PrId  : 00019655 (MIPS 24KEc)
Modules linked in: lab(O+)
Process insmod (pid: 900, threadinfo=8797a000, task=87d5e360, tls=77e8)
Stack : 80370000 00000001 87d5e360 00000003
        ...
Call Trace:
[<c0a00018>] lab_read+0x18/0x40 [lab]
[<c0a00064>] lab_dpc+0x24/0x90 [lab]
Code: 14400009  24020001 <8c820018> 30420001
---[ end trace 0000000000000000 ]---
";
    let loongarch = "\
CPU 8 Unable to handle kernel paging request at virtual address 0000000000000018, era == ffff800002018018, ra == ffff800002018064
Oops[#1]:
CPU: 8 PID: 900 Comm: insmod Tainted: G           O       6.6.0 #1
pc ffff800002018018 ra ffff800002018064 tp 900000010e8f0000 sp 900000010e8f3c00
a0 0000000000000000 a1 0000000000000000 a2 0000000000000020 a3 0000000000000001
   ra: ffff800002018064 lab_dpc+0x24/0x90 [lab]
  ERA: ffff800002018018 lab_read+0x18/0x40 [lab]
 CRMD: 000000b0 (PLV0 -IE -DA +PG DACF=CC DACM=CC -WE)
ESTAT: 00010000 [PIL] (IS= ECode=1 EsubCode=0)
 BADV: 0000000000000018
 PRID: 0014c010 (Loongson-64bit, Loongson-3A5000)
Modules linked in: lab(O+)
Process insmod (pid: 900, threadinfo=1, task=2)
Stack : 0000000000000001 00007ffff0ab4350 0000000000000000 0000000000000001
        ...
Call Trace:
[<ffff800002018018>] lab_read+0x18/0x40 [lab]
[<ffff800002018064>] lab_dpc+0x24/0x90 [lab]

Code: 024024cc  44008d80 <29c00085> 02c02087
---[ end trace 0000000000000000 ]---
";
    for log in [mips, loongarch] {
        let oops = only(log);
        assert_eq!(oops.kind, ReportKind::Oops, "{log}");
        assert_eq!(functions(&oops), ["lab_read", "lab_dpc"], "{log}");
        assert_eq!(oops.pid, Some(900), "{log}");
        let found = found(log);
        let rest: Vec<&str> = others(&found)
            .into_iter()
            .filter(|l| !l.is_empty())
            .collect();
        assert!(rest.is_empty(), "{rest:?}");
    }
}

/// The debugger of PowerPC kernels prints a fault in its own way.
#[test]
fn xmon() {
    let log = "\
cpu 0x14: Vector: 300 (Data Access) at [c000001feb4a3780]
    pc: c00800000a5b0018: lab_read+0x18/0x40 [lab]
    lr: c00800000a5b0064: lab_dpc+0x24/0x90 [lab]
    sp: c000001feb4a3a00
   msr: 9000000000009033
   dar: 18
 dsisr: 40000000
  current = 0xc000001feb970c00
  paca    = 0xc00000000fff0000\t softe: 3\t irq_happened: 0x01
    pid   = 900, comm = insmod
enter ? for help
[c000001feb4a3a80] c00800000a5b0064 lab_dpc+0x24/0x90 [lab]
[c000001feb4a3ab0] c000000000523058 do_one_initcall+0x3c/0x170
";
    let oops = only(log);
    assert_eq!(oops.kind, ReportKind::Oops);
    assert_eq!(functions(&oops), ["lab_read", "lab_dpc", "do_one_initcall"]);
    assert!(others(&found(log)).is_empty(), "{:?}", others(&found(log)));
}
