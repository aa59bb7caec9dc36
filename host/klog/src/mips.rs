// SPDX-License-Identifier: MIT OR Apache-2.0

//! How kernels for MIPS and LoongArch print a fault.

use crate::{
    ComplaintKind as C, ReportKind as R,
    arch::Arch,
    row::{Row, Text::Begin, Text::BeginAnd, behind, row, sure},
};

pub(crate) const ARCH: Arch = Arch {
    registers: &[
        "$ 0 ", "$ 4 ", "$ 8 ", "$12 ", "$16 ", "$20 ", "$24 ", "$28 ", "Hi    :", "Lo    :",
        "epc   :", "ra    :", "Status: ", "Cause : ", "BadVA : ", "PrId  : ", "Acx    ",
        // LoongArch.
        "pc 9", "pc f", "a0 ", "a4 ", "t0 ", "t4 ", "t8 ", "s1 ", "s5 ", "ra: ", "ERA: ", "CRMD: ",
        "PRMD: ", "EUEN: ", "ECFG: ", "ECFG:", "ESTAT: ", "BADV: ", "PRID: ", "CSR ",
    ],
    pointer,
    rows: ROWS,
};

/// Returns the place in `epc   : 8003ab3c place` (MIPS) or `ERA: 9000000001045fa4 place`
/// (LoongArch).
fn pointer(text: &str) -> Option<&str> {
    let rest = behind(text, &["epc   : ", "ERA: ", "era   : "])?;
    let (address, place) = rest.split_once(' ')?;
    let is_address = address.len() >= 8 && address.bytes().all(|b| b.is_ascii_hexdigit());
    is_address.then_some(place.trim_start())
}

/// What stands before the number of the fault, `[#1]`.
const ROWS: &[Row] = &[
    row(Begin("Oops[#"), Some(C::Oops), Some(R::Oops)),
    sure(BeginAnd("Kernel bug detected", "[#"), Some(C::Bug), R::Bug),
    sure(
        BeginAnd("Reserved instruction in kernel code", "[#"),
        Some(C::Oops),
        R::Oops,
    ),
    sure(
        BeginAnd("Break instruction in kernel code", "[#"),
        Some(C::Oops),
        R::Oops,
    ),
    sure(
        BeginAnd("Unhandled kernel unaligned access", "[#"),
        Some(C::Oops),
        R::Oops,
    ),
    sure(
        BeginAnd("do_cpu invoked from kernel context!", "[#"),
        Some(C::Oops),
        R::Oops,
    ),
    sure(
        BeginAnd("Data bus error, ", "epc == "),
        Some(C::Oops),
        R::Oops,
    ),
    sure(
        BeginAnd("Instruction bus error, ", "epc == "),
        Some(C::Oops),
        R::Oops,
    ),
    row(
        BeginAnd("Kernel ade access", "[#"),
        Some(C::Oops),
        Some(R::Oops),
    ),
];
