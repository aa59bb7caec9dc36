// SPDX-License-Identifier: MIT OR Apache-2.0

//! What concerns a module as a whole: it does not build, one cause breaks many requirements,
//! its log is a flood, the user does not wait for the end.

use std::{collections::BTreeSet, ffi::OsStr, fs, path::Path};

use rustix::process::Signal;
use serde_json::Value;

use super::{
    changed,
    common::{KERNELS, koru, koru_by, root},
    results,
};

/// The paths of a Markdown and a JUnit report.
struct Reports(tempfile::TempDir);

impl Reports {
    fn new() -> Reports {
        Reports(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn options(&self) -> [String; 4] {
        let (markdown, junit) = (self.path("report.md"), self.path("junit.xml"));
        ["--markdown".into(), markdown, "--junit".into(), junit]
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a report")
    }
}

/// Writes a folder with one C file.
fn folder(source: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("lab.c"), source).expect("a source");
    fs::write(dir.path().join("Kbuild"), "obj-m := lab.o\n").expect("a Kbuild");
    dir
}

fn words(words: &[&str], more: impl IntoIterator<Item = String>) -> Vec<String> {
    words.iter().map(|w| w.to_string()).chain(more).collect()
}

#[test]
fn module_that_does_not_build_has_all_reports() {
    let lab = folder("#include <linux/module.h>\nint x = nowhere;\nMODULE_LICENSE(\"GPL\");\n");
    let lab = lab.path().display().to_string();
    let reports = Reports::new();
    let args = words(&["verify", "jiffies", "--src", &lab], reports.options());
    let run = koru(&args).run();
    run.exits(4)
        .says("error: ")
        .says("undeclared here (not in a function)")
        .prints("promises kept, ")
        .prints("not tried, because the module does not build");
    let text = reports.text("report.md");
    assert!(text.contains("## It does not build\n"), "{text}");
    assert_eq!(text.matches("undeclared").count(), 1, "{text}");
    assert!(
        text.contains("| NO BUILD | the module does not build |"),
        "{text}"
    );
    let text = reports.text("junit.xml");
    assert!(!text.contains("errors=\"0\""), "{text}");
    assert!(text.contains("failures=\"0\""), "{text}");
    let run = koru(words(&["verify", "jiffies", "--json", "--src", &lab], [])).run();
    let report = run.exits(4).json();
    assert!(report["build_output"].is_string() && report["made_files"].is_null());
    let rows = report["requirements"].as_array().expect("a list");
    assert!(
        rows.len() > 3 && rows.iter().all(|r| r["result"] == "does-not-build"),
        "{run}"
    );
}

#[test]
fn one_cause_of_many_is_told_once_at_the_top() {
    let lab = changed(
        "tests/correct/my_timer",
        &[("\"current time: \"", "\"Current Time: \"")],
    );
    let lab = lab.path().display().to_string();
    let reports = Reports::new();
    let args = words(&["verify", "my_timer", "--src", &lab], reports.options());
    let run = koru(&args).run();
    run.exits(1);
    let cause = "your file says `Current Time:`; the contract says `current time:`: ";
    let line = run.out.lines().find(|l| l.starts_with(cause));
    let line = line.unwrap_or_else(|| panic!("no cause\n{run}"));
    let count: usize = line[cause.len()..]
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(count >= 3, "{line}");
    assert_eq!(run.out.matches(cause).count(), 1);
    run.prints("the module made /proc/timer\n");
    // It is above the table.
    assert!(run.out.find(cause) < run.out.find("promise "), "{run}");
    let text = reports.text("report.md");
    assert!(
        text.contains("your file says \\`Current Time:\\`"),
        "{text}"
    );
    assert!(
        text.find("your file says") < text.find("| Promise |"),
        "{text}"
    );
    // No Rust notation is left.
    for notation in ["Os {", "Err(", "kind: ", "Some("] {
        assert!(!run.out.contains(notation), "{notation}\n{run}");
    }
}

#[test]
fn flood_of_log_lines_is_cut() {
    let source = "#include <linux/module.h>
        static int __init lab_init(void)
        {
            int i;
            for (i = 0; i < 20000; i++)
                pr_info(\"a line that fills the log, again and again: number %d\\n\", i);
            return 0;
        }
        static void __exit lab_exit(void) { }
        module_init(lab_init);
        module_exit(lab_exit);
        MODULE_LICENSE(\"GPL\");\n";
    let lab = folder(source);
    let lab = lab.path().display().to_string();
    let reports = Reports::new();
    let args = ["verify", "hello", "--json", "--src", &lab, "says", "log"];
    let run = koru(words(&args, reports.options())).run();
    let report = run.exits(1).json();
    assert_eq!(report["made_files"], serde_json::json!([]), "{run}");
    let broken = report["requirements"].as_array().expect("a list").iter();
    let logs: Vec<&Value> = broken
        .filter(|r| r["result"] != "pass")
        .map(|r| &r["log"])
        .collect();
    assert!(!logs.is_empty(), "{run}");
    for log in logs {
        let log = log.to_string();
        assert!(
            log.len() < 50_000 && log.contains("lines are left out"),
            "{}",
            log.len()
        );
    }
    for (name, size) in [("report.md", 200_000), ("junit.xml", 500_000)] {
        assert!(reports.text(name).len() < size, "{name}");
    }
    assert!(run.out.len() < 1_000_000, "{}", run.out.len());
}

#[test]
fn ctrl_c_reports_what_was_judged() {
    let reports = Reports::new();
    let script = root().join("koru");
    let command = ["sh", "-c", "exec \"$0\" \"$@\" 2>&1"].map(OsStr::new);
    let command = command.into_iter().chain([script.as_os_str()]);
    let args = words(&["verify", "my_timer"], reports.options());
    let mut running = koru_by(command, &args).start();
    running.wait_for_output("pass ");
    running.signal_all(Signal::INT);
    let run = running.end();
    run.exits(130)
        .prints("interrupted: not every requirement was checked")
        .prints("not tried, because of an interruption");
    let text = reports.text("report.md");
    assert!(
        text.contains("| pass |") && text.contains("| ? | interrupted"),
        "{text}"
    );
    let text = reports.text("junit.xml");
    assert!(
        text.contains("<skipped") && text.contains("failures=\"0\""),
        "{text}"
    );
    assert!(Path::new(&reports.path("junit.xml")).is_file());
}

#[test]
fn table_fits_the_width_that_is_given() {
    let run = koru(["verify", "hello", "hundred", "after"])
        .env("COLUMNS", "50")
        .run();
    run.exits(0);
    let table = run
        .out
        .lines()
        .skip_while(|l| !l.contains("promise"))
        .take_while(|l| !l.is_empty());
    let widths: Vec<usize> = table.map(|l| l.chars().count()).collect();
    assert!(
        widths.len() > 2 && widths.iter().all(|w| *w <= 50),
        "{widths:?}\n{run}"
    );
}

/// The benchmark compares Koru's modules with these, so they have to promise the same. (That of
/// full_ex is tested on both kernels, beside what breaks it.)
#[test]
#[ignore = "takes long"]
fn fair_forms_of_the_benchmark_keep_every_promise() {
    let modules = [
        "hello_proc",
        "jiffies",
        "seconds",
        "my_timer",
        "minimal_proc_lkm",
        "circbuf",
        "probe_count",
    ];
    for (module, kernel) in modules.into_iter().zip(KERNELS.into_iter().cycle()) {
        let form = format!("bench/c/{module}/fair");
        let run = koru(["verify", module, "--src", &form, "--kernel", kernel]).run();
        run.exits(0);
    }
}

/// `koru bench` names the promises below its table.
#[test]
#[ignore = "takes long"]
fn other_forms_of_the_benchmark_break_what_is_listed() {
    let listed = fs::read_to_string(root().join("bench/broken.toml")).expect("a file");
    let listed: toml::Table = toml::from_str(&listed).expect("TOML");
    let listed = listed["form"].as_array().expect("a list");
    assert!(listed.len() > 5, "{listed:?}");
    for (form, kernel) in listed.iter().zip(KERNELS.into_iter().cycle()) {
        let tests = |key: &str| -> BTreeSet<&str> {
            let tests = form.get(key).and_then(|list| list.as_array());
            tests
                .into_iter()
                .flatten()
                .filter_map(|t| t.as_str())
                .collect()
        };
        let [module, name] = ["module", "form"].map(|key| form[key].as_str().expect("a name"));
        let folder = format!("bench/c/{module}/{name}");
        let arguments = [
            "verify", module, "--src", &folder, "--kernel", kernel, "--json",
        ];
        let run = koru(arguments).run();
        run.exits(1);
        let results = results(&run);
        let failed = results.iter().filter(|(_, result)| *result == "fail");
        let failed: BTreeSet<&str> = failed.map(|(test, _)| &**test).collect();
        let races = tests("races");
        let found: BTreeSet<&str> = failed.difference(&races).copied().collect();
        assert_eq!(found, tests("breaks"), "{folder} on {kernel}\n{run}");
        let crashed = results.iter().find(|(_, result)| *result == "crash");
        assert_eq!(crashed, None, "{folder} on {kernel}\n{run}");
    }
}
