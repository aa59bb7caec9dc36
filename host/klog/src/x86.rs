// SPDX-License-Identifier: MIT OR Apache-2.0

//! How kernels for x86 print a fault.

use crate::{
    ComplaintKind as C, ReportKind as R,
    arch::Arch,
    row::{Row, Text::Begin, Text::BeginAnd, behind, row, sure},
};

pub(crate) const ARCH: Arch = Arch {
    registers: REGISTERS,
    pointer: kernel_place,
    rows: ROWS,
};

/// The beginnings of the lines with registers and page tables, apart from the instruction
/// pointer.
const REGISTERS: &[&str] = &[
    "RIP:",
    "RIP ",
    "RSP: ",
    "RSP <",
    "RAX: ",
    "RDX: ",
    "RBP: ",
    "R10: ",
    "R13: ",
    "FS: ",
    "CS: ",
    "CR0: ",
    "CR2: ",
    "DR0: ",
    "DR3: ",
    "DR6: ",
    "PKRU: ",
    "PGD ",
    "#PF: ",
    "EFLAGS: ",
    "ORIG_RAX: ",
    "EIP: ",
    "EAX: ",
    "ESI: ",
    "DS: ",
    " DS: ",
    "*pde = ",
    "*pdpt = ",
    "Process ",
    "task: ",
    "kernel tried to execute ",
    "unable to execute userspace code",
    "RIP [",
];

/// Returns the place at which the instruction pointer was, from `RIP: 0010:place` and its older
/// forms; `None` for an instruction pointer of user space, which has another segment.
pub(crate) fn kernel_place(text: &str) -> Option<&str> {
    const BEGINS: &[&str] = &[
        "RIP: 0010:",
        // As a guest of Xen.
        "RIP: e030:",
        "RIP: e033:",
        "RIP  [",
        "RIP [",
        "IP: ",
        "EIP is at ",
    ];
    if let Some(place) = behind(text, BEGINS) {
        // The bracket of an address belongs to the place.
        let bracket = text.len() - place.len() - 1;
        return Some(if text[bracket..].starts_with('[') {
            &text[bracket..]
        } else {
            place
        });
    }
    // These have no segment in some versions, and are registers in others.
    let place = behind(text, &["RIP: ", "EIP: "])?;
    let first = place.split_whitespace().next()?;
    (first.contains("+0x") && !first.contains(':')).then_some(place)
}

const ROWS: &[Row] = &[
    // The number of the oops follows a fault of the kernel's.
    sure(
        BeginAnd("general protection fault", "[#"),
        Some(C::Oops),
        R::Oops,
    ),
    sure(
        BeginAnd("segment-related general protection fault", "[#"),
        Some(C::Oops),
        R::Oops,
    ),
    sure(BeginAnd("divide error:", "[#"), Some(C::Oops), R::Oops),
    sure(BeginAnd("invalid opcode:", "[#"), Some(C::Oops), R::Oops),
    sure(
        BeginAnd("BUG: ", "stack guard page was hit"),
        Some(C::Oops),
        R::Oops,
    ),
    sure(Begin("kernel stack overflow"), Some(C::Oops), R::Oops),
    row(
        Begin("general protection fault"),
        Some(C::Oops),
        Some(R::Oops),
    ),
    row(Begin("invalid opcode:"), Some(C::Oops), Some(R::Oops)),
    row(Begin("divide error:"), Some(C::Oops), Some(R::Oops)),
    row(Begin("stack segment:"), Some(C::Oops), Some(R::Oops)),
    row(Begin("double fault:"), Some(C::Oops), Some(R::Oops)),
    sure(Begin("PANIC: double fault"), Some(C::Oops), R::Oops),
    row(Begin("int3:"), Some(C::Oops), Some(R::Oops)),
    row(Begin("traps: missing-endbr"), Some(C::Oops), Some(R::Oops)),
    row(Begin("CFI failure at"), Some(C::Oops), Some(R::Oops)),
    row(Begin("traps: "), None, Some(R::Oops)),
    sure(
        Begin("unchecked MSR access error: "),
        Some(C::Warning),
        R::Warning,
    ),
];
