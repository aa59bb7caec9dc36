// SPDX-License-Identifier: MIT OR Apache-2.0

//! How kernels for arm and arm64 print a fault.

use crate::{
    ComplaintKind as C, ReportKind as R,
    arch::Arch,
    row::{Text::Begin, Text::BeginAnd, behind, sure},
};

pub(crate) const ARCH: Arch = Arch {
    registers: &[
        "Mem abort info:",
        "Data abort info:",
        "ESR = 0x",
        "EC = 0x",
        "Exception class = ",
        "SET = ",
        "EA = ",
        "FSC = ",
        "ISV = ",
        "CM = ",
        "GCS = ",
        "user pgtable: ",
        "swapper pgtable: ",
        "pgd = ",
        "pstate: ",
        "sp : ",
        "lr : ",
        "LR is at ",
        "pc : [<",
        "x29: ",
        "x26: ",
        "x23: ",
        "x20: ",
        "x17: ",
        "x14: ",
        "x11: ",
        "x8 : ",
        "x5 : ",
        "x2 : ",
        "x28: ",
        "x27: ",
        "x25: ",
        "x24: ",
        "x22: ",
        "x21: ",
        "x19: ",
        "x18: ",
        "x16: ",
        "x15: ",
        "x13: ",
        "x12: ",
        "x10: ",
        "x9 : ",
        "x7 : ",
        "x6 : ",
        "x4 : ",
        "x3 : ",
        "x1 : ",
        "x0 : ",
        "r10: ",
        "r7 : ",
        "r3 : ",
        "Flags: ",
        "Control: ",
        "Register r",
        "Backtrace: no frame pointer",
        "Process ",
        "SMP: stopping secondary CPUs",
        "pmr_save: ",
        "Exception stack(",
    ],
    pointer,
    rows: &[
        sure(Begin("Internal error: "), Some(C::Oops), R::Oops),
        sure(
            BeginAnd("Unhandled fault: ", " at 0x"),
            Some(C::Oops),
            R::Oops,
        ),
        sure(Begin("SError Interrupt on CPU"), Some(C::Oops), R::Oops),
        sure(
            BeginAnd("Bad mode in ", " handler detected"),
            Some(C::Oops),
            R::Oops,
        ),
        sure(
            Begin("Insufficient stack space to handle exception!"),
            Some(C::Oops),
            R::Oops,
        ),
    ],
};

/// Returns the place in `pc : place` (arm64) or `PC is at place` (arm, and old arm64). A line
/// `pc : [<address>]` shows registers.
fn pointer(text: &str) -> Option<&str> {
    behind(text, &["pc : ", "PC is at "]).filter(|place| !place.starts_with('['))
}
