// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module in C in a folder of its own, built as its author would build it.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use super::{Koru, Run, kernels, koru, root};

pub struct CModule {
    dir: TempDir,
    name: String,
    kernel: &'static str,
}

impl CModule {
    /// Builds a copy of a source file, for one of the tests' kernels.
    #[track_caller]
    pub fn build(source: &str, kernel: &'static str) -> CModule {
        let source = root().join(source);
        let name = source.file_stem().expect("a name").to_string_lossy();
        let dir = tempfile::tempdir().expect("a folder");
        fs::copy(&source, dir.path().join(format!("{name}.c"))).expect("a copy");
        fs::write(dir.path().join("Kbuild"), format!("obj-m := {name}.o\n")).expect("writing");
        let output = Command::new("make")
            .arg("-C")
            .arg(kernels::tree(kernel).build_dir)
            .arg(format!("M={}", dir.path().display()))
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        CModule {
            name: name.into_owned(),
            dir,
            kernel,
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Returns `koru run` of the module with these arguments, in its folder.
    pub fn koru(&self, arguments: &[&str]) -> Koru {
        let ko = format!("{}.ko", self.name);
        let run = ["run", &ko, "--kernel", self.kernel];
        koru(run.iter().chain(arguments)).dir(self.path())
    }

    /// Runs the module.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.koru(arguments).run()
    }
}
