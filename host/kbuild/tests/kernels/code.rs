// SPDX-License-Identifier: MIT OR Apache-2.0

//! The code of a module: hardened as the config of its kernel says.

use std::{fs, path::Path, process::Command};

use koru_kbuild::Ko;
use koru_kernels::KernelTree;
use object::ObjectSection;

use crate::{MODULES, Parts, alone, either, fresh, trees};

/// One line of a disassembly.
#[derive(Debug)]
struct Instruction {
    section: String,
    bytes: Vec<u8>,
    text: String,
}

/// All code but the replacements that the kernel patches in by itself.
fn disassemble(path: &Path) -> Vec<Instruction> {
    let output = Command::new("objdump")
        .arg("-d")
        .arg(path)
        .output()
        .expect("objdump");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut section = String::new();
    let mut all = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("Disassembly of section ") {
            section = name.trim_end_matches(':').to_owned();
        }
        let mut fields = line.split('\t');
        let (Some(at), Some(bytes)) = (fields.next(), fields.next()) else {
            continue;
        };
        if u64::from_str_radix(at.trim().trim_end_matches(':'), 16).is_err() {
            continue;
        }
        all.push(Instruction {
            section: section.clone(),
            bytes: bytes
                .split_whitespace()
                .map(|b| u8::from_str_radix(b, 16).unwrap())
                .collect(),
            text: fields.next().unwrap_or_default().trim().to_owned(),
        });
    }
    all.retain(|i| !i.section.contains("altinstr"));
    assert!(all.len() > 20, "{}", all.len());
    all
}

fn mnemonic(instruction: &Instruction) -> &str {
    let mut words = instruction.text.split_whitespace();
    words
        .find(|w| !matches!(*w, "bnd" | "notrack" | "repz" | "rep" | "cs" | "ds"))
        .unwrap_or_default()
}

fn is_return(i: &Instruction) -> bool {
    mnemonic(i).starts_with("ret")
}

fn is_indirect(i: &Instruction) -> bool {
    matches!(mnemonic(i), "call" | "jmp" | "callq" | "jmpq") && i.text.contains('*')
}

#[test]
fn code_is_hardened_as_the_config_says() {
    let _alone = alone();
    for tree in trees() {
        for name in MODULES {
            let ko = fresh(&tree, name);
            let bytes = fs::read(&ko.path).unwrap();
            hardened(&tree, name, &ko, &Parts::of(&bytes));
        }
    }
}

fn hardened(tree: &KernelTree, name: &str, ko: &Ko, parts: &Parts<'_>) {
    let place = format!("{name} for {}", tree.release);
    let code = disassemble(&ko.path);
    let returns = code.iter().filter(|i| is_return(i)).count();
    if either(tree, "MITIGATION_RETHUNK", "RETHUNK") {
        assert_eq!(returns, 0, "bare returns in {place}");
        let through = parts.uses("__x86_return_thunk");
        assert!(through >= 2, "{place}");
        // objtool told the kernel of each: 4 bytes a place.
        let sites = parts.section(".return_sites").expect(".return_sites");
        assert_eq!(sites.size() as usize, 4 * through, "{place}");
    } else {
        assert!(returns >= 2, "{place}");
        assert_eq!(parts.uses("__x86_return_thunk"), 0, "{place}");
    }
    if either(tree, "MITIGATION_RETPOLINE", "RETPOLINE") {
        let bare: Vec<_> = code.iter().filter(|i| is_indirect(i)).collect();
        assert!(bare.is_empty(), "indirect branches in {place}: {bare:?}");
        let thunks = parts.uses("__x86_indirect_thunk_");
        assert!(thunks > 0, "formatting calls by pointer: {place}");
        let sites = parts.section(".retpoline_sites").expect(".retpoline_sites");
        assert_eq!(sites.size() as usize, 4 * thunks, "{place}");
    }
    if either(tree, "MITIGATION_SLS", "SLS") {
        for pair in code.windows(2) {
            let stops = is_return(&pair[0])
                || (is_indirect(&pair[0]) && mnemonic(&pair[0]).starts_with("jmp"));
            assert!(
                !stops || pair[1].bytes == [0xcc],
                "no int3 behind {:?} in {place}",
                pair[0]
            );
        }
    }
    let functions = parts.functions();
    if tree.config.yes("X86_KERNEL_IBT") {
        for entry in ["init_module", "cleanup_module"] {
            let (_, bytes, at) = functions.iter().find(|f| f.0 == entry).expect(entry);
            assert_eq!(
                bytes[*at..][..4],
                [0xf3, 0x0f, 0x1e, 0xfa],
                "{entry} of {place}"
            );
        }
        assert!(
            parts
                .section(".ibt_endbr_seal")
                .is_some_and(|s| s.size() > 0),
            "{place}"
        );
    }
    if tree.config.yes("CALL_PADDING") {
        let bytes = tree.config.get("FUNCTION_PADDING_BYTES");
        let padding: usize = bytes.expect("with CALL_PADDING").parse().unwrap();
        for (function, bytes, at) in &functions {
            let before = at.checked_sub(padding).map(|from| &bytes[from..*at]);
            let nops = before.is_some_and(|b| b.iter().all(|b| *b == 0x90));
            assert!(nops, "no padding before {function} of {place}");
        }
    }
    if let Some(alignment) = tree.config.get("FUNCTION_ALIGNMENT") {
        let alignment: usize = alignment.parse().unwrap();
        // With padding, the function and its padding are aligned.
        for (function, _, at) in functions.iter().filter(|f| f.0 != "init_module") {
            assert_eq!(at % alignment.min(16), 0, "{function} of {place}");
        }
    }
    // No x87, MMX, SSE: the kernel does not save those for us.
    for i in &code {
        let vector = ["%xmm", "%ymm", "%zmm", "%mm", "%st"]
            .iter()
            .find(|r| i.text.contains(**r));
        assert!(vector.is_none(), "{i:?} in {place}");
    }
}
