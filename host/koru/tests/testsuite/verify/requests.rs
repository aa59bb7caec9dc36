// SPDX-License-Identifier: MIT OR Apache-2.0

//! What can be asked for, and what is reported.

use std::{fs, path::Path};

use super::{
    changed,
    common::{KERNELS, Run, koru, line_of, root},
    results,
};

#[test]
fn module_that_does_not_load_is_reported_once() {
    for kernel in KERNELS {
        let args = ["verify", "hello", "--kernel", kernel, "--src"];
        let refused = "tests/broken/hello_refused";
        let run = koru(args.iter().copied().chain([refused])).run();
        run.exits(1)
            .says("error: loading hello: No such device (errno 19)")
            .says("hello: the device is not there")
            .prints("FAIL    the module does not load: No such device (errno 19)")
            .prints("0 of 6 promises kept, 6 broken");
        let oops = "tests/broken/hello_init_oops";
        let file = "tests/broken/hello_init_oops/hello.c";
        let at = format!("{file}:{}", line_of(file, "nowhere)"));
        let run = koru(args.iter().copied().chain([oops])).run();
        run.exits(1)
            .says(&format!("  at {at}"))
            .says("READ_ONCE(*nowhere)")
            .prints(&format!(
                "CRASH   the module does not load: oops in hello_init ({at}): BUG: kernel NULL"
            ))
            .prints("0 of 6 promises kept, 6 crashed the kernel");
    }
}

#[test]
fn filter_selects_requirements_of_an_own_module() {
    let run = koru([
        "verify",
        "my_timer",
        "--kernel",
        "6.12",
        "bad address",
        "seek",
    ])
    .run();
    run.exits(0)
        .says("pass   A read to a bad address is EFAULT")
        .prints("my_timer.ko of Koru (")
        .prints("After lseek to the start")
        .prints("2 of 2 promises kept\n");
}

#[test]
fn reports_have_every_requirement() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let folder = "tests/broken/my_timer_naive";
    let contract = at("course.toml");
    fs::write(&contract, "file = '/proc/timer'\ncurrent = 'now|: '\n").unwrap();
    let (markdown, junit) = (at("new/report.md"), at("junit.xml"));
    koru([
        "verify",
        "my_timer",
        "--src",
        folder,
        "--kernel",
        "6.1",
        "--contract",
        &contract,
        "--markdown",
        &markdown,
        "--junit",
        &junit,
        "time of day",
        "appears",
    ])
    .run()
    .exits(1)
    .prints("by the contract of my_timer as ")
    .prints("promised: the line `now|: S.NNNNNNNNN`, then perhaps `elapsed time: S.NNNNNNNNN`")
    .prints("1 of 2 promises kept, 1 broken");
    let text = fs::read_to_string(&markdown).unwrap();
    for part in [
        "# my\\_timer: 1 of 2 promises kept, 1 broken\n",
        "- Kernel: 6.1.",
        "| The current time is the time of day. | FAIL | reading /proc/timer<br>promised: ",
        "now\\|: S.NNNNNNNNN",
        "| The file appears when the module is loaded, and goes when it is unloaded. | pass |  |",
        "## FAIL: The current time is the time of day.\n",
        "```text\nreading /proc/timer\npromised: the line `now|: ",
    ] {
        assert!(text.contains(part), "no `{part}' in\n{text}");
    }
    let hash = text.split("- SHA-256: `").nth(1).expect("a hash");
    assert!(hash[..64].bytes().all(|b| b.is_ascii_hexdigit()), "{text}");
    let text = fs::read_to_string(&junit).unwrap();
    for part in [
        "tests=\"2\" failures=\"1\" errors=\"0\"",
        "name=\"it_is_the_time_of_day\"",
        "The current time is the time of day.",
    ] {
        assert!(text.contains(part), "no `{part}' in\n{text}");
    }
}

#[test]
fn ko_runs_on_the_kernel_of_its_vermagic() {
    let built = koru(["build", "hello", "--kernel", "6.1", "--json"]).run();
    let built = built.exits(0).json();
    let ko = built[0]["path"].as_str().expect("a path");
    let dir = tempfile::tempdir().expect("a folder");
    let theirs = dir.path().join("some-name.ko");
    fs::copy(ko, &theirs).unwrap();
    let theirs = theirs.display().to_string();
    koru(["verify", "hello", "--ko", &theirs, "hundred"])
        .run()
        .exits(0)
        .prints("some-name.ko (")
        .prints(", on 6.1.")
        .prints("1 of 1 promises kept\n");
    koru(["verify", "hello", "--ko", &theirs, "--kernel", "6.12"])
        .run()
        .exits(2)
        .says("it was built for the kernel 6.1.")
        .says("(its vermagic), not for 6.12.")
        .says("koru kernel add 6.1.");
    // Whose kernel is not here: the same file with another vermagic.
    let mut bytes = fs::read(&theirs).unwrap();
    let at = bytes
        .windows(13)
        .position(|w| w == b"vermagic=6.1.")
        .expect("vermagic");
    bytes[at + 9] = b'5';
    fs::write(&theirs, bytes).unwrap();
    koru(["verify", "hello", "--ko", &theirs])
        .run()
        .exits(2)
        .says("it was built for the kernel 5.1.")
        .says("which is not installed");
}

#[track_caller]
fn refused(args: &[&str]) -> Run {
    let run = koru(["verify"].iter().chain(args)).run();
    run.exits(2);
    run
}

#[test]
fn wrong_requests_exit_with_2() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    refused(&["helo"])
        .says("looking for the conformance tests of `helo`: there are none of this name")
        .says("did you mean hello");
    refused(&["zzzz"]).says("there are: ").says("my_timer");
    refused(&["hello", "nothing like it"]).says("none has the word `nothing like it`");
    refused(&["hello", "--ko", "x.ko", "--src", "y"]).says("cannot be used with");
    refused(&["hello", "--ko", "nowhere.ko"]).says("nowhere.ko: No such file");
    let text = file("text.ko", "not a module");
    refused(&["hello", "--ko", &text]).says("it is not a kernel module: no ELF file");
    refused(&["hello", "--src", "nowhere"]).says("there is no such folder");
    let empty = file("empty/readme", "");
    let empty = empty.trim_end_matches("/readme");
    refused(&["hello", "--src", empty])
        .says("it has neither a Cargo.toml nor a Kbuild or Makefile");
    let unknown = file("unknown.toml", "[messages]\nloadd = 'x'\n");
    refused(&["hello", "--contract", &unknown])
        .says("there is no `messages.loadd` in this contract")
        .says("did you mean messages.loaded");
    let kind = file("kind.toml", "file = 5\n");
    refused(&["my_timer", "--contract", &kind]).says("`file` is of type string, not integer");
    let broken = file("broken.toml", "file = \n");
    refused(&["my_timer", "--contract", &broken]).says("it is not TOML");
}

#[test]
fn sources_must_make_one_module() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let folder = dir.path().display().to_string();
    let verify = || koru(["verify", "hello", "--kernel", "6.12", "--src", &folder]).run();
    let text = fs::read_to_string(root().join("tests/correct/hello/hello_lab.c")).unwrap();
    // A Makefile as the labs have it, and what an earlier build has left.
    write(
        "Makefile",
        "ifneq ($(KERNELRELEASE),)\nobj-m := one.o two.o\nelse\nall:\n\tfalse\nendif\n",
    );
    write("one.c", &text);
    write("two.c", &text);
    write("old.ko", "");
    verify()
        .exits(2)
        .says("it has several modules, and none is called hello: one.ko, two.ko");
    // Of several, the one of this name.
    write("hello.c", &text);
    write("Makefile", "obj-m := one.o hello.o\n");
    verify().exits(0).prints("/hello.ko (");
    // The compiler's words, at the author's place.
    write("hello.c", "#include <linux/module.h>\nint x = nowhere;\n");
    let run = verify();
    run.exits(4)
        .says(&format!("{folder}/hello.c:2:9: error: "))
        .says("it does not build for 6.12.");
    write("Makefile", "obj-m :=\n");
    verify().exits(2).says("the build made no .ko");
}

/// A teacher sees that it is there, and what to do; it counts for nobody.
#[test]
fn slow_requirements_are_skipped() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (markdown, junit) = (at("report.md"), at("junit.xml"));
    let args = [
        "verify",
        "seconds",
        "--kernel",
        "6.12",
        "2^32",
        "bad address",
    ];
    let reports = ["--markdown", &markdown, "--junit", &junit];
    let why = "skipped: it takes minutes (run it with --slow)";
    let run = koru(args.iter().chain(&reports)).run();
    run.exits(0)
        .prints(why)
        .prints("1 of 2 promises kept, 1 not tried\n");
    let text = fs::read_to_string(&markdown).unwrap();
    assert!(text.contains(&format!("| - | {why} |")), "{text}");
    assert!(!text.contains("\n## "), "nothing is wrong\n{text}");
    let text = fs::read_to_string(&junit).unwrap();
    assert!(text.contains("failures=\"0\" errors=\"0\""), "{text}");
    assert!(text.contains("<skipped message="), "{text}");
    let results = results(&koru(args.iter().chain(&["--json"])).run());
    assert_eq!(results["across_the_wrap_of_32_bits"], "skipped");
    assert_eq!(results["bad_addresses"], "pass");
    // Nothing else was asked for: that is no judgement.
    refused(&["seconds", "wrap"])
        .says("they all take minutes")
        .says("give --slow");
    // Tried, with one that breaks it at once.
    let at_once = changed(
        "tests/broken/seconds_wrap",
        &[("/ HZ - start", "/ HZ - start + 60")],
    );
    let folder = at_once.path().display().to_string();
    let args = [
        "seconds", "--src", &folder, "--slow", "--kernel", "6.12", "wrap",
    ];
    koru(["verify"].iter().chain(&args))
        .run()
        .exits(1)
        .prints("FAIL    a cat")
        .prints("seen: 6")
        .prints("0 of 1 promises kept, 1 broken");
}

/// The kernel's allocator is asked to notice writes to freed memory and behind allocated memory.
#[test]
fn memory_faults_are_found() {
    let includes = (
        "#include <linux/init.h>",
        "#include <linux/init.h>\n#include <linux/slab.h>",
    );
    let hello = "pr_info(\"Hello world\\n\");";
    let freed = "pr_info(\"Hello world\\n\");\n\tvolatile char *p = kmalloc(64, GFP_KERNEL);\n\
                 \tkfree((void *)p);\n\tp[8] = 1;\n\tkfree(kmalloc(64, GFP_KERNEL));";
    let behind = "pr_info(\"Hello world\\n\");\n\tvolatile char *p = kmalloc(64, GFP_KERNEL);\n\
                  \tp[64] = 1;\n\tkfree((void *)p);";
    for fault in [freed, behind] {
        let folder = changed("tests/correct/hello", &[includes, (hello, fault)]);
        for kernel in KERNELS {
            let folder = folder.path().display().to_string();
            let args = ["verify", "hello", "--src", &folder, "--kernel", kernel];
            let run = koru(args.into_iter().chain(["hundred", "--json"])).run();
            let results = results(run.exits(1));
            assert!(results.values().any(|r| r == "crash"), "on {kernel}: {run}");
        }
    }
}
