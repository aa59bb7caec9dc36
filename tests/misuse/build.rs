// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes one `#[test]` for each file under `cases`, in a module named after the file's folder.

use std::{collections::BTreeMap, env, fmt::Write, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=cases");
    let cases = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("cases");
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in fs::read_dir(&cases).expect("cases") {
        let folder = folder.expect("an entry").path();
        for file in fs::read_dir(&folder).expect("cases holds folders only") {
            let file = file.expect("an entry").path();
            let name = |path: &Path| {
                path.file_stem()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned()
            };
            assert!(
                file.extension().is_some_and(|e| e == "rs"),
                "{}: not a Rust file",
                file.display()
            );
            tests.entry(name(&folder)).or_default().push(name(&file));
        }
    }
    let mut text = String::new();
    for (folder, mut files) in tests {
        files.sort();
        let _ = writeln!(text, "mod r#{folder} {{");
        for file in files {
            let _ = writeln!(
                text,
                "#[test] fn r#{file}() {{ super::check(\"{folder}/{file}.rs\"); }}"
            );
        }
        let _ = writeln!(text, "}}");
    }
    let out = Path::new(&env::var_os("OUT_DIR").expect("set by cargo")).join("cases.rs");
    fs::write(out, text).expect("OUT_DIR can be written");
}
