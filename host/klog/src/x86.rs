// SPDX-License-Identifier: MIT OR Apache-2.0

//! How kernels for x86 print registers.

/// The beginnings of the lines with registers and page tables, apart from the instruction
/// pointer.
pub(crate) const REGISTERS: &[&str] = &[
    "RSP: ",
    "RAX: ",
    "RDX: ",
    "RBP: ",
    "R10: ",
    "R13: ",
    "FS: ",
    "CS: ",
    "CR2: ",
    "DR0: ",
    "DR3: ",
    "PKRU: ",
    "PGD ",
    "#PF: ",
    "EFLAGS: ",
    "ORIG_RAX: ",
];

/// Returns whether a line shows the instruction pointer.
pub(crate) fn is_instruction_pointer(text: &str) -> bool {
    text.starts_with("RIP: ")
}

/// Returns the place at which the instruction pointer was, from `RIP: 0010:place`; `None` for
/// an instruction pointer of user space, which has another segment.
pub(crate) fn kernel_place(text: &str) -> Option<&str> {
    text.strip_prefix("RIP: 0010:")
}
