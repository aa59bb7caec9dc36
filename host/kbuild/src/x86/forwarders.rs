// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the functions of an object that do nothing but call another function.
//!
//! On one kernel `mutex_lock` is a function, on another a macro or an inline function. So the C
//! interface layer has a function for it, which on the first kernel is only a jump. Such a
//! function need not be in a module: what calls it can call the other one.

use std::collections::HashMap;

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, Register};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionKind, SymbolKind};

/// What a function returns through on kernels with return thunks.
const RETURN_THUNK: &str = "__x86_return_thunk";
/// What gcc calls at the beginning of each function, for ftrace.
const FENTRY: &str = "__fentry__";

/// Returns the functions that only call another one, which is not in this object, with all
/// arguments and the result as they are: pairs of the names of both.
pub(crate) fn forwarders(file: &object::File<'_>) -> object::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for section in file.sections() {
        if section.kind() != SectionKind::Text {
            continue;
        }
        let targets = targets(file, &section);
        let functions = file.symbols().filter(|s| {
            let is_here = s.section_index() == Some(section.index());
            is_here && s.is_global() && s.kind() == SymbolKind::Text
        });
        for function in functions {
            let (start, size) = (function.address(), function.size());
            let code = section.data_range(start, size)?.unwrap_or_default();
            if let Some(target) = only_call(code, start, &targets) {
                found.push((function.name()?.to_owned(), target.to_owned()));
            }
        }
    }
    Ok(found)
}

/// Returns the symbols of other objects that a section's relocations refer to, by their places.
fn targets<'a>(file: &object::File<'a>, section: &object::Section<'a, '_>) -> HashMap<u64, String> {
    let targets = section.relocations().filter_map(|(offset, relocation)| {
        let RelocationTarget::Symbol(symbol) = relocation.target() else {
            return None;
        };
        let symbol = file.symbol_by_index(symbol).ok()?;
        // The address is relative to the end of the instruction's last four bytes.
        let is_start = relocation.addend() == -4;
        (symbol.is_undefined() && is_start)
            .then(|| Some((offset, symbol.name().ok()?.to_owned())))?
    });
    targets.collect()
}

/// Returns what a function calls, if it does nothing else.
fn only_call<'a>(code: &[u8], start: u64, targets: &'a HashMap<u64, String>) -> Option<&'a str> {
    let mut called = None;
    let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
    while decoder.can_decode() {
        let instruction = decoder.decode();
        // The target is in the last four bytes of a direct call or jump.
        let target = || {
            let offset = instruction.next_ip().checked_sub(4)?;
            targets.get(&offset).map(String::as_str)
        };
        match instruction.mnemonic() {
            Mnemonic::Endbr64 | Mnemonic::Nop => {}
            _ if is_frame(&instruction) => {}
            Mnemonic::Call if instruction.code() == Code::Call_rel32_64 => match target()? {
                FENTRY => {}
                target if called.is_none() => called = Some(target),
                _ => return None,
            },
            Mnemonic::Jmp if instruction.code() == Code::Jmp_rel32_64 => {
                // What follows a jump is never reached: traps and padding.
                return match target()? {
                    RETURN_THUNK => called,
                    // Thunks for calls through pointers, of a pointer that is an argument.
                    target if target.starts_with("__x86_") => None,
                    target => called.is_none().then_some(target),
                };
            }
            Mnemonic::Ret => return called,
            _ => return None,
        }
    }
    None
}

/// Returns whether an instruction only sets up or removes a frame pointer.
fn is_frame(i: &Instruction) -> bool {
    match i.mnemonic() {
        Mnemonic::Push | Mnemonic::Pop => i.op0_register() == Register::RBP,
        Mnemonic::Mov => i.op0_register() == Register::RBP && i.op1_register() == Register::RSP,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDBR: &[u8] = &[0xf3, 0x0f, 0x1e, 0xfa];
    const CALL: &[u8] = &[0xe8, 0, 0, 0, 0];
    const JMP: &[u8] = &[0xe9, 0, 0, 0, 0];
    const RET: &[u8] = &[0xc3];
    const PUSH: &[u8] = &[0x55];
    const MOV: &[u8] = &[0x48, 0x89, 0xe5];
    const POP: &[u8] = &[0x5d];
    const INT3: &[u8] = &[0xcc];
    const ZERO: &[u8] = &[0x31, 0xf6];

    /// Returns what the code calls. Its calls and jumps lead to `names`, one after the other.
    fn called(code: &[&[u8]], names: &[&str]) -> Option<String> {
        let mut targets = HashMap::new();
        let mut names = names.iter();
        let mut at = 0x40;
        for instruction in code {
            if instruction.len() == 5 {
                let name = names.next().map(|&name| name.to_owned());
                targets.extend(name.map(|name| (at + 1, name)));
            }
            at += instruction.len() as u64;
        }
        only_call(&code.concat(), 0x40, &targets).map(str::to_owned)
    }

    #[test]
    fn a_jump_is_found_behind_what_every_function_begins_with() {
        let lock = Some("mutex_lock".to_owned());
        assert_eq!(called(&[JMP], &["mutex_lock"]), lock);
        let code = [ENDBR, CALL, JMP, INT3, &[0x66, 0x90]];
        assert_eq!(called(&code, &[FENTRY, "mutex_lock"]), lock);
        let code = [CALL, PUSH, MOV, POP, JMP];
        assert_eq!(called(&code, &[FENTRY, "mutex_lock"]), lock);
    }

    #[test]
    fn a_call_and_a_return_are_a_jump() {
        let lock = Some("mutex_lock".to_owned());
        let code = [CALL, PUSH, MOV, CALL, POP, RET];
        assert_eq!(called(&code, &[FENTRY, "mutex_lock"]), lock);
        assert_eq!(called(&[CALL, JMP], &["mutex_lock", RETURN_THUNK]), lock);
    }

    #[test]
    fn functions_that_do_more_are_kept() {
        // An argument is set, as lockdep's mutex_lock_nested() needs it.
        assert_eq!(called(&[ZERO, JMP], &["mutex_lock_nested"]), None);
        // The result is changed.
        assert_eq!(called(&[CALL, ZERO, RET], &["f"]), None);
        assert_eq!(called(&[CALL, CALL, RET], &["f", "g"]), None);
        assert_eq!(called(&[CALL, JMP], &["f", "g"]), None);
        assert_eq!(called(&[RET], &[]), None);
        assert_eq!(called(&[CALL, JMP], &[FENTRY, RETURN_THUNK]), None);
        assert_eq!(called(&[JMP], &["__x86_indirect_thunk_rdi"]), None);
        // Functions of the same object have no relocation here.
        assert_eq!(called(&[JMP], &[]), None);
        // Code that ends without a return or a jump belongs to something else.
        assert_eq!(called(&[CALL], &["f"]), None);
        assert_eq!(called(&[&[0xeb, 0x10]], &[]), None);
    }
}
