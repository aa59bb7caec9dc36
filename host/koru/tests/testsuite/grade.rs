// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru grade` on a class in which everything goes wrong that can.

use std::{fs, path::Path};

use crate::common::{KERNELS, koru, root};

/// A module whose init is this.
fn module(init: &str) -> String {
    format!(
        "#include <linux/delay.h>\n#include <linux/module.h>\n#include <linux/proc_fs.h>\n\
         #include <linux/reboot.h>\n#include <linux/seq_file.h>\nMODULE_LICENSE(\"GPL\");\n\
         static int __init lab_init(void)\n{{\n{init}\nreturn 0;\n}}\n\
         static void __exit lab_exit(void)\n{{\n}}\nmodule_init(lab_init);\nmodule_exit(lab_exit);\n"
    )
}

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("a file");
}

/// Returns the cells of a student, without quotes.
#[track_caller]
fn row(table: &str, student: &str) -> Vec<String> {
    let line = table
        .lines()
        .find(|l| l.starts_with(&format!("{student},")));
    let line = line.unwrap_or_else(|| panic!("no {student}\n{table}"));
    line.split(',').map(str::to_owned).collect()
}

#[test]
fn requests_that_cannot_be_graded_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let grade = |submissions: &str, contract: &str| {
        koru([
            "grade",
            submissions,
            "--contract",
            contract,
            "--out",
            "results",
        ])
        .dir(dir.path())
        .run()
    };
    grade("nowhere", "proc_timer")
        .exits(2)
        .says("reading the submissions");
    grade(".", "nothing")
        .exits(2)
        .says("no such folder with a contract.toml");
    grade(".", "proc_timer").exits(2).says("there are none");
}

#[test]
#[ignore = "takes long"]
fn class_is_graded_to_the_end_whatever_its_modules_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let class = dir.path().join("class");
    let canary = dir.path().join("canary");
    fs::write(&canary, "alive").expect("a file");
    let solution = root().join("contracts/proc_timer/solution/c/proc_timer.c");
    let solution = fs::read_to_string(solution).expect("the solution");
    write(&class, "ada.c", &solution);
    write(
        &class,
        "Eve_7_assignsubmission_file_/lab/timer.c",
        &solution,
    );
    write(&class, "nobuild.c", "int main(");
    fs::create_dir(class.join("nothing")).expect("a folder");
    write(&class, "oops.c", &module("*(volatile int *)16 = 1;"));
    write(&class, "endless.c", &module("for (;;) cpu_relax();"));
    write(&class, "sleeps.c", &module("msleep(100000000);"));
    write(&class, "reboot.c", &module("kernel_restart(NULL);"));
    write(
        &class,
        "flood.c",
        &module("for (int i = 0; i < 300000; i++) pr_info(\"<script>alert(1)</script>\\n\");"),
    );
    write(&class, "=1+1.c", &solution);
    // These want to harm the machine that builds them.
    let makefile = |command: &str| format!("obj-m := x.o\n$(shell {command})\n");
    let wipe = format!("rm -rf {0} {0}.new; touch {0}.new", canary.display());
    for (student, command) in [
        ("wiper", wipe.as_str()),
        ("spinner", "while :; do :; done"),
        ("forker", "f() { f | f & }; f; sleep 100"),
        ("filler", "cat /dev/zero > big"),
    ] {
        write(&class, &format!("{student}/Makefile"), &makefile(command));
        write(&class, &format!("{student}/x.c"), &module(""));
    }
    // A link to a file of the teacher's is not followed.
    std::os::unix::fs::symlink(&canary, class.join("wiper/link.c")).expect("a link");
    let grade = || {
        let request = [
            "grade",
            "class",
            "--contract",
            "proc_timer",
            "--out",
            "results",
        ];
        let limits = [
            "--kernel",
            KERNELS[1],
            "--limit",
            "60",
            "--build-limit",
            "60",
        ];
        koru(request.into_iter().chain(limits))
            .dir(dir.path())
            .run()
    };
    let run = grade();
    run.exits(0).prints("14 students");
    let read = |name: &str| fs::read_to_string(dir.path().join("results").join(name));
    let table = read("grades.csv").expect("the table");
    for student in ["ada", "Eve", "\"'=1+1\""] {
        let row = row(&table, student);
        assert_eq!((&*row[1], &*row[3]), ("120", "all-kept"), "{table}");
    }
    for student in [
        "oops", "endless", "sleeps", "reboot", "flood", "wiper", "filler",
    ] {
        let row = row(&table, student);
        assert_eq!(row[3], "judged", "{student}\n{table}");
        assert!(row[1].parse::<f64>().is_ok_and(|p| p < 60.0), "{table}");
    }
    for student in ["nobuild", "spinner", "forker"] {
        assert_eq!(row(&table, student)[3], "does-not-build", "{table}");
    }
    assert_eq!(row(&table, "nothing")[3], "problem", "{table}");
    assert_eq!(fs::read_to_string(&canary).expect("the canary"), "alive");
    assert!(!canary.with_extension("new").exists(), "a new file");
    let page = read("index.html").expect("the page");
    let flood = read("students/flood.html").expect("a page");
    assert!(!flood.contains("<script>") && !page.contains("<script>"));
    assert!(flood.contains("&lt;script&gt;"));

    // Again, with a student who has found a mistake: only that work is judged.
    write(&class, "nobuild.c", &solution);
    let run = grade();
    run.exits(0)
        .prints("changed: nobuild: 0 of 120 points -> 120 of 120 points");
    assert!(!run.out.contains("changed: ada"), "{run}");
}
