// SPDX-License-Identifier: MIT OR Apache-2.0

//! How kernels for PowerPC print a fault.

use crate::{
    ComplaintKind as C, ReportKind as R,
    arch::Arch,
    row::{Text::Begin, Text::BeginAnd, sure},
};

pub(crate) const ARCH: Arch = Arch {
    registers: &[
        "NIP:",
        "REGS: ",
        "MSR:",
        "CFAR: ",
        "DAR: ",
        "GPR",
        "LR [",
        "Instruction dump:",
        "TASK = ",
        "BE PAGE_SIZE=",
        "LE PAGE_SIZE=",
        "CTR: ",
        "LR:",
        "Faulting instruction address",
        "--- interrupt: ",
        "--- Exception: ",
        "SMP NR_CPUS=",
        // Its debugger, xmon.
        "pc: c",
        "lr: c",
        "sp: c",
        "msr: ",
        "dar: ",
        "dsisr: ",
        "current = 0x",
        "paca    = 0x",
        "pid   = ",
        "enter ? for help",
        "[link register   ] ",
        "PREEMPT SMP NR_CPUS",
    ],
    pointer,
    rows: &[
        sure(BeginAnd("cpu 0x", ": Vector: "), Some(C::Oops), R::Oops),
        sure(
            BeginAnd("Watchdog CPU:", "Hard LOCKUP"),
            Some(C::Lockup),
            R::Lockup,
        ),
        sure(Begin("Kernel attempted to "), Some(C::Oops), R::Oops),
        sure(Begin("Unrecoverable exception "), Some(C::Oops), R::Oops),
        sure(
            Begin("Unrecoverable FP Unavailable"),
            Some(C::Oops),
            R::Oops,
        ),
        sure(
            Begin("Machine check in kernel mode"),
            Some(C::Oops),
            R::Oops,
        ),
    ],
};

/// Returns the place in `NIP [c000...] place`, or in `pc: c000...: place`, which is how the
/// debugger says it.
fn pointer(text: &str) -> Option<&str> {
    if let Some((address, place)) = text.strip_prefix("pc: ").and_then(|t| t.split_once(": ")) {
        let is_address = address.bytes().all(|b| b.is_ascii_hexdigit());
        return is_address.then_some(place);
    }
    let place = text.strip_prefix("NIP ")?;
    (place.starts_with('[') || place.contains("+0x")).then_some(place)
}
