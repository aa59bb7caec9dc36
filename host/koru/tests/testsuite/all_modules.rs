// SPDX-License-Identifier: MIT OR Apache-2.0

//! Loads all modules of the checkout side by side in one machine.

use std::fs;

use crate::common::{KERNELS, Vm, root};

/// Returns the names of the modules that `koru list` shows.
fn listed(vm: &Vm) -> Vec<String> {
    let run = vm.run(&["list", "--json"]);
    let rows = run.exits(0).json();
    let name = |row: &serde_json::Value| row["name"].as_str().expect("a name").to_owned();
    let mut names: Vec<String> = rows.as_array().expect("a list").iter().map(name).collect();
    names.sort();
    names
}

#[test]
fn all_modules_load_together() {
    let folders = fs::read_dir(root().join("modules"))
        .expect("modules/")
        .flatten();
    let modules = folders.filter(|e| e.path().join("Cargo.toml").is_file());
    let name = |e: fs::DirEntry| e.file_name().into_string().expect("text");
    let mut modules: Vec<String> = modules.map(name).collect();
    modules.sort();
    assert!(modules.len() > 2, "{modules:?}");
    for kernel in KERNELS {
        let vm = Vm::new();
        let with = |arguments: &[&str]| vm.run(arguments);
        with(&["vm", "start", "--kernel", kernel]).exits(0);
        for module in &modules {
            let run = with(&["load", module]);
            run.exits(0);
            assert!(!run.err.contains("warning"), "{run}");
        }
        assert_eq!(listed(&vm), modules);
        for module in &modules {
            with(&["unload", module]).exits(0);
        }
        assert_eq!(listed(&vm), [""; 0]);
    }
}
