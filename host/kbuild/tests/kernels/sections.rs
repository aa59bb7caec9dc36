// SPDX-License-Identifier: MIT OR Apache-2.0

//! The sections of a module: as Kbuild makes them.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use koru_kernels::{Cache, KernelTree, Kernels, NoProgress, SUPPORTED};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::{MODULES, Parts, alone, either, fresh, home, trees};

/// A C module that does what ours do, made by the same Kbuild: its sections are
/// what this kernel and its tools want of any module.
fn c_module(tree: &KernelTree) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let source = "#include <linux/module.h>
        static int (*volatile call)(const char *, ...) = _printk;
        int init_module(void) { return call(\"hello\") == -1000 ? -EINVAL : 0; }
        void cleanup_module(void) { call(\"goodbye\"); }
        MODULE_LICENSE(\"GPL\"); MODULE_DESCRIPTION(\"C\");\n";
    fs::write(dir.path().join("c_hello.c"), source).unwrap();
    fs::write(dir.path().join("Kbuild"), "obj-m := c_hello.o\n").unwrap();
    let output = Command::new("make")
        .arg("-C")
        .arg(&tree.build_dir)
        .arg(format!("M={}", dir.path().display()))
        .args(["-s", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"])
        .env_remove("MAKEFLAGS")
        .output()
        .expect("make");
    assert!(output.status.success(), "{output:?}");
    fs::read(dir.path().join("c_hello.ko")).unwrap()
}

/// As in a lab: `make -C KDIR M=$PWD`, on a machine without pahole. What set-up unpacks
/// has to do for that, for the packages that Debian's depend on are not installed.
#[test]
fn plain_make_needs_no_pahole() {
    let dir = tempfile::tempdir().unwrap();
    let pahole = dir.path().join("bin/pahole");
    fs::create_dir(dir.path().join("bin")).unwrap();
    fs::write(&pahole, "#!/bin/sh\necho pahole: not found >&2\nexit 127\n").unwrap();
    fs::set_permissions(&pahole, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", dir.path().join("bin").display());
    let kernels = Kernels::new(&Cache::new(&home().cache));
    for version in SUPPORTED {
        let tree = kernels.set_up(version, &NoProgress).unwrap();
        let source = dir.path().join(&tree.release);
        fs::create_dir(&source).unwrap();
        fs::write(
            source.join("it.c"),
            "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n",
        )
        .unwrap();
        fs::write(source.join("Kbuild"), "obj-m := it.o\n").unwrap();
        let output = Command::new("make")
            .arg("-C")
            .arg(&tree.build_dir)
            .arg(format!("M={}", source.display()))
            .env("PATH", &path)
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make");
        assert!(output.status.success(), "{output:?}");
        assert!(source.join("it.ko").is_file());
    }
}

#[test]
fn sections_match_those_of_a_c_module() {
    let _alone = alone();
    for tree in trees() {
        let c = c_module(&tree);
        let c = Parts::of(&c);
        let ko = fresh(&tree, "hello");
        let bytes = fs::read(&ko.path).unwrap();
        let ours = Parts::of(&bytes);
        let mut wanted = 0;
        for section in [
            ".modinfo",
            ".gnu.linkonce.this_module",
            ".return_sites",
            ".retpoline_sites",
            ".call_sites",
            ".ibt_endbr_seal",
            ".orc_unwind",
            ".orc_unwind_ip",
            ".orc_header",
            "__versions",
            ".note.gnu.build-id",
        ] {
            if c.sections().contains(section) {
                let size = ours.section(section).map_or(0, |s| s.size());
                assert!(size > 0, "no {section} for {}", tree.release);
                wanted += 1;
            }
        }
        assert!(wanted >= 5, "{wanted}: {:?}", c.sections());
        // Nothing that a C module would not have, but what ours is made with.
        let unknown: Vec<_> = ours
            .sections()
            .into_iter()
            .filter(|s| {
                [".eh_frame", ".got", ".plt", ".stack_sizes"]
                    .iter()
                    .any(|unwanted| s.starts_with(unwanted))
            })
            .collect();
        assert!(unknown.is_empty(), "{unknown:?} for {}", tree.release);
        // Stack traces know every function.
        let orc = ours.section(".orc_unwind_ip").map_or(0, |s| s.size() / 4);
        let functions = ours.functions().len() as u64;
        assert!(orc == 0 || orc >= functions, "{orc} of {functions}");
    }
}

#[test]
fn modinfo_is_complete() {
    let _alone = alone();
    for tree in trees() {
        let ko = fresh(&tree, "hello");
        let bytes = fs::read(&ko.path).unwrap();
        let parts = Parts::of(&bytes);
        let modinfo = parts.section(".modinfo").unwrap().data().unwrap();
        let fields: Vec<&str> = modinfo
            .split(|b| *b == 0)
            .filter(|f| !f.is_empty())
            .map(|f| std::str::from_utf8(f).unwrap())
            .collect();
        let of = |key: &str| -> Vec<&str> {
            let value = |f: &&'_ str| {
                f.split_once('=')
                    .filter(|(k, _)| *k == key)
                    .map(|(_, v)| v.len())
            };
            fields
                .iter()
                .filter(|f| value(f).is_some())
                .map(|f| &f[key.len() + 1..])
                .collect()
        };
        assert_eq!(of("license"), ["GPL"], "{fields:?}");
        assert_eq!(of("name"), ["hello"], "{fields:?}");
        let vermagic = of("vermagic");
        assert_eq!(vermagic.len(), 1, "{fields:?}");
        assert!(
            vermagic[0].starts_with(&format!("{} SMP ", tree.release)),
            "{vermagic:?}"
        );
        if either(&tree, "MITIGATION_RETPOLINE", "RETPOLINE") {
            assert_eq!(of("retpoline"), ["Y"], "{fields:?}");
        }
    }
}

#[test]
fn debug_info_is_in_a_file_of_its_own() {
    let _alone = alone();
    for tree in trees().iter().filter(|t| t.config.yes("DEBUG_INFO")) {
        let ko = fresh(tree, "hello");
        let bytes = fs::read(&ko.path).unwrap();
        let parts = Parts::of(&bytes);
        let debug = |s: &&str| s.starts_with(".debug") || s.starts_with(".rela.debug");
        assert!(
            !parts.sections().iter().any(debug),
            "{:?}",
            parts.sections()
        );
        assert!(ko.size < 100_000, "{}", ko.size);
        // What the kernel and its tracers need is still there.
        assert!(parts.functions().len() > 3);
        let link = parts
            .section(".gnu_debuglink")
            .expect("a link to the debug info");
        assert!(link.data().unwrap().starts_with(b"hello.ko.debug\0"));
        let path = ko.debug.as_ref().expect("debug info");
        let bytes = fs::read(path).unwrap();
        let debug = Parts::of(&bytes);
        for section in [".debug_info", ".debug_line", ".debug_abbrev"] {
            assert!(
                debug.section(section).is_some_and(|s| s.size() > 0),
                "{section}"
            );
        }
        // It is of this build, and knows the Rust source of `init_module`.
        let id = |p: &Parts<'_>| {
            p.section(".note.gnu.build-id")
                .map(|s| s.data().unwrap().to_vec())
        };
        assert!(id(&parts).is_some());
        let output = Command::new("objdump")
            .args(["--dwarf=decodedline"])
            .arg(path)
            .output()
            .expect("objdump");
        let lines = String::from_utf8_lossy(&output.stdout);
        assert!(
            lines.contains("modules/hello/src/lib.rs") || lines.contains("lib.rs"),
            "{lines}"
        );
    }
}

/// The C side is linked function by function, with the entries that each one has in the
/// kernel's tables.
#[test]
fn nothing_of_the_c_side_is_unused() {
    let _alone = alone();
    for tree in trees() {
        for name in MODULES {
            let ko = fresh(&tree, name);
            let bytes = fs::read(&ko.path).unwrap();
            let parts = Parts::of(&bytes);
            let functions = parts.functions();
            let c: Vec<&str> = functions
                .iter()
                .map(|(name, ..)| name.as_str())
                .filter(|name| !name.starts_with("_R"))
                .filter(|name| !matches!(*name, "init_module" | "cleanup_module"))
                .collect();
            assert!(c.iter().any(|name| name.starts_with("koru_")), "{c:?}");
            for function in c
                .iter()
                .filter(|name| name.starts_with("koru_") && !name.contains('.'))
            {
                let uses = parts.uses(function);
                assert!(uses > 0, "{name} does not use {function}, {}", tree.release);
            }
            assert!(parts.section("__mcount_loc").is_none(), "{name}");
        }
    }
}

/// What the kernel has as a function of its own is called without a detour.
#[test]
fn functions_of_the_kernel_are_called_directly() {
    let _alone = alone();
    for tree in trees() {
        let ko = fresh(&tree, "full_ex");
        let bytes = fs::read(&ko.path).unwrap();
        let parts = Parts::of(&bytes);
        for function in ["mutex_lock", "mutex_unlock"] {
            let symbol = parts.0.symbols().find(|s| s.name() == Ok(function));
            assert!(symbol.is_some_and(|s| s.is_undefined()), "{function}");
            assert!(parts.uses(function) > 0, "{function}");
            assert_eq!(parts.uses(&format!("koru_{function}")), 0, "{function}");
        }
        // It is not only a jump: `current->mm` is checked first.
        assert!(parts.uses("koru_copy_value_from_user") > 0);
    }
}
