// SPDX-License-Identifier: MIT OR Apache-2.0

//! Marks modules that use what few labs need and a cheat does. A mark is a hint for the teacher, and
//! no verdict.

use std::path::Path;

use koru_error::Result;
use koru_judge::Contract;
use koru_kbuild::imported_symbols;

/// Symbols that let a module reach beyond what it is for.
const SYMBOLS: [&str; 25] = [
    // These find functions and data that are not exported, or change what others do.
    "kallsyms_lookup_name",
    "kallsyms_on_each_symbol",
    "register_kprobe",
    "register_kretprobe",
    "register_ftrace_function",
    "tracepoint_probe_register",
    "set_memory_rw",
    "set_memory_x",
    // These read and change files and the memory of other processes.
    "filp_open",
    "kernel_read",
    "kernel_write",
    "kernel_read_file_from_path",
    "kern_path",
    "access_process_vm",
    "get_user_pages_remote",
    "ptrace_access_vm",
    // These start programs, and end or signal what is there.
    "call_usermodehelper",
    "call_usermodehelper_setup",
    "call_usermodehelper_exec",
    "kernel_restart",
    "emergency_restart",
    "orderly_poweroff",
    "send_sig",
    "commit_creds",
    // These keep the kernel from saying what is wrong.
    "panic_notifier_list",
];

/// Returns the symbols of a module that a teacher may want to look at, apart from those that are
/// usual in the lab.
pub fn marks(contract: &Contract, ko: &Path) -> Result<Vec<String>> {
    let mut names = imported_symbols(ko)?;
    names.retain(|name| SYMBOLS.contains(&name.as_str()) && !contract.usual.contains(name));
    Ok(names)
}
