// SPDX-License-Identifier: MIT OR Apache-2.0

//! Paths with letters that make, the shell or cargo read as something else than a letter.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common::{Vm, kernels, koru, root};

/// The name of a folder. `tests/` has a test for each command that may stumble over it.
const ODD: &str = "m y'f\"older$HOME #1 %x:ä(b);&*\\n";

/// A folder with an odd name.
struct Odd(tempfile::TempDir);

impl Odd {
    fn new() -> Odd {
        let odd = Odd(tempfile::tempdir().expect("a folder"));
        fs::create_dir(odd.path()).expect("a folder");
        odd
    }

    fn path(&self) -> PathBuf {
        self.0.path().join(ODD)
    }
}

/// The folder for cargo's outputs. All tests share it, so that the kernel crate is compiled
/// once.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(ODD)
}

/// Writes a C module, `NAME.c` and its Makefile.
fn c_module(folder: &Path, name: &str, source: &str) {
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join(format!("{name}.c")), source).expect("a source");
    fs::write(folder.join("Makefile"), format!("obj-m := {name}.o\n")).expect("a Makefile");
}

fn hello() -> String {
    fs::read_to_string(root().join("tests/correct/hello/hello_lab.c")).expect("a source")
}

#[test]
fn module_in_such_a_folder_is_built_and_run() {
    let odd = Odd::new();
    let in_odd = |dir: &str, arguments: &[&str]| {
        let dir = odd.path().join(dir);
        koru(arguments).dir(&dir).env("CARGO_TARGET_DIR", target())
    };
    in_odd(".", &["new", "spc", "--template", "proc"])
        .run()
        .exits(0);
    in_odd("spc", &["run", "--", "cat", "/proc/spc"])
        .run()
        .exits(0)
        .prints("Hello from spc\n");
    // By its path, and for another kernel.
    let path = odd.path().join("spc").display().to_string();
    in_odd(".", &["build", &path, "--kernel", "6.1"])
        .run()
        .exits(0)
        .prints("spc.ko");
    // An oops is shown with the line of the source.
    let source = odd.path().join("spc/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let bad = text.replacen(
        "let options = ",
        "kernel::fault::warn();\n        let options = ",
        1,
    );
    assert_ne!(bad, text);
    fs::write(&source, bad).unwrap();
    in_odd("spc", &["run"])
        .run()
        .exits(1)
        .prints("  at src/lib.rs:");
    // A mistake is shown with the user's path.
    fs::write(
        &source,
        format!("{text}\nfn broken() -> u32 {{ nowhere }}\n"),
    )
    .unwrap();
    in_odd("spc", &["build"])
        .run()
        .exits(1)
        .says("--> src/lib.rs:");
}

#[test]
fn make_works_in_such_a_folder() {
    let odd = Odd::new();
    koru(["new", "mk"]).dir(&odd.path()).run().exits(0);
    let vm = Vm::new();
    // The script itself is reached through a path with such letters as well.
    let script = odd.path().join("ko ru");
    std::os::unix::fs::symlink(root().join("koru"), &script).expect("a link");
    let make = |arguments: &[&str]| {
        let output = Command::new("make")
            .args(arguments)
            .current_dir(odd.path().join("mk"))
            .env("KORU", &script)
            .env("KORU_VM", vm.name())
            .env("KORU_CACHE", kernels::cache())
            .env("CARGO_TARGET_DIR", target())
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "make {arguments:?}: {said}");
        said
    };
    assert!(make(&[]).contains("mk.ko"));
    make(&["load"]);
    assert!(make(&["list"]).contains("\nmk "));
    make(&["unload"]);
    // A kernel's build directory, through a link with such a name.
    let tree = kernels::tree("6.1");
    let kdir = odd.path().join("k dir");
    std::os::unix::fs::symlink(&tree.build_dir, &kdir).expect("a link");
    let built = make(&[&format!("KDIR={}", kdir.display())]);
    assert!(built.contains(&tree.release), "{built}");
}

#[test]
#[ignore = "takes long"]
fn verify_builds_a_module_in_such_a_folder() {
    let odd = Odd::new();
    let lab = odd.path().join("la b");
    c_module(&lab, "hello", &hello());
    let verify = || {
        koru(
            ["verify", "hello", "hundred", "--kernel", "6.12", "--src"]
                .map(String::from)
                .into_iter()
                .chain([lab.display().to_string()]),
        )
        .env("TMPDIR", odd.path())
        .run()
    };
    verify().exits(0).prints("1 of 1 ");
    c_module(
        &lab,
        "hello",
        &format!("{}\nint broken(void) {{ return x; }}\n", hello()),
    );
    let said = verify();
    said.says(&format!("{}/hello.c:", lab.display()));
    assert!(!said.err.contains("koru-verify-"), "{said}");
}

#[test]
#[ignore = "takes long"]
fn everything_works_with_such_a_cache() {
    let odd = Odd::new();
    let cache = odd.path().join("ca che");
    fs::create_dir_all(cache.join("kernels")).unwrap();
    for shared in ["guest", "sysroots", "tools"] {
        std::os::unix::fs::symlink(kernels::cache().join(shared), cache.join(shared)).unwrap();
    }
    // make asks for the real path, so the kernel's files are really there.
    let tree = kernels::tree("6.12");
    let place = kernels::cache().join("kernels").join(&tree.release);
    let place = place.canonicalize().expect("a kernel");
    let copied = |how: &str| {
        let mut cp = Command::new("cp");
        cp.args([how, "--"]).arg(&place).arg(cache.join("kernels"));
        cp.output().expect("cp").status.success()
    };
    // Links to the files take no space, but work in one file system only.
    assert!(copied("-al") || copied("-a"));
    let lab = odd.path().join("lab");
    c_module(&lab, "hello", &hello());
    koru(["run", "hello"])
        .env("KORU_CACHE", &cache)
        .run()
        .exits(0)
        .prints("Hello world");
    koru(
        ["verify", "hello", "hundred", "--src"]
            .map(String::from)
            .into_iter()
            .chain([lab.display().to_string()]),
    )
    .env("KORU_CACHE", &cache)
    .run()
    .exits(0)
    .prints("1 of 1 ");
    koru(["kernel", "list"])
        .env("KORU_CACHE", &cache)
        .run()
        .exits(0)
        .prints(&tree.release);
}
