// SPDX-License-Identifier: MIT OR Apache-2.0

//! What an object file for x86 must be.

use object::{Architecture, elf};

pub const ARCHITECTURE: Architecture = Architecture::X86_64;

/// The linker's name for such files, as `ld -m` takes it.
pub const LD_EMULATION: &str = "elf_x86_64";

/// The relocations that `apply_relocate_add` of x86 handles.
pub const LOADER_KNOWS: [elf::RelocationType; 7] = [
    elf::R_X86_64_NONE,
    elf::R_X86_64_64,
    elf::R_X86_64_32,
    elf::R_X86_64_32S,
    elf::R_X86_64_PC32,
    elf::R_X86_64_PLT32,
    elf::R_X86_64_PC64,
];

/// Sections that the compilers make and that nothing reads: ftrace takes the places that it
/// patches from `__mcount_loc`.
pub const UNUSED: &str = "__patchable_function_entries";
