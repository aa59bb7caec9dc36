// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks each file under `cases`: it fails to compile as it announces, and compiles without what
//! is marked `cfg(misuse)`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use koru_misuse::{Case, Macros, Rustc, cases};

static RUSTC: LazyLock<Result<Rustc, String>> = LazyLock::new(Rustc::new);

#[track_caller]
fn check(file: &str) {
    if let Err(wrong) = both(&cases().join(file)) {
        panic!("{file}: {wrong}");
    }
}

fn both(file: &Path) -> Result<(), String> {
    let case = Case::read(file)?;
    let rustc = RUSTC.as_ref()?;
    let twin = rustc.compile(file, false, case.codegen)?;
    if let Some(error) = twin.errors.first() {
        return Err(format!(
            "without the misuse it should compile:\n{}",
            error.rendered
        ));
    }
    if let Some(function) = twin.build_errors.first() {
        return Err(format!(
            "without the misuse, `{function}` reaches `build_error!`"
        ));
    }
    let misuse = rustc.compile(file, true, case.codegen)?;
    case.compare(&misuse.errors, &misuse.build_errors)
}

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

fn kernel() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel")
}

#[track_caller]
fn needs_three(what: &str, folder: &str) {
    let files = fs::read_dir(cases().join(folder)).map_or(0, Iterator::count);
    assert!(
        files >= 3,
        "{what}: tests/misuse/cases/{folder} needs three files, and has {files}"
    );
}

/// Returns a macro's name without the prefixes of derive macros and of internal macros.
fn plain(name: &str) -> &str {
    let name = name.strip_prefix("derive_").unwrap_or(name);
    name.trim_start_matches('_')
}

/// No lint looks into a macro of another crate.
#[test]
fn every_unsafe_macro_is_misused() {
    let macros = Macros::read(&kernel()).expect("readable").with_unsafe();
    assert!(macros.len() >= 20, "{macros:?}");
    for name in macros {
        needs_three(&format!("`{name}!` expands to `unsafe`"), plain(&name));
    }
}

#[test]
fn every_other_macro_is_misused() {
    let macros = Macros::read(&kernel()).expect("readable");
    for name in &macros.names() - &macros.with_unsafe() {
        let folder = match plain(&name) {
            "print_macro" | "print_once_macro" | "log" | "log_fmt" => "pr",
            "optional_name" => "new_mutex",
            // These macros exist once for each level.
            name if name.starts_with("pr_") => "pr",
            name if name.starts_with("dev_") => "dev_print_macro",
            name => name,
        };
        needs_three(&format!("`{name}!`"), folder);
    }
}

/// The kinds of registrations that the kernel crate counts are all misused.
#[test]
fn every_registration_is_misused() {
    let text = fs::read_to_string(kernel().join("kernel/src/live.rs")).expect("readable");
    let (_, kinds) = text.split_once("enum Kind {").expect("the kinds");
    let (kinds, _) = kinds.split_once('}').expect("an end");
    let kinds: Vec<&str> = kinds
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .collect();
    assert!(kinds.len() >= 4, "{kinds:?}");
    for kind in kinds {
        for folder in match kind {
            "Thread" => &["kthread"][..],
            "ProcFile" => &["proc_file", "show_file"],
            "MiscDevice" => &["misc_device"],
            "Probe" => &["kprobe"],
            other => panic!("`{other}` is a new kind: which folder has its misuses?"),
        } {
            needs_three(kind, folder);
        }
    }
}
