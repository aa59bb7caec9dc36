// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs `make` in a module's folder, as every lab teaches it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::common::{Vm, kernels, koru, root};

/// A folder with a Makefile, and a virtual machine of its own.
struct Folder {
    path: PathBuf,
    vm: Vm,
}

impl Folder {
    fn name(&self) -> &Path {
        Path::new(self.path.file_name().expect("a folder"))
    }

    fn make(&self, arguments: &[&str]) -> Output {
        Command::new("make")
            .args(arguments)
            .current_dir(&self.path)
            .env("KORU_VM", self.vm.name())
            .env("KORU_CACHE", kernels::cache())
            .env(
                "CARGO_TARGET_DIR",
                root().join("target/makefile-tests").join(self.name()),
            )
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make")
    }

    #[track_caller]
    fn prints(&self, arguments: &[&str], text: &str) -> String {
        let output = self.make(arguments);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && out.contains(text),
            "make {arguments:?}: no `{text}`\n{out}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        out
    }
}

fn workflow(folder: &Folder, name: &str, said: &str) {
    folder.prints(&[], &format!("{name}.ko"));
    folder.prints(&["-j4"], "(unchanged)");
    folder.prints(&["load"], said);
    folder.prints(&["list"], &format!("\n{name} "));
    folder.prints(&["log"], said);
    // Loading again replaces the module.
    folder.prints(&["load"], said);
    folder.prints(&["unload"], "");
    assert!(!folder.prints(&["list"], "Module").contains(name));
    folder.prints(&["clean"], "");
    let again = folder.prints(&[], &format!("{name}.ko"));
    assert!(!again.contains("(unchanged)"), "{again}");
}

#[test]
fn make_targets_work_in_the_checkout() {
    let folder = Folder {
        path: root().join("modules/hello"),
        vm: Vm::new(),
    };
    workflow(&folder, "hello", "Hello world");
    // Both variables choose another kernel's build directory.
    let oldest = kernels::tree(kernels::KERNELS[0]);
    let dir = oldest.build_dir.display();
    let release = oldest.release;
    for name in ["KDIR", "KERNEL_DIR"] {
        folder.prints(&[&format!("{name}={dir}")], &format!("for {release}"));
    }
    // A load starts the virtual machine with that kernel.
    folder.vm.run(&["vm", "stop"]).exits(0);
    folder.prints(
        &[&format!("KDIR={dir}"), "TARGET=vm", "load"],
        "Hello world",
    );
    folder.prints(&["TARGET=vm", "list"], "\nhello ");
    let inside = folder.vm.run(&["exec", "uname", "-r"]);
    inside.exits(0).prints(&release);
    folder.prints(&["TARGET=vm", "log"], "Hello world");
    folder.prints(&["TARGET=vm", "unload"], "");
    // This machine's kernel is another target, into which nothing is loaded without a question.
    let refused = folder.make(&[&format!("KDIR={dir}"), "TARGET=host", "load"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("this machine's own kernel"), "{said}");
    // `make clean` removes this module's own output only.
    folder.prints(&["clean"], "");
    assert!(Path::new(&root().join("modules/hello/Makefile")).is_file());
}

#[test]
fn make_targets_work_elsewhere() {
    let dir = tempfile::tempdir().expect("a folder");
    koru(["new", "made_here"]).dir(dir.path()).run().exits(0);
    let folder = Folder {
        path: dir.path().join("made_here"),
        vm: Vm::new(),
    };
    let koru = format!("KORU={}", root().join("koru").display());
    let folder_make = |arguments: &[&str]| {
        let all = [arguments, &[koru.as_str()]].concat();
        folder.prints(&all, "")
    };
    assert!(folder_make(&[]).contains("made_here.ko"));
    folder_make(&["load"]);
    assert!(folder_make(&["list"]).contains("made_here"));
    folder_make(&["unload"]);
    folder_make(&["clean"]);
}

#[test]
fn every_module_has_a_makefile() {
    for module in std::fs::read_dir(root().join("modules")).expect("modules") {
        let path = module.expect("a folder").path();
        if path.is_dir() {
            assert!(path.join("Makefile").is_file(), "{}", path.display());
        }
    }
}
