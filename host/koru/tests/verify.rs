// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru verify` on modules that keep a contract and on such as break it, each in
//! one known way.

mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::{KERNELS, Run, koru, line_of, root};

/// What became of each test, by its name.
type Results = BTreeMap<String, String>;

fn source(of: &str) -> String {
    format!("tests/{of}")
}

#[track_caller]
fn results(run: &Run) -> Results {
    let rows = run.json();
    let row = |row: &serde_json::Value| {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        assert!(!text("promise").is_empty(), "a promise in words: {row}");
        if row["result"] != "pass" {
            assert!(!text("seen").is_empty(), "what was seen: {row}");
        }
        (text("test"), text("result"))
    };
    rows.as_array().expect("a list").iter().map(row).collect()
}

/// Judges a folder by a contract on every kernel. `fails` and `crashes` are exactly
/// the tests that find it wrong; those in `races` may or may not.
#[track_caller]
fn judge(contract: &str, folder: &str, fails: &[&str], crashes: &[&str], races: &[&str]) {
    for kernel in KERNELS {
        let folder = source(folder);
        let run = koru([
            "verify", contract, "--src", &folder, "--kernel", kernel, "--json",
        ])
        .run();
        let results = results(&run);
        for test in [fails, crashes, races].concat() {
            assert!(results.contains_key(test), "no test `{test}'\n{run}");
        }
        for (test, result) in &results {
            let test = test.as_str();
            let wanted = match () {
                () if races.contains(&test) => continue,
                () if crashes.contains(&test) => "crash",
                () if fails.contains(&test) => "fail",
                () => "pass",
            };
            assert_eq!(result, wanted, "{folder} on {kernel}: {test}\n{run}");
        }
        let good = results.values().all(|r| r == "pass");
        run.exits(i32::from(!good));
    }
}

#[test]
fn correct_c_hello_passes() {
    judge("hello", "correct/hello", &[], &[], &[]);
}

#[test]
fn correct_c_my_timer_passes() {
    judge("my_timer", "correct/my_timer", &[], &[], &[]);
}

#[test]
fn wrong_messages_of_hello_fail() {
    let fails = [
        "says_hello_and_goodbye",
        "one_record_at_the_right_level",
        "modinfo_tells_who_and_what",
    ];
    judge("hello", "broken/hello_silent", &fails, &[], &[]);
}

#[test]
fn my_timer_counting_faulted_reads_fails() {
    let fails = [
        "behind_the_end_nothing_is_begun",
        "a_slow_pread_puts_nothing_in_a_readings_place",
        "dd_byte_by_byte",
        "a_bad_pointer_is_efault_and_no_reading",
        "a_buffer_that_ends_too_early_loses_nothing",
        "a_clock_that_was_set_back",
    ];
    judge("my_timer", "broken/my_timer_naive", &fails, &[], &[]);
}

/// Two readings at once count as one: the time between them is told twice.
#[test]
fn racing_readers_of_my_timer_fail() {
    let words = [
        ("if (readings == before) {", "if (true) {"),
        // Others would come between only now and then.
        (
            "now = ktime_get_real_ns();",
            "now = ktime_get_real_ns();\n\t\tmsleep(1);",
        ),
        (
            "#include <linux/ktime.h>",
            "#include <linux/delay.h>\n#include <linux/ktime.h>",
        ),
    ];
    let folder = changed("correct/my_timer", &words);
    let folder = folder.path().display().to_string();
    let args = ["verify", "my_timer", "--src", &folder, "--kernel", "6.1"];
    let tests = ["racing_threads", "two_hundred", "time_of_day"];
    let run = koru(args.iter().chain(&tests).chain(&["--json"])).run();
    let results = results(&run);
    for (test, result) in &results {
        let wanted = if test == "it_is_the_time_of_day" {
            "pass"
        } else {
            "fail"
        };
        assert_eq!(result, wanted, "{test}\n{run}");
    }
    assert_eq!(results.len(), 4, "{run}");
}

/// It loads over another module's file, and its unload removes the other's.
#[test]
fn ignored_proc_create_failure_fails() {
    let words = [
        ("return proc_create(", "proc_create("),
        (" ? 0 : -ENOMEM;", ";\n\treturn 0;"),
    ];
    let folder = changed("correct/my_timer", &words);
    for kernel in KERNELS {
        let folder = folder.path().display().to_string();
        let args = [
            "verify", "my_timer", "--src", &folder, "--kernel", kernel, "--json",
        ];
        let words = ["a_name_that_is_taken", "loading_twice", "appears"];
        let run = koru(args.iter().chain(&words)).run();
        for (test, result) in &results(&run) {
            let wanted = match test.as_str() {
                "a_name_that_is_taken" => "fail",
                _ => "pass",
            };
            assert_eq!(result, wanted, "on {kernel}: {test}\n{run}");
        }
        run.exits(1);
    }
}

#[test]
fn module_that_does_not_load_is_reported_once() {
    for kernel in KERNELS {
        let args = ["verify", "hello", "--kernel", kernel, "--src"];
        let refused = source("broken/hello_refused");
        let run = koru(args.iter().copied().chain([refused.as_str()])).run();
        run.exits(1)
            .says("error: loading hello: No such device (errno 19)")
            .says("hello: the device is not there")
            .prints("FAIL    the module does not load: No such device (errno 19)")
            .prints("0 of 6 promises kept, 6 broken");
        let oops = source("broken/hello_init_oops");
        let file = "tests/broken/hello_init_oops/hello.c";
        let at = format!("{file}:{}", line_of(file, "nowhere)"));
        let run = koru(args.iter().copied().chain([oops.as_str()])).run();
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
    let folder = source("broken/my_timer_naive");
    let contract = at("course.toml");
    fs::write(&contract, "file = '/proc/timer'\ncurrent = 'now|: '\n").unwrap();
    let (markdown, junit) = (at("new/report.md"), at("junit.xml"));
    koru([
        "verify",
        "my_timer",
        "--src",
        &folder,
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
        .says("which is not here");
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
    refused(&["hello", "--src", empty]).says("it has neither a Kbuild nor a Makefile");
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
        .says("several modules come of it, and none is called hello: one.ko, two.ko");
    // Of several, the one of this name.
    write("hello.c", &text);
    write("Makefile", "obj-m := one.o hello.o\n");
    verify().exits(0).prints("/hello.ko (");
    // The compiler's words, at the author's place.
    write("hello.c", "#include <linux/module.h>\nint x = nowhere;\n");
    let run = verify();
    run.exits(1)
        .says(&format!("{folder}/hello.c:2:9: error: "))
        .says("it does not build for 6.12.");
    write("Makefile", "obj-m :=\n");
    verify().exits(2).says("no .ko came of it");
}

/// A copy of a module's folder with other words in its source.
#[track_caller]
fn changed(of: &str, words: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(root().join(source(of))).expect("a folder") {
        let entry = entry.expect("a file");
        let mut text = fs::read_to_string(entry.path()).expect("text");
        if entry.path().extension().is_some_and(|e| e == "c") {
            for (old, new) in words {
                assert!(text.contains(old), "{of}: no `{old}'");
                text = text.replace(old, new);
            }
        }
        fs::write(dir.path().join(entry.file_name()), text).expect("a copy");
    }
    dir
}

/// What several tests of a broken module find, when it is a part of them only.
#[track_caller]
fn judge_some(contract: &str, folder: &str, words: &[&str], wanted: &[(&str, &str)]) {
    for kernel in KERNELS {
        let folder = source(folder);
        let args = [
            "verify", contract, "--src", &folder, "--kernel", kernel, "--json",
        ];
        let run = koru(args.iter().chain(words)).run();
        let results = results(&run);
        let seen: Vec<(&str, &str)> = results.iter().map(|(t, r)| (&**t, &**r)).collect();
        assert_eq!(seen, wanted, "{folder} on {kernel}\n{run}");
        run.exits(1);
    }
}

#[test]
fn full_ex_following_user_pointers_crashes() {
    // A new guest after each.
    judge_some(
        "full_ex",
        "broken/full_ex_user_pointer",
        &[
            "appears",
            "every_capacity",
            "a_wrong_capacity",
            "negative",
            "nothing_to_read",
        ],
        &[
            ("a_wrong_capacity", "crash"),
            ("appears_and_goes_with_the_module", "pass"),
            ("every_capacity_from_one_to_the_largest", "crash"),
            ("negative_integers", "crash"),
            ("nothing_to_read", "crash"),
        ],
    );
}

#[test]
fn correct_c_full_ex_passes() {
    judge("full_ex", "correct/full_ex", &[], &[], &[]);
}

/// What is replaced by what, the promise that this breaks, and how.
type Fault = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

/// A right module with one fault breaks the promise that speaks of it, and no other.
#[test]
fn each_fault_of_full_ex_fails_its_requirements() {
    let faults: [Fault; 6] = [
        // proc_create makes 0444 of no mode.
        (&[("0666", "0")], "everybody_may_use_it", "fail"),
        (
            &[("if (len < sizeof(int))", "if (!len)")],
            "a_short_read",
            "fail",
        ),
        // The integer is taken before it is known that it can be given.
        (
            &[
                (
                    "\tif (copy_to_user(to, d->values,",
                    "\tint v = d->values[0];\n\n\td->count--;\n\tmemmove(d->values, d->values + 1, d->count * sizeof(int));\n\tif (copy_to_user(to, &v,",
                ),
                (
                    "\t\treturn -EFAULT;\n\td->count--;\n\tmemmove(d->values, d->values + 1, d->count * sizeof(int));\n",
                    "\t\treturn -EFAULT;\n",
                ),
            ],
            "a_read_to_a_bad_pointer",
            "fail",
        ),
        // What another process closes last is never freed.
        (
            &[(
                "private_data;\n\n\tmutex_lock(&deques_lock);\n\tlist_del",
                "private_data;\n\n\tif (!is_owner(d))\n\t\treturn 0;\n\tmutex_lock(&deques_lock);\n\tlist_del",
            )],
            "the_last_descriptor_is_a_childs",
            "fail",
        ),
        // Unloading frees what is still open.
        (
            &[(
                "\tremove_proc_entry(",
                "\tstruct deque *d, *next;\n\n\tlist_for_each_entry_safe(d, next, &deques, list) {\n\t\tlist_del(&d->list);\n\t\tkfree(d);\n\t}\n\tremove_proc_entry(",
            )],
            "unloading_under_an_open_file",
            "crash",
        ),
        (
            &[(
                "file->private_data = d;",
                "file->private_data = d;\n\tpr_info(\"opened\\n\");",
            )],
            "nothing_is_logged",
            "fail",
        ),
    ];
    let tests = faults.map(|(_, test, _)| test);
    for (n, (words, broken, wanted)) in faults.iter().enumerate() {
        let folder = changed("correct/full_ex", words);
        let folder = folder.path().display().to_string();
        // The kernels differ in none of this: one for each.
        let kernel = KERNELS[n % KERNELS.len()];
        let args = [
            "verify", "full_ex", "--src", &folder, "--kernel", kernel, "--json",
        ];
        let run = koru(args.iter().chain(&tests)).run();
        let results = results(&run);
        assert_eq!(results.len(), tests.len(), "{run}");
        for (test, result) in &results {
            let wanted = if test == broken { wanted } else { "pass" };
            assert_eq!(result, wanted, "{words:?} on {kernel}: {test}\n{run}");
        }
    }
}

#[test]
fn full_ex_by_pid_fails() {
    let fails = [
        // The value is given for any length, and lost with a fault.
        "a_short_read",
        "a_read_to_a_bad_pointer",
        "a_write_from_a_bad_pointer",
        "nothing_is_logged",
        // Whose it is goes by the thread that calls.
        "a_second_open",
        "every_thread_of_the_process",
        "racing_threads",
        "a_child_opens_its_own",
        "the_last_descriptor_is_a_childs",
        "a_descriptor_that_was_sent",
        "a_process_id_used_again",
        "reading_and_writing_by_io_uring",
        // Others' bytes.
        "two_hundred_processes_at_once",
        "loading_and_unloading_under_users",
    ];
    judge("full_ex", "broken/full_ex_by_pid", &fails, &[], &[]);
}

#[test]
fn correct_c_jiffies_passes() {
    judge("jiffies", "correct/jiffies", &[], &[], &[]);
}

#[test]
fn jiffies_with_a_done_flag_fails() {
    // Nothing that reads it is right.
    for kernel in KERNELS {
        let folder = source("broken/jiffies_done_flag");
        let args = [
            "verify", "jiffies", "--src", &folder, "--kernel", kernel, "--json",
        ];
        let run = koru(args).run();
        let mut results = results(&run);
        results.retain(|_, result| result == "pass");
        let kept: Vec<&str> = results.keys().map(String::as_str).collect();
        let wanted = [
            "comes_and_goes_with_the_module",
            "modinfo_tells_who_and_what",
        ];
        assert_eq!(kept, wanted, "{run}");
        run.exits(1);
        let said = run.json().to_string();
        assert!(said.contains("\"promised\":\"at most 1\""), "{run}");
        assert!(
            said.contains("\"promised\":\"a decimal number and a newline\""),
            "{run}"
        );
    }
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
        "broken/seconds_wrap",
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

#[test]
fn wrapping_seconds_fail() {
    judge_some(
        "seconds",
        "broken/seconds_wrap",
        &["a_second_is_a_whole_second", "comes_and_goes"],
        &[
            ("a_second_is_a_whole_second", "fail"),
            ("comes_and_goes_with_the_module", "pass"),
        ],
    );
}

#[test]
fn hello_proc_without_a_terminator_fails() {
    let fails = [
        "what_is_written_is_read",
        "echo_and_cat",
        "a_write_of_nothing",
        "a_write_at_an_offset",
        "one_descriptor_for_both",
        "a_message_that_was_begun",
        "a_message_that_was_begun_is_not_disturbed",
        "a_slow_pread_puts_no_message_back",
        "bad_writes",
        "everybody_reads_and_writes",
        "writes_by_others",
        "reads_of_any_size",
        "reads_of_mixed_sizes",
        "positions_of_their_own",
        "preads",
        "lseek_works",
        "dd_byte_by_byte",
        "reads_of_nothing",
        "bad_addresses",
        "racing_threads",
        "racing_readers_and_writers",
        "two_hundred_writers",
    ];
    // strlen behind a message of 100 bytes.
    let crashes = [
        "a_shorter_message_leaves_nothing_behind",
        "the_longest_message",
    ];
    let folder = "broken/hello_proc_no_terminator";
    judge("hello_proc", folder, &fails, &crashes, &[]);
}

#[test]
fn forged_records_of_minimal_proc_lkm_fail() {
    let fails = [
        // No newline ends a record.
        "a_write_is_a_record",
        "a_write_of_nothing",
        // No byte is escaped.
        "echo",
        "what_is_no_text_is_escaped",
        "all_bytes",
        "forged_lines",
        "the_least_that_fits",
        // What is too long is lost.
        "what_does_not_fit",
        "a_loop_of_writes_loses_nothing",
        "characters_stay_whole",
    ];
    let folder = "broken/minimal_proc_lkm_forged";
    judge("minimal_proc_lkm", folder, &fails, &[], &[]);
}

#[test]
fn minimal_proc_lkm_printing_user_memory_fails() {
    judge_some(
        "minimal_proc_lkm",
        "broken/minimal_proc_lkm_user_pointer",
        &[
            "a_write_is_a_record",
            "bad_addresses",
            "comes_and_goes",
            "a_name_that",
        ],
        &[
            ("a_name_that_is_taken", "pass"),
            ("a_write_is_a_record", "crash"),
            ("bad_addresses", "crash"),
            ("comes_and_goes_with_the_module", "pass"),
        ],
    );
}
