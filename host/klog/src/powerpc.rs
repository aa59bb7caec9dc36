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
        "PREEMPT SMP NR_CPUS",
    ],
    pointer,
    rows: &[
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

/// Returns the place in `NIP [c000...] place`.
fn pointer(text: &str) -> Option<&str> {
    text.starts_with("NIP [").then(|| &text[4..])
}
