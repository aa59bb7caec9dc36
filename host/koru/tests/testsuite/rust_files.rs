// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules in Rust as they are written for the kernel's own tree: a file without a Cargo.toml, a
//! folder with a Kbuild, Rust and C in one module.

use std::fs;

use crate::common::{KERNELS, koru};

/// A module without `#![no_std]`, which the kernel's own build adds.
const FILE: &str = r#"// SPDX-License-Identifier: GPL-2.0

//! Keeps some numbers.

use kernel::prelude::*;

module! {
    type: Numbers,
    name: "rust_numbers",
    authors: ["The Koru authors"],
    description: "Keeps some numbers",
    license: "GPL",
}

struct Numbers(KVec<i32>);

impl kernel::Module for Numbers {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut numbers = KVec::new();
        numbers.push(first(), GFP_KERNEL)?;
        Ok(Numbers(numbers))
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        pr_info!("numbers {:?}\n", self.0);
    }
}

fn first() -> i32 {
    7
}
"#;

#[test]
fn file_runs_untouched() {
    let away = tempfile::tempdir().unwrap();
    let file = away.path().join("rust_numbers.rs");
    fs::write(&file, FILE).unwrap();
    for kernel in KERNELS {
        let run = koru(["run", "rust_numbers.rs", "--kernel", kernel])
            .dir(away.path())
            .run();
        run.exits(0).prints("rust_numbers: numbers [7]\n");
        assert!(!run.err.contains("warning"), "{run}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), FILE);
    assert_eq!(fs::read_dir(away.path()).unwrap().count(), 1);
    // Mistakes are shown as rustc prints them, with the user's path.
    fs::write(&file, FILE.replace("    7\n", "    \"seven\"\n")).unwrap();
    let run = koru(["build", "rust_numbers.rs"]).dir(away.path()).run();
    run.exits(1)
        .says("mismatched types")
        .says("rust_numbers.rs:");
}

#[test]
fn folder_with_a_kbuild_builds() {
    let away = tempfile::tempdir().unwrap();
    fs::write(away.path().join("rust_numbers.rs"), FILE).unwrap();
    fs::write(away.path().join("Kbuild"), "obj-m := rust_numbers.o\n").unwrap();
    let run = koru(["run"]).dir(away.path()).run();
    run.exits(0).prints("rust_numbers: numbers [7]\n");
}

#[test]
fn rust_and_c_are_one_module() {
    let away = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(away.path().join(name), text).unwrap();
    write(
        "main.rs",
        &FILE
            .replace("rust_numbers", "mixed")
            .replace(
                "    7\n",
                "    // SAFETY: it returns a number.\n    unsafe { from_c(1) }\n",
            )
            .replace(
                "struct Numbers",
                "extern \"C\" {\n    fn from_c(x: i32) -> i32;\n}\n\n#[no_mangle]\n\
                 extern \"C\" fn twice(x: i32) -> i32 {\n    2 * x\n}\n\nstruct Numbers",
            ),
    );
    write(
        "part.c",
        "#include \"part.h\"\nint from_c(int x) { return x + twice(TWENTY); }\n",
    );
    write("part.h", "int twice(int x);\nint from_c(int x);\n");
    write(
        "Makefile",
        "obj-m := mixed.o\nmixed-y := main.o \\\n\tpart.o\nccflags-y := -DTWENTY=20\n",
    );
    for kernel in KERNELS {
        let run = koru(["run", "--kernel", kernel]).dir(away.path()).run();
        run.exits(0).prints("mixed: numbers [41]\n");
    }
    write(
        "part.h",
        "int twice(int x);\nint from_c(int x);\n#undef TWENTY\n#define TWENTY 30\n",
    );
    let run = koru(["run"]).dir(away.path()).run();
    run.exits(0).prints("mixed: numbers [61]\n");
    // The compiler of C has a sandbox, too.
    let outside = tempfile::tempdir().unwrap();
    let canary = outside.path().join("canary.h");
    fs::write(&canary, "#define TWENTY 30\n").unwrap();
    write("part.h", &format!("#include {canary:?}\n"));
    let run = koru(["run"]).dir(away.path()).run();
    run.exits(1).says("canary.h: No such file or directory");
}

/// A file reads what belongs to it, and nothing else.
#[test]
fn file_is_compiled_in_the_sandbox() {
    let away = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = away.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let part = "    part::inner::NUMBER + include_bytes!(\"canary\").len() as i32\n";
    let file = FILE.replace("    7\n", part);
    write("rust_numbers.rs", &format!("{file}\nmod part;\n"));
    write("part.rs", "pub mod inner;\n");
    write("part/inner.rs", "pub const NUMBER: i32 = 7;\n");
    write("canary", "alive");
    let run = koru(["build", "rust_numbers.rs"]).dir(away.path()).run();
    run.exits(1).says("couldn't read `");
    assert!(!run.err.contains("file not found for module"), "{run}");
    let folder = away.path().to_str().unwrap();
    for option in [&["--with", folder][..], &["--trust"]] {
        let words = ["build", "rust_numbers.rs"].iter().chain(option);
        koru(words).dir(away.path()).run().exits(0);
    }
}
