//! `make` in a module's folder, as every lab teaches it.

mod common;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use common::{koru, root};

/// A folder with a Makefile, and a virtual machine of its own.
struct Folder {
    path: PathBuf,
    vm: &'static str,
}

impl Folder {
    fn make(&self, arguments: &[&str]) -> Output {
        Command::new("make")
            .args(arguments)
            .current_dir(&self.path)
            .env("KORU_VM", self.vm)
            .env(
                "CARGO_TARGET_DIR",
                root().join("target/makefile-tests").join(self.vm),
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

impl Drop for Folder {
    fn drop(&mut self) {
        koru(["vm", "stop", "--vm", self.vm]).run();
    }
}

fn workflow(folder: &Folder, name: &str, said: &str) {
    folder.prints(&[], &format!("{name}.ko"));
    folder.prints(&["-j4"], "(unchanged)");
    folder.prints(&["load"], said);
    folder.prints(&["list"], &format!("\n{name} "));
    folder.prints(&["log"], said);
    assert!(!folder.make(&["load"]).status.success(), "loaded twice");
    folder.prints(&["unload"], "");
    assert!(!folder.prints(&["list"], "Module").contains(name));
    folder.prints(&["clean"], "");
    let again = folder.prints(&[], &format!("{name}.ko"));
    assert!(!again.contains("(unchanged)"), "{again}");
}

#[test]
fn a_module_of_the_checkout() {
    let folder = Folder {
        path: root().join("modules/hello"),
        vm: "make-inside",
    };
    workflow(&folder, "hello", "Hello world");
    // Another kernel's build directory, by both names.
    let list = koru(["kernel", "list", "--json"]).run().json();
    let oldest = &list.as_array().expect("kernels")[0];
    let dir = oldest["build_dir"].as_str().expect("a build directory");
    let release = oldest["release"].as_str().expect("a release");
    for name in ["KDIR", "KERNEL_DIR"] {
        folder.prints(&[&format!("{name}={dir}")], &format!("for {release}"));
    }
    // Loaded, the virtual machine that is started has that kernel.
    koru(["vm", "stop", "--vm", folder.vm]).run();
    folder.prints(
        &[&format!("KDIR={dir}"), "TARGET=vm", "load"],
        "Hello world",
    );
    folder.prints(&["TARGET=vm", "list"], "\nhello ");
    let inside = koru(["exec", "--vm", folder.vm, "uname", "-r"]).run();
    inside.exits(0).prints(release);
    folder.prints(&["TARGET=vm", "log"], "Hello world");
    folder.prints(&["TARGET=vm", "unload"], "");
    // This machine's kernel is another target, which nothing is loaded into unasked.
    let refused = folder.make(&[&format!("KDIR={dir}"), "TARGET=host", "load"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("this machine's own kernel"), "{said}");
    // Only this module's own files go.
    folder.prints(&["clean"], "");
    assert!(Path::new(&root().join("modules/hello/Makefile")).is_file());
}

#[test]
fn a_module_elsewhere() {
    let dir = tempfile::tempdir().expect("a folder");
    koru(["new", "made_here"]).dir(dir.path()).run().exits(0);
    let folder = Folder {
        path: dir.path().join("made_here"),
        vm: "make-outside",
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
fn every_module_has_one() {
    for module in std::fs::read_dir(root().join("modules")).expect("modules") {
        let path = module.expect("a folder").path();
        if path.is_dir() {
            assert!(path.join("Makefile").is_file(), "{}", path.display());
        }
    }
}
