//! One test for each file under `cases`: it fails to compile as it announces, and
//! without what is marked `cfg(misuse)` it compiles.

use std::{fs, path::Path, sync::LazyLock};

use koru_misuse::{Case, Rustc, cases, unsafe_macros};

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

/// Nobody's lint looks into a macro of another crate.
#[test]
fn every_unsafe_macro_is_misused() {
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel");
    let macros =
        unsafe_macros(&kernel.join("kernel/src"), &kernel.join("macros/src")).expect("readable");
    for name in macros {
        let files = fs::read_dir(cases().join(&name)).map_or(0, Iterator::count);
        assert!(
            files >= 3,
            "`{name}!` expands to `unsafe`: tests/misuse/cases/{name} needs three files, and has {files}"
        );
    }
}

/// They are exported from several crates, and derived ones have another name there.
#[test]
fn every_macro_of_pin_init_is_misused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel/pin-init/src");
    let mut names = Vec::new();
    for (file, before, after) in [
        ("lib.rs", "pub use koru_pin_init_macros::", ';'),
        ("macros.rs", "macro_rules! ", ' '),
    ] {
        let text = fs::read_to_string(folder.join(file)).expect("readable");
        let found = text.lines().filter_map(|line| line.strip_prefix(before));
        names.extend(found.map(|rest| rest.split(after).next().unwrap_or(rest).to_owned()));
    }
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        let folder = match name.as_str() {
            "Zeroable" => "zeroable",
            "MaybeZeroable" => "maybe_zeroable",
            other => other,
        };
        let files = fs::read_dir(cases().join(folder)).map_or(0, Iterator::count);
        assert!(
            files >= 3,
            "`{name}`: tests/misuse/cases/{folder} has {files} files"
        );
    }
}
