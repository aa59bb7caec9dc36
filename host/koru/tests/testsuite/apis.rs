// SPDX-License-Identifier: MIT OR Apache-2.0

//! What only some kernels have: the table of `koru api`, and what is said of a module that uses
//! what its kernel lacks.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::common::{Koru, Run, kernels, kernels::Added, koru, root};

/// The release of the poor kernel.
const POOR: &str = "5.10.999";

/// Makes the build directory of a kernel that is configured without kprobes and /proc, and whose
/// headers lack something, as those of an older kernel do.
fn poor_kernel(added: &Added) -> PathBuf {
    let dir = added.directory_like("6.1", POOR);
    for file in [
        ".config",
        "include/config/auto.conf",
        "include/generated/autoconf.h",
        "include/generated/rustc_cfg",
    ] {
        let path = dir.join(file);
        let text = fs::read_to_string(&path).expect("a file of the config");
        let without = ["CONFIG_KPROBES", "CONFIG_PROC_FS"];
        let keep = |line: &&str| !without.iter().any(|option| line.contains(option));
        let lines: Vec<&str> = text.lines().filter(keep).collect();
        fs::write(&path, lines.join("\n") + "\n").expect("written");
    }
    // This folder comes first where the compiler looks for headers.
    let headers = dir.join("arch/x86/include/generated/linux");
    fs::create_dir_all(&headers).expect("a folder");
    let header = "#include_next <linux/freezer.h>\n#undef TASK_FREEZABLE\n";
    fs::write(headers.join("freezer.h"), header).expect("written");
    dir
}

/// Returns a build of a new module with this code, for the kernel of a build directory.
fn build(folder: &Path, name: &str, code: &str, kernel: &Path) -> Koru {
    koru(["new", name]).dir(folder).run().exits(0);
    let source = folder.join(name).join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("a source");
    fs::write(&source, format!("{text}\n{code}")).expect("written");
    let kernel = kernel.to_str().expect("text");
    koru(["build", "--quiet", "--kdir", kernel])
        .dir(&folder.join(name))
        .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
}

const PATHS: &str = "
use kernel::kprobe::Kprobe;

fn proc() {
    let _ = kernel::proc_fs::nothing;
}
";

const METHOD: &str = "
/// Waits.
pub fn wait(lock: &kernel::sync::Mutex<u32>, changed: &kernel::sync::CondVar) -> bool {
    changed.wait_interruptible_freezable(&mut lock.lock())
}
";

#[test]
fn lacking_apis_are_named_with_what_brings_them() {
    let added = Added::without_kernels();
    let kernel = poor_kernel(&added);
    let folder = tempfile::tempdir().expect("a folder");
    let run = build(folder.path(), "lacks_paths", PATHS, &kernel).run();
    for (api, option) in [
        ("kernel::kprobe", "CONFIG_KPROBES"),
        ("kernel::proc_fs", "CONFIG_PROC_FS"),
    ] {
        let said = format!("help: `{api}` needs a kernel with {option}; {POOR} is built without");
        run.exits(1).says(&said);
    }
    let run = build(folder.path(), "lacks_method", METHOD, &kernel).run();
    let api = "kernel::sync::CondVar::wait_interruptible_freezable";
    let needs = format!("`{api}` needs Linux 6.1 or later; this is {POOR}");
    run.exits(1).says(&format!("help: {needs}\n"));
    assert_eq!(run.err.matches("needs Linux").count(), 1, "{run}");
    let json = koru(["build", "--json", "--kdir", kernel.to_str().expect("text")])
        .dir(&folder.path().join("lacks_method"))
        .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
        .run();
    let error = json.exits(1).json()["error"].clone();
    assert_eq!(error["hints"][0]["message"], needs, "{json}");
    // What a module does not use is not missed.
    let built = build(folder.path(), "lacks_nothing", "", &kernel).run();
    assert_eq!(built.exits(0).err, "", "{built}");
}

#[test]
fn table_says_which_kernels_have_what() {
    let added = Added::without_kernels();
    let cached = |arguments: &[&str]| -> Run {
        let command = koru(arguments.iter().copied());
        command.env("KORU_CACHE", added.cache()).run()
    };
    let kernel = poor_kernel(&added);
    cached(&["kernel", "add", kernel.to_str().expect("text")]).exits(0);
    let table = cached(&["api", "--json"]);
    let table = table.exits(0).json();
    let has = |part: &str, name: &str| {
        let rows = table[part].as_array().expect("a list");
        let row = rows.iter().find(|row| row["name"] == name);
        let row = row.unwrap_or_else(|| panic!("no {name}: {table}"));
        (row["since"].clone(), row["kernels"][POOR].clone())
    };
    let method = "kernel::sync::CondVar::wait_interruptible_freezable";
    assert_eq!(has("apis", method), ("6.1".into(), false.into()));
    let kprobe = ("CONFIG_KPROBES".into(), false.into());
    assert_eq!(has("apis", "kernel::kprobe"), kprobe);
    assert_eq!(has("apis", "kernel::sync"), (().into(), true.into()));
    assert_eq!(has("changes", "PDE_DATA"), ("5.17".into(), true.into()));
}

#[test]
fn stock_kernels_have_everything() {
    let run = koru(["api"]).run();
    let out = &run.exits(0).prints("6.1-cloud  6.12-cloud").out;
    // Below the APIs is what modules do not notice.
    let (apis, _) = out.split_once("What else differs").expect("both tables");
    assert!(!apis.contains(" no "), "{run}");
    assert!(!out.contains(" ? "), "{run}");
    let run = koru(["api", "freezable", "--kernel", "6.1"]).run();
    let rows: Vec<&str> = run.exits(0).out.lines().collect();
    assert_eq!(rows.len(), 2, "{run}");
    assert!(rows[1].ends_with("  6.1    yes"), "{run}");
    koru(["api", "no_such_api"])
        .run()
        .exits(2)
        .says("`koru api` lists them all");
    let release = kernels::tree("6.1").release;
    let json = koru(["api", "time", "--json"]).run();
    let json = json.exits(0).json();
    assert_eq!(json["apis"][0]["name"], "kernel::time");
    assert_eq!(json["apis"][0]["kernels"][&release], true, "{json}");
}
