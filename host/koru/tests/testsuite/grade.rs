// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru grade` on a class in which everything goes wrong that can.

use std::{fs, path::Path, process::Command, time::Duration};

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

/// What needs something broken costs nothing, and no report shows it as failed.
#[test]
fn what_needs_a_broken_promise_is_not_tried_and_costs_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let promise = |name: &str, more: &str, steps: &str| {
        format!(
            "[[promise]]\nname = '{name}'\ntitle = 'Of {name}.'\npoints = 4\n{more}\n\
             steps = [{{ load = {{}} }}, {steps}]\n"
        )
    };
    let contract = [
        "[[group]]\nname = 'reads'\ntitle = 'Reading'\nneeds = 'opens'\n".to_owned(),
        promise("loads", "", ""),
        promise("opens", "", "{ open = '/dev/x' }"),
        promise("first", "group = 'reads'", "{ open = '/dev/x' }"),
        promise(
            "hidden",
            "group = 'reads'\nsecret = true",
            "{ open = '/dev/x' }",
        ),
        promise("after", "needs = 'reads'", "{ open = '/dev/x' }"),
    ]
    .concat();
    write(dir.path(), "lab/contract.toml", &contract);
    write(dir.path(), "class/ada.c", &module(""));
    // This one is marked, and judged as all others.
    let prying = module("if (IS_ERR(filp_open(\"/x\", O_RDONLY, 0))) pr_info(\"none\\n\");");
    let prying = format!("#include <linux/fs.h>\n{prying}");
    write(dir.path(), "class/prying.c", &prying);
    let grade = || {
        let request = ["grade", "class", "--contract", "lab", "--out", "results"];
        let run = koru(request.into_iter().chain(["--kernel", KERNELS[1]]));
        let run = run.dir(dir.path()).run();
        run.exits(0);
    };
    let read =
        |name: &str| fs::read_to_string(dir.path().join("results").join(name)).expect("a result");
    grade();
    let table = read("grades.csv");
    let cells = row(&table, "ada");
    assert_eq!(&cells[1..4], ["7", "11", "judged"], "{table}");
    assert_eq!(
        &cells[8..13],
        ["4", "0", "not-tried", "not-tried", "not-tried"]
    );
    let marked = row(&table, "prying");
    assert_eq!((&*marked[1], &*marked[7]), ("7", "filp_open"), "{table}");
    assert!(read("index.html").contains("<td>filp_open</td>"));
    assert!(!read("students/prying.html").contains("filp_open"));
    let page = read("students/ada.html");
    let why = "not tried, because this is not kept: Of opens.; it costs nothing";
    assert!(page.contains(why) && page.contains(">Reading<"), "{page}");
    assert!(!page.contains("Of hidden"), "{page}");
    for file in ["gradescope/ada/results.json", "github/ada/results.json"] {
        let text = read(file);
        assert!(text.contains("Of opens."), "{text}");
        let failed = text.matches("\"fail").count();
        // GitHub Classroom has a status of the whole as well.
        assert_eq!(
            failed,
            1 + usize::from(file.starts_with("github")),
            "{text}"
        );
        assert!(!text.contains("Of hidden"), "{text}");
    }
    assert!(read("gradescope/ada/results.json").contains(why));
    assert_eq!(read("junit.xml").matches("<skipped").count(), 6);

    // A teacher may want it otherwise.
    write(
        dir.path(),
        "lab/contract.toml",
        &format!("untried = 'lost'\n{contract}"),
    );
    grade();
    let table = read("grades.csv");
    assert_eq!(row(&table, "ada")[1..3], ["7", "23"], "{table}");
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
    // These want to forge what the guest says, or to harm the guest.
    let sh = |command: &str| {
        format!(
            "static char *argv[] = {{ \"/bin/sh\", \"-c\", \"{command}\", NULL }};\n\
             static char *envp[] = {{ \"PATH=/bin:/sbin\", NULL }};\n\
             call_usermodehelper(argv[0], argv, envp, UMH_NO_WAIT);"
        )
    };
    for (student, command) in [
        ("eraser", "rm -rf /bin /lib /tests /sbin"),
        ("bomber", "f() { f | f & }; f"),
        ("hoarder", "cat /dev/zero > /tmp/big"),
        (
            "forger",
            "while :; do for o in /proc/[0-9]*/fd/1; do echo 0 ok 0 0 0 > $o; echo ok 1; done; done",
        ),
    ] {
        write(&class, &format!("{student}.c"), &module(&sh(command)));
    }
    write(&class, "panic.c", &module("panic(\"ok 1 - all\");"));
    // These are what most of a class hands in.
    let wrong = root().join("contracts/proc_timer/wrong");
    let wrong: Vec<_> = fs::read_dir(wrong).expect("a folder").flatten().collect();
    for entry in &wrong {
        let text = fs::read_to_string(entry.path().join("proc_timer.c")).expect("a module");
        let name = entry.file_name().to_string_lossy().into_owned();
        write(&class, &format!("{name}.c"), &text);
    }
    for file in ["Cargo.toml", "src/lib.rs"] {
        let path = root().join("contracts/proc_timer/solution/rust").join(file);
        let text = fs::read_to_string(path).expect("the solution");
        write(&class, &format!("rust/{file}"), &text);
    }
    let big = dir.path().join("big");
    let zeros = fs::File::create(&big).and_then(|file| file.set_len(200 << 20));
    zeros.expect("a file");
    let archive = |name: &str, folder: &Path, file: &str| {
        let tar = Command::new("tar")
            .arg("-czf")
            .arg(class.join(name))
            .arg("-C")
            .args([folder, Path::new(file)])
            .status();
        assert!(tar.expect("tar").success());
    };
    archive("packed.tar.gz", &class, "ada.c");
    archive("huge.tar.gz", dir.path(), "big");
    fs::write(class.join("bogus.ko"), "\x7fELF no module").expect("a file");
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
            .within(Duration::from_secs(3600))
            .run()
    };
    let run = grade();
    run.exits(0).prints("30 students");
    let read = |name: &str| fs::read_to_string(dir.path().join("results").join(name));
    let table = read("grades.csv").expect("the table");
    for student in ["ada", "Eve", "\"'=1+1\"", "rust", "packed"] {
        let row = row(&table, student);
        assert_eq!((&*row[1], &*row[3]), ("120", "all-kept"), "{table}");
    }
    for student in [
        "oops", "endless", "sleeps", "reboot", "flood", "wiper", "filler", "eraser", "bomber",
        "hoarder", "forger", "panic",
    ] {
        let row = row(&table, student);
        assert_eq!(row[3], "judged", "{student}\n{table}");
        assert!(row[1].parse::<f64>().is_ok_and(|p| p < 60.0), "{table}");
    }
    for student in ["nobuild", "spinner", "forker"] {
        assert_eq!(row(&table, student)[3], "does-not-build", "{table}");
    }
    for student in ["nothing", "huge", "bogus"] {
        assert_eq!(row(&table, student)[3], "problem", "{table}");
    }
    for entry in &wrong {
        let row = row(&table, &entry.file_name().to_string_lossy());
        assert_eq!(row[3], "judged", "{table}");
        assert!(row[1].parse::<f64>().is_ok_and(|p| p > 60.0), "{table}");
    }
    assert!(
        row(&table, "forger")[7].contains("call_usermodehelper"),
        "{table}"
    );
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
