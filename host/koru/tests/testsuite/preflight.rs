// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules are judged on kernels before a machine runs them.

use std::{fs, path::Path};

use crate::common::{CModule, Run, kernels, koru};

/// A module that kernels have until 6.11 compile.
const OLD: &str = "#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static const struct file_operations ops = {
\t.owner = THIS_MODULE,
\t.llseek = no_llseek,
};
static struct miscdevice device = { .minor = MISC_DYNAMIC_MINOR, .name = \"aged\", .fops = &ops };
module_misc_device(device);
MODULE_LICENSE(\"GPL\");
MODULE_DESCRIPTION(\"aged\");
";

fn folder(place: &Path, name: &str, source: &str) {
    let folder = place.join(name);
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join(format!("{name}.c")), source).expect("writing");
    fs::write(folder.join("Kbuild"), format!("obj-m := {name}.o\n")).expect("writing");
}

/// Returns module, version and verdict of each row.
fn rows(run: &Run) -> Vec<(String, String, bool)> {
    let all = run.json();
    let rows = all.as_array().expect("a list").iter().map(|row| {
        let text = |key: &str| row[key].as_str().expect("text").to_owned();
        let go = row["go"].as_bool().expect("a verdict");
        let release = text("kernel");
        let version = release.split(['.', '-']).take(2).collect::<Vec<_>>();
        (text("module"), version.join("."), go)
    });
    rows.collect()
}

#[test]
fn module_that_a_newer_kernel_breaks_is_found() {
    let place = tempfile::tempdir().expect("a folder");
    folder(place.path(), "aged", OLD);
    folder(
        place.path(),
        "sound",
        &OLD.replace("\t.llseek = no_llseek,\n", ""),
    );
    let both = ["aged/", "sound/", "--kernel", "6.1", "--kernel", "6.12"];
    let run = koru(
        ["preflight", "--json", "--junit", "report.xml"]
            .iter()
            .chain(&both),
    );
    let run = run.dir(place.path()).run();
    let row = |module: &str, version: &str, go| (module.to_owned(), version.to_owned(), go);
    let expected = [
        row("aged", "6.1", true),
        row("sound", "6.1", true),
        row("aged", "6.12", false),
        row("sound", "6.12", true),
    ];
    assert_eq!(rows(run.exits(1)), expected, "{run}");
    let broken = &run.json()[2];
    assert_eq!(broken["failed"], "build", "{run}");
    let why = broken["why"].as_str().expect("a reason");
    assert!(
        why.contains("since Linux 6.12, `no_llseek` is gone"),
        "{why}"
    );
    assert_eq!(
        broken["error"]["hints"][0]["place"]["file"], "aged.c",
        "{run}"
    );
    let report = fs::read_to_string(place.path().join("report.xml")).expect("a report");
    assert!(report.contains("tests=\"4\" failures=\"1\""), "{report}");
    // Its own tests belong to the verdict.
    fs::create_dir(place.path().join("sound/tests")).expect("a folder");
    fs::write(
        place.path().join("sound/tests/never.sh"),
        "echo no luck; exit 1\n",
    )
    .expect("writing");
    let run = koru(["preflight", "sound/", "--kernel", "6.12"])
        .dir(place.path())
        .run();
    run.exits(1)
        .prints("no-go  sound  6.12.")
        .prints("  loads, but its tests fail: ")
        .says("no luck");
}

#[test]
fn modules_of_one_folder_have_a_row_each() {
    let place = tempfile::tempdir().expect("a folder");
    let lab = place.path().join("lab");
    fs::create_dir(&lab).expect("a folder");
    let module = |text: &str| {
        format!(
            "#include <linux/module.h>\n{text}\nMODULE_LICENSE(\"GPL\");\nMODULE_DESCRIPTION(\"x\");\n"
        )
    };
    let files = [
        (
            "first.c",
            module(
                "int first_one(void);\nint first_one(void) { return 1; }\nEXPORT_SYMBOL_GPL(first_one);",
            ),
        ),
        (
            "second.c",
            module(
                "int first_one(void);\nstatic int __init begin(void) { return first_one() - 1; }\nstatic void __exit end(void) { }\nmodule_init(begin);\nmodule_exit(end);",
            ),
        ),
        (
            "third.c",
            module("static int __init begin(void) { return -EIO; }\nmodule_init(begin);"),
        ),
        ("Kbuild", "obj-m := first.o second.o third.o\n".to_owned()),
    ];
    for (name, text) in files {
        fs::write(lab.join(name), text).expect("writing");
    }
    let expected = [("first", true), ("second", true), ("third", false)]
        .map(|(name, go)| (name.to_owned(), "6.12".to_owned(), go));
    for (folder, arguments) in [(place.path(), &["lab/"][..]), (&*lab, &[])] {
        let run = koru([&["preflight", "--json", "--kernel", "6.12"], arguments].concat());
        let run = run.dir(folder).run();
        let mut found = rows(run.exits(1));
        found.sort();
        assert_eq!(found, expected, "{run}");
    }
}

#[test]
fn built_modules_are_loaded_into_the_kernel() {
    let module = CModule::build("host/koru/tests/testsuite/endings/modules/endless.c", "6.1");
    let of = |version: &str| {
        let arguments = ["preflight", "endless.ko", "--kernel", version];
        koru(arguments).dir(module.path()).run()
    };
    of("6.1").exits(0).prints("go     endless  6.1.");
    of("6.12")
        .exits(1)
        .prints("no-go  endless  6.12.")
        .prints("fails when it is loaded and unloaded: ")
        .prints(&kernels::tree("6.1").release);
}

#[test]
fn kernel_has_to_be_named() {
    koru(["preflight", "hello"]).run().exits(2).says("--kernel");
    koru(["preflight", "hello", "--kernel", "7.99"])
        .run()
        .exits(2)
        .says("7.99");
}
