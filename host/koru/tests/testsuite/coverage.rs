// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru test --coverage`: which lines of a module its tests run.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::common::{KERNELS, Run, koru, root};

const MODULE: &str = r#"// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static int fail;
module_param(fail, int, 0600);

static int set(const char *value, const struct kernel_param *param)
{
	if (value[0] == 'x')
		return -EDOM; /* an x */
	pr_info("set\n"); /* no x */
	return 0;
}

static noinline int never(const char *value)
{
	return value[0] + 1; /* never */
}

static int get(char *value, const struct kernel_param *param)
{
	return never(value);
}

static const struct kernel_param_ops ops = { .set = set, .get = get };
module_param_cb(text, &ops, NULL, 0600);

static int __init start(void)
{
	if (fail == 1) {
		pr_info("fails\n"); /* fails */
		return -EINVAL;
	}
	return fail == 2 ? -ENOMEM : 0;
}

static void __exit end(void)
{
	pr_info("end\n"); /* end */
}

module_init(start);
module_exit(end);
MODULE_LICENSE("GPL");
"#;

/// Loads and unloads the module many times, with an init that fails in between.
const TEST: &str = "#!/bin/sh
for n in 1 2 3 4 5 6 7 8; do
	rmmod lab
	insmod $KORU_KO fail=1 && exit 1
	insmod $KORU_KO || exit 1
done
echo y > /sys/module/lab/parameters/text
";

/// Returns the number of the line that contains a text.
#[track_caller]
fn line(source: &str, text: &str) -> u64 {
    let at = source.lines().position(|line| line.contains(text));
    at.expect("there is such a line") as u64 + 1
}

/// Returns the lines of a file in the report of a run: whether each one ran.
#[track_caller]
fn lines(report: &Value, file: &str) -> BTreeMap<u64, bool> {
    let files = report["coverage"]["files"].as_array().expect("files");
    let is_it = |f: &&Value| f["file"].as_str().is_some_and(|name| name.ends_with(file));
    let found = files.iter().find(is_it).expect("the file");
    let lines = found["lines"].as_array().expect("lines").iter();
    let line = |l: &Value| Some((l["line"].as_u64()?, l["run"].as_bool()?));
    lines.map(|l| line(l).expect("a line")).collect()
}

/// Returns the lines of a file in an lcov file.
fn lines_of_lcov(text: &str, file: &str) -> BTreeMap<u64, bool> {
    let mut lines = BTreeMap::new();
    let mut is_it = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("SF:") {
            is_it = name.ends_with(file);
        }
        if let Some((line, count)) = line.strip_prefix("DA:").and_then(|l| l.split_once(',')) {
            let line = line.parse().expect("a line");
            if is_it {
                *lines.entry(line).or_default() |= count != "0";
            }
        }
    }
    lines
}

/// Checks that the files say what the report says.
#[track_caller]
fn files_agree(report: &Value, file: &str) {
    let path = |kind: &str| {
        report["coverage"][kind]
            .as_str()
            .expect("a path")
            .to_owned()
    };
    let lcov = fs::read_to_string(path("lcov")).expect("an lcov file");
    assert_eq!(lines_of_lcov(&lcov, file), lines(report, file), "{lcov}");
    let html = fs::read_to_string(path("html")).expect("an HTML file");
    assert!(html.contains("class=\"run\"") && html.contains("class=\"not\""));
}

#[test]
fn lines_of_a_module_in_c() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("lab.c", MODULE);
    write("Kbuild", "obj-m := lab.o\n");
    write("tests/again.sh", TEST);
    let covered = |more: &[&str]| -> Run {
        let run = ["test", "--coverage"];
        koru(run.iter().chain(more)).dir(folder.path()).run()
    };
    for kernel in KERNELS {
        let run = covered(&["--kernel", kernel, "--json"]);
        let report = run.exits(0).json();
        let ran = lines(&report, "/lab.c");
        for (text, is_run) in [
            ("an x", false),
            ("no x", true),
            ("never */", false),
            ("return never(", false),
            ("fails */", true),
            ("end */", true),
        ] {
            assert_eq!(ran.get(&line(MODULE, text)), Some(&is_run), "{text}\n{run}");
        }
        let functions = report["coverage"]["files"][0]["functions"].as_array();
        let functions = functions.expect("functions").iter();
        let names = functions
            .filter(|f| f["run"] == false)
            .map(|f| f["name"].clone());
        assert_eq!(names.collect::<Vec<_>>(), ["get", "never"], "{run}");
        files_agree(&report, "/lab.c");
    }
    // The exit status is that of the tests.
    write("tests/again.sh", "exit 1\n");
    covered(&["--kernel", "6.12"])
        .exits(1)
        .prints("lab.c")
        .prints("lab.c: functions that did not run: get, never, set\n")
        .prints("coverage/lcov.info");
}

const RUST: &str = r#"
    #[inline(always)]
    fn doubled(n: u32) -> u32 {
        n.wrapping_mul(2) // inlined
    }

    #[inline(never)]
    fn never(n: u32) -> u32 {
        core::hint::black_box(doubled(n)) + 1 // never
    }

    #[inline(never)]
    fn always(n: u32) -> u32 {
        if core::hint::black_box(n) == u32::MAX {
            return never(n); // not for this number
        }
        core::hint::black_box(doubled(n)) // here
    }
"#;

#[test]
fn lines_of_a_module_in_rust() {
    let away = tempfile::tempdir().expect("a folder");
    let in_folder = |folder: &Path, arguments: &[&str]| {
        let target = root().join("target/cli-tests");
        koru(arguments)
            .dir(folder)
            .env("CARGO_TARGET_DIR", target)
            .run()
    };
    in_folder(away.path(), &["new", "covered"]).exits(0);
    let folder = away.path().join("covered");
    let path = folder.join("src/lib.rs");
    let text = fs::read_to_string(&path).expect("a module");
    let calls = text.replacen(
        "-> Result<Self> {\n",
        "-> Result<Self> {\n        always(core::hint::black_box(2));\n",
        1,
    );
    assert_ne!(calls, text);
    let source = calls + RUST;
    fs::write(&path, &source).expect("a module");
    let run = in_folder(
        &folder,
        &["test", "--coverage", "--kernel", "6.12", "--json"],
    );
    let report = run.exits(0).json();
    let ran = lines(&report, "/src/lib.rs");
    for (text, is_run) in [
        ("always(core", true),
        ("// inlined", true),
        ("// never", false),
        ("// not for", false),
        ("// here", true),
    ] {
        assert_eq!(
            ran.get(&line(&source, text)),
            Some(&is_run),
            "{text}\n{run}"
        );
    }
    files_agree(&report, "/src/lib.rs");
    // The kernel crate is not the module's own.
    let files = report["coverage"]["files"].as_array().expect("files");
    let own = |f: &Value| f["file"].as_str().is_some_and(|f| f.contains("/covered/"));
    assert!(files.iter().all(own), "{run}");
}
