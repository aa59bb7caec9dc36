// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru contract`, and `koru verify` by contracts that a teacher writes.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::common::{self, KERNELS, koru, root};

/// A promise that needs nothing, as the beginning of a contract.
const LOADS: &str = "[[promise]]\nname = 'loads'\ntitle = 'It loads.'\nsteps = [{ load = {} }]\n";

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("a file");
}

/// An error in a contract is found before anything is built, by its line.
#[test]
fn errors_in_a_contract_name_the_line_and_the_nearest_word() {
    let dir = tempfile::tempdir().expect("a folder");
    let promise =
        |step: &str| format!("{LOADS}[[promise]]\nname='x'\ntitle='X.'\nsteps=[\n{step}\n]\n");
    let open = "{ open = '/dev/x' },\n";
    for (text, line, message, help) in [
        (
            "titel = 'x'\n".to_owned() + LOADS,
            1,
            "has no field `titel`",
            "title",
        ),
        (
            promise("{ opne = '/x' }"),
            9,
            "`opne` is nothing that a step can do",
            "open",
        ),
        (promise("{ raed = 5 }"), 9, "`raed` is nothing", "read"),
        (
            promise("{ read = 5 }"),
            9,
            "no step above opens a file `file`",
            "",
        ),
        (
            promise(&format!("{open}{{ read = 5, error = 'EINVALL' }}")),
            10,
            "no error number called `EINVALL`",
            "EINVAL",
        ),
        (
            promise(&format!("{open}{{ read = 5, matches = '(' }}")),
            10,
            "no regular expression",
            "",
        ),
        (
            promise(&format!("{open}{{ read = 5, check = 'resutl == 1' }}")),
            10,
            "a value `resutl`",
            "result",
        ),
        (
            promise(&format!("{open}{{ ioctl = '_IOR(1)', arg = 3 }}")),
            10,
            "is no ioctl",
            "",
        ),
        (
            promise(&format!("{open}{{ pass = 'frend' }}")),
            10,
            "no step above is done by a process `frend`",
            "main",
        ),
        (promise("{ wait = '5' }"), 9, "is a time", "50 ms"),
        (
            promise("{ together = 'queu', open = '/x' }"),
            9,
            "`queu` is no structure",
            "queue",
        ),
        (
            promise(
                "{ together = 'stack', open = '/x', calls = [{ does = 'psh', write = 'u8' }] }",
            ),
            9,
            "a stack has no `psh`",
            "push",
        ),
        (
            promise(
                "{ together = 'stack', open = '/x', calls = [{ does = 'pop', write = 'u8' }] }",
            ),
            9,
            "`pop` has one of `read` and `ioctl`",
            "",
        ),
        (
            promise("{ together = 'stack', open = '/x', times = 4000 }"),
            9,
            "4000 calls each are too many",
            "at most 4000 calls",
        ),
        (
            promise("{ open = '${fiel}' }") + "[names]\nfile = '/x'\n",
            9,
            "[names] has no `fiel`",
            "file",
        ),
        (
            format!("{LOADS}needs = 'load'\n"),
            5,
            "no promise or group above has the name `load`",
            "",
        ),
        (
            format!("{LOADS}group = 'raeds'\n[[group]]\nname = 'reads'\n"),
            5,
            "there is no group `raeds`",
            "reads",
        ),
        (
            format!("{LOADS}[[group]]\nname = 'reads'\n"),
            5,
            "no promise is in the group `reads`",
            "",
        ),
        (
            format!("{LOADS}group = 'a'\n[[group]]\nname = 'a'\nneeds = 'loads'\n"),
            8,
            "no promise or group above has the name `loads`",
            "",
        ),
        (
            format!("helpers = ['nowhere']\n{LOADS}"),
            1,
            "there is no helper lab/nowhere",
            "a folder with a Kbuild",
        ),
        (
            format!("untried = 'fre'\n{LOADS}"),
            1,
            "`fre` is nothing that `untried` can be",
            "free",
        ),
        (
            format!("{LOADS}[names]\nfile = 'x'\n"),
            6,
            "nothing in the contract says",
            "",
        ),
        (
            "extends = 'proc_timr'\n".to_owned(),
            1,
            "no contract `proc_timr`",
            "proc_timer",
        ),
        (
            "extends = 'proc_timer'\nwithout = 'elapsd'\n".to_owned(),
            2,
            "no promise `elapsd`",
            "elapsed",
        ),
        ("x = [\n".to_owned(), 1, "it is not TOML", ""),
    ] {
        write(dir.path(), "lab/contract.toml", &text);
        let run = koru(["contract", "show", "lab"]).dir(dir.path()).run();
        run.exits(2).says(message).says(help);
        run.says(&format!("lab/contract.toml, line {line}"));
    }
}

#[test]
fn handout_has_no_secret_promises() {
    let run = koru(["contract", "show", "proc_timer"]).run();
    run.exits(0).prints("# A clock in /proc");
    run.prints("makes the file `/proc/timer`")
        .prints("2 more promises are judged");
    assert!(!run.out.contains("There are always nine digits"), "{run}");
    let schema = koru(["contract", "schema"]).run();
    let schema: serde_json::Value = serde_json::from_str(&schema.exits(0).out).expect("JSON");
    assert_eq!(schema["type"], "object");
}

#[test]
fn contract_without_a_module_or_of_no_name_is_refused() {
    let run = koru(["verify", "proc_timer"]).run();
    run.exits(2).says("there is no module to judge");
    let run = koru(["contract", "check", "nowhere"]).run();
    run.exits(2).says("no such folder with a contract.toml");
    let run = koru(["verify", "proc_timer", "--src", "nowhere"]).run();
    run.exits(2).says("there is no such file or folder");
}

#[test]
fn wrong_module_of_no_promise_is_refused_before_anything_is_built() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "lab/contract.toml", LOADS);
    write(dir.path(), "lab/solution/lab.c", "int main(");
    write(dir.path(), "lab/wrong/capitals/lab.c", "int main(");
    let run = koru(["contract", "check", "lab", "--kernel", KERNELS[1]])
        .dir(dir.path())
        .run();
    run.exits(2).says("the contract has no promise `capitals`");
    assert!(!run.err.contains("building"), "{run}");
}

/// What the steps of a contract do, and the points for it.
#[test]
fn module_is_judged_with_points() {
    let dir = tempfile::tempdir().expect("a folder");
    let report = dir.path().join("junit.xml");
    let source = "contracts/proc_timer/wrong/others-read";
    let path = report.display().to_string();
    let run = koru([
        "verify",
        "proc_timer",
        "--src",
        source,
        "--json",
        "--kernel",
        KERNELS[0],
        "--junit",
        &path,
    ])
    .run();
    let found = run.exits(1).json();
    assert_eq!(
        (&found["points"], &found["of"]),
        (&105.0.into(), &120.0.into())
    );
    let promises = found["promises"].as_array().expect("a list");
    let broken: Vec<_> = promises.iter().filter(|p| p["result"] != "pass").collect();
    assert_eq!(broken.len(), 1, "{run}");
    assert_eq!(broken[0]["name"], "others-read");
    assert_eq!(broken[0]["step"], 5);
    let junit = fs::read_to_string(report).expect("a report");
    assert!(junit.contains("failures=\"1\""), "{junit}");
    let run = koru([
        "verify",
        "proc_timer",
        "--src",
        source,
        "gone",
        "--kernel",
        KERNELS[0],
    ])
    .run();
    run.exits(0).prints("gone when the module is unloaded");
}

/// The calls that the queue of the documentation and the clock do not need.
#[test]
fn every_call_reaches_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let steps = r#"
        { load = {} },
        { run = "echo 0123456789 > /tmp/x; chmod 600 /tmp/x" },
        { open = "/tmp/x", flags = "r", by = "nobody", error = "EACCES" },
        { open = "/tmp/x", flags = "rw", as = "f" },
        { read = 3, at = 4, of = "f", bytes = "456" },
        { write = { u8 = [97, 98] }, at = 1, of = "f", returns = 2 },
        { mmap = 11, of = "f", bytes = "0ab3456789\n" },
        { seek = -1, from = "end", of = "f", returns = 10 },
        { seek = -1, of = "f", error = "EINVAL" },
        { dup = "g", of = "f" },
        { seek = 2, of = "g" },
        { close = true, of = "f" },
        { fork = "child" },
        { read = 2, of = "g", by = "child", bytes = "b3" },
        { read = 2, of = "g", layout = "a:u8 b:u8", check = ["a == 52", "b - a == 1"] },
        { run = "true", by = "friend" },
        { pass = "friend", of = "g" },
        { read = 2, of = "g", by = "friend", bytes = "67" },
        { pass = "child", of = "g", as = "h", by = "friend" },
        { read = 1, of = "h", by = "child", bytes = "8" },
        { poll = "in out", of = "g", ready = "in out" },
        { ioctl = "_IOR('x', 1, int)", of = "g", arg = { zero = 4 }, error = "ENOTTY" },
        { run = "mkfifo /tmp/fifo" },
        { open = "/tmp/fifo", as = "p", blocks = true, thread = "waits" },
        { open = "/tmp/fifo", flags = "w", as = "q", by = "writer" },
        { finish = true, thread = "waits" },
        { read = 1, of = "p", blocks = true, thread = "waits" },
        { write = "x", of = "q", by = "writer", let = { wrote = "clock" } },
        { finish = true, thread = "waits", bytes = "x", check = ["took >= 0.3", "clock >= wrote - 0.3"] },
        { log = 'loaded\. n is (?<n>\d+)', level = "info" },
        { log = 'no such line', absent = true },
        { unload = true },
        { module = "absent" },
        { load = { n = 7 } },
        { log = 'n is 7' },
    "#;
    let contract = format!("[[promise]]\nname = 'calls'\ntitle = 'Calls.'\nsteps = [{steps}]\n");
    write(dir.path(), "lab/contract.toml", &contract);
    let module = "#include <linux/module.h>\n#include <linux/moduleparam.h>\nstatic int n;\n\
        module_param(n, int, 0444);\nstatic int __init lab_init(void)\n{\n\tpr_info(\"loaded. n is %d\\n\", n);\n\
        \treturn 0;\n}\nstatic void __exit lab_exit(void)\n{\n}\nmodule_init(lab_init);\nmodule_exit(lab_exit);\n\
        MODULE_LICENSE(\"GPL\");\n";
    write(dir.path(), "lab/solution/lab.c", module);
    write(dir.path(), "lab/solution/Kbuild", "obj-m := lab.o\n");
    let run = koru([
        "verify",
        "lab",
        "--src",
        "lab/solution",
        "--kernel",
        KERNELS[1],
    ])
    .dir(dir.path())
    .run();
    run.exits(0).prints("4 of 4 points");
}

/// A device with a counter, a counter whose threads overwrite each other's numbers, and a set.
const AT_ONCE: &str = r#"
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>
static DEFINE_MUTEX(lock);
static atomic_t good;
static int bad;
static unsigned long set;
static long change(unsigned int command, int value)
{
	bool there = set & BIT(value & 31);

	if (command == _IOW('c', 3, int) && there)
		return -EEXIST;
	if (command == _IOW('c', 4, int) && !there)
		return -ENOENT;
	set ^= BIT(value & 31);
	return 0;
}
static long lab_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	int value;
	long result;

	switch (command) {
	case _IO('c', 1):
		return atomic_fetch_inc(&good);
	case _IO('c', 2):
		value = READ_ONCE(bad);
		usleep_range(500, 1000);
		WRITE_ONCE(bad, value + 1);
		return value;
	}
	if (get_user(value, (int __user *)argument))
		return -EFAULT;
	mutex_lock(&lock);
	result = change(command, value);
	mutex_unlock(&lock);
	return result;
}
static const struct file_operations ops = { .owner = THIS_MODULE, .unlocked_ioctl = lab_ioctl };
static struct miscdevice device = { .minor = MISC_DYNAMIC_MINOR, .name = "at_once", .fops = &ops };
module_misc_device(device);
MODULE_LICENSE("GPL");
"#;

/// Threads of several processes are stamped by one clock, and an order that explains them is found
/// where there is one.
#[test]
fn calls_at_once_are_compared_with_a_structure() {
    let dir = tempfile::tempdir().expect("a folder");
    let promise = |name: &str, model: &str, calls: &str| {
        format!(
            "[[promise]]\nname = '{name}'\ntitle = 'Of {name}.'\nsteps = [\n{{ load = {{}} }},\n\
             {{ together = '{model}', open = '/dev/at_once', processes = 2, calls = [{calls}] }},\n]\n"
        )
    };
    let contract = [
        promise(
            "good",
            "counter",
            r#"{ does = "next", ioctl = "_IO('c', 1)" }"#,
        ),
        promise(
            "bad",
            "counter",
            r#"{ does = "next", ioctl = "_IO('c', 2)" }"#,
        ),
        promise(
            "set",
            "set",
            r#"{ does = "add", ioctl = "_IOW('c', 3, int)", arg = "i32", refused = "EEXIST" },
               { does = "remove", ioctl = "_IOW('c', 4, int)", arg = "i32", refused = "ENOENT" }"#,
        ),
        // What fails in another way than the contract says has no explanation.
        promise(
            "other",
            "set",
            r#"{ does = "add", ioctl = "_IOW('c', 3, int)", arg = "i32", refused = "EINVAL" }"#,
        ),
    ];
    write(dir.path(), "lab/contract.toml", &contract.concat());
    write(dir.path(), "lab/solution/lab.c", AT_ONCE);
    write(dir.path(), "lab/solution/Kbuild", "obj-m := lab.o\n");
    for kernel in KERNELS {
        let arguments = [
            "verify",
            "lab",
            "--src",
            "lab/solution",
            "--json",
            "--kernel",
        ];
        let run = koru(arguments.into_iter().chain([kernel]))
            .dir(dir.path())
            .run();
        let found = run.exits(1).json();
        let results = found["promises"].as_array().expect("a list").iter();
        let results: Vec<_> = results.take(4).map(|p| &p["result"]).collect();
        assert_eq!(results, ["pass", "fail", "pass", "fail"], "{run}");
        run.prints("some order of the calls").prints("(EEXIST)");
    }
}

/// A helper counts the calls of a function that the module under test uses.
const HELPER: &str = r#"
#include <linux/module.h>
int lab_number(void);
static int calls;
int lab_number(void)
{
	return ++calls;
}
EXPORT_SYMBOL_GPL(lab_number);
MODULE_LICENSE("GPL");
"#;

/// The build sees what a helper exports, each promise meets it as if nobody had used it before, and
/// its faults are the contract's.
#[test]
fn helpers_are_loaded_before_the_module() {
    let dir = tempfile::tempdir().expect("a folder");
    let promise = |name: &str| {
        format!(
            "[[promise]]\nname = '{name}'\ntitle = 'It asks.'\nsteps = [{{ load = {{}} }}, \
             {{ log = 'number 1$' }}, {{ unload = true }}, {{ load = {{}} }}, {{ log = 'number 2$' }}]\n"
        )
    };
    let contract = format!(
        "helpers = 'counts'\n{}{}",
        promise("once"),
        promise("again")
    );
    write(dir.path(), "lab/contract.toml", &contract);
    write(dir.path(), "lab/counts/Kbuild", "obj-m := counts.o\n");
    write(dir.path(), "lab/counts/counts.c", HELPER);
    let module = "#include <linux/module.h>\nint lab_number(void);\nstatic int __init lab_init(void)\n{\n\
        \tpr_info(\"number %d\\n\", lab_number());\n\treturn 0;\n}\nstatic void __exit lab_exit(void)\n{\n}\n\
        module_init(lab_init);\nmodule_exit(lab_exit);\nMODULE_LICENSE(\"GPL\");\n";
    write(dir.path(), "ada/lab.c", module);
    let verify = || {
        koru(["verify", "lab", "--src", "ada", "--kernel", KERNELS[1]])
            .dir(dir.path())
            .run()
    };
    verify().exits(0).prints("5 of 5 points");
    write(dir.path(), "lab/counts/counts.c", "int main(");
    let run = verify();
    run.exits(2)
        .says("building the helper lab/counts of the contract lab");
}

/// A student begins with what is public, and the promises are the tests of the folder.
#[test]
fn lab_has_the_handout_and_the_public_promises() {
    let dir = tempfile::tempdir().expect("a folder");
    let secret =
        "[[promise]]\nname = 'dark'\ntitle = 'Of dark.'\nsecret = true\ncheck = 'dark.sh'\n";
    let public = "[[promise]]\nname = 'light'\ntitle = 'Of light.'\nneeds = ['loads', 'dark']\ncheck = 'light.sh'\n";
    let programs = "[[promise]]\nname = 'day'\ntitle = 'Of day.'\ncheck = 'day.c'\n\
        [[promise]]\nname = 'night'\ntitle = 'Of night.'\nsecret = true\ncheck = 'night.c'\n";
    let contract = format!("module = 'lab'\n{LOADS}{secret}{public}{programs}");
    write(dir.path(), "course/contract.toml", &contract);
    let day = "#include \"sun.h\"\nint main(void) { return SKY; }\n";
    write(dir.path(), "course/day.c", day);
    write(dir.path(), "course/sun.h", "#include \"sky.h\"\n");
    write(dir.path(), "course/sky.h", "#define SKY 0\n");
    write(dir.path(), "course/night.c", "#include \"moon.h\"\n");
    write(dir.path(), "course/moon.h", "#include \"sky.h\"\n");
    write(dir.path(), "course/dark.sh", "#!/bin/sh\nexit 1\n");
    write(
        dir.path(),
        "course/light.sh",
        "#!/bin/sh\ngrep -q '^lab ' /proc/modules\n",
    );
    let koru = |arguments: &[&str], folder: &str| {
        koru(arguments.iter().copied())
            .dir(&dir.path().join(folder))
            .run()
    };
    koru(&["new", "mine", "--lab", "course"], "")
        .exits(0)
        .says("HANDOUT.md");
    let read = |name: &str| fs::read_to_string(dir.path().join("mine").join(name));
    let handout = read("HANDOUT.md").expect("the handout");
    assert!(
        handout.contains("Of light.") && !handout.contains("Of dark."),
        "{handout}"
    );
    for file in [
        "lab.c",
        "Kbuild",
        ".github/workflows/lab.yml",
        ".gitlab-ci.yml",
        ".devcontainer/devcontainer.json",
        "contract/light.sh",
        "contract/sun.h",
        "contract/sky.h",
    ] {
        assert!(read(file).is_ok(), "{file}");
    }
    for secret in ["contract/dark.sh", "contract/night.c", "contract/moon.h"] {
        assert!(read(secret).is_err(), "{secret}");
    }
    let contract = read("contract/contract.toml").expect("the contract");
    assert!(
        !contract.contains("dark") && !contract.contains("night"),
        "{contract}"
    );
    let test = [
        "test",
        "--yes",
        "--kernel",
        KERNELS[1],
        "--junit",
        "junit.xml",
    ];
    koru(&test, "mine").exits(0).prints("6 of 6 points");
    let report = read("junit.xml").expect("the report");
    assert!(report.contains("name=\"light\""), "{report}");
    koru(&["new", "other", "--lab", "nowhere"], "")
        .exits(2)
        .says("no such folder with a contract.toml");
}

/// Each shipped contract judges its modules right, on both kernels.
macro_rules! shipped {
    ($($name:ident)*) => {
        mod shipped {
            $(
                #[test]
                #[ignore = "takes long"]
                fn $name() {
                    for kernel in super::KERNELS {
                        let contract = stringify!($name);
                        let check = ["contract", "check", contract, "--kernel", kernel];
                        super::koru(check).run().exits(0);
                    }
                }
            )*
        }

        #[test]
        fn every_shipped_contract_is_checked() {
            let entries = fs::read_dir(root().join("contracts")).expect("a folder");
            let names = entries.map(|entry| entry.expect("an entry").file_name());
            let mut names: Vec<_> = names.map(|name| name.into_string().expect("text")).collect();
            names.sort();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}
shipped!(byte_queue call_count elevator name_list proc_timer process_deque);

/// The commands that docs/teach.md tells a teacher to type, in their order, with the contracts
/// that it shows.
#[test]
#[ignore = "takes long"]
fn commands_for_teachers_work_as_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(root().join("docs/teach.md")).expect("the page");
    let koru = format!("koru() {{ '{}' \"$@\"; }}", root().join("koru").display());
    let mut lines = text.lines();
    let mut tried = 0;
    while let Some(line) = lines.next() {
        if line == "```toml" {
            let block: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            if let Some(file) = block.first().and_then(|l| l.strip_prefix("# ")) {
                if file.ends_with("/contract.toml") {
                    write(dir.path(), file, &block.join("\n"));
                }
            }
        }
        let Some(command) = line.strip_prefix("    ") else {
            continue;
        };
        let output = Command::new("sh")
            .args(["-c", &format!("{koru}\n{command}")])
            .current_dir(dir.path())
            .env("KORU_KERNEL", "6.12")
            .env("KORU_CACHE", common::kernels::cache())
            .env_remove("KORU_ROOT")
            .stdin(Stdio::null())
            .output()
            .expect("sh");
        let said =
            [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b).into_owned());
        // The one module that is judged alone is wrong.
        let wanted = i32::from(command.starts_with("koru verify"));
        assert_eq!(
            output.status.code(),
            Some(wanted),
            "{command}\n{}",
            said.concat()
        );
        tried += 1;
    }
    assert!(tried > 8, "{tried}");
    let class = fs::read_to_string(dir.path().join("results/grades.csv")).expect("the table");
    assert!(class.contains("ada,8,8,all-kept"), "{class}");
    assert!(class.contains("grace,5,8,judged"), "{class}");
}
