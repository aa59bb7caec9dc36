// SPDX-License-Identifier: MIT OR Apache-2.0

//! How kernels for RISC-V print a fault.

use crate::{
    ComplaintKind as C, ReportKind as R,
    arch::Arch,
    row::{Text::Begin, behind, row},
};

pub(crate) const ARCH: Arch = Arch {
    registers: &[
        "epc: ", "epc : ", "ra : ", "ra: ", "gp : ", "t1 : ", "s1 : ", "a1 : ", "a2 : ", "a5 : ",
        "s2 : ", "s5 : ", "s8 : ", "s11: ", "t5 : ", "status: ", "sepc: ",
    ],
    pointer,
    rows: &[
        row(Begin("Oops ["), Some(C::Oops), Some(R::Oops)),
        row(Begin("Oops - "), Some(C::Oops), Some(R::Oops)),
    ],
};

/// Returns the place in `epc : place`. The registers follow in a line of their own.
fn pointer(text: &str) -> Option<&str> {
    behind(text, &["epc : "]).filter(|place| place.contains("+0x"))
}
