// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules in C that keep the contract of `hello`, `my_timer`, `jiffies` or `seconds`, or break it.

use super::{changed, common::koru, judge, judge_some, kernel_for, results};

#[test]
fn correct_c_hello_passes() {
    judge("hello", "tests/correct/hello", &[], &[], &[]);
}

#[test]
fn correct_c_my_timer_passes() {
    judge("my_timer", "tests/correct/my_timer", &[], &[], &[]);
}

#[test]
fn wrong_messages_of_hello_fail() {
    let fails = [
        "says_hello_and_goodbye",
        "one_record_at_the_right_level",
        "modinfo_tells_who_and_what",
    ];
    judge("hello", "tests/broken/hello_silent", &fails, &[], &[]);
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
    judge("my_timer", "tests/broken/my_timer_naive", &fails, &[], &[]);
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
    let folder = changed("tests/correct/my_timer", &words);
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
    let folder = changed("tests/correct/my_timer", &words);
    let folder = folder.path().display().to_string();
    let tests = ["a_name_that_is_taken", "loading_twice", "appears"];
    let run = koru(
        ["verify", "my_timer", "--src", &folder, "--json"]
            .iter()
            .chain(&tests),
    )
    .run();
    for (test, result) in &results(&run) {
        // The other module's file is freed twice, which its owner may notice.
        let wanted: &[&str] = match test.as_str() {
            "a_name_that_is_taken" => &["fail", "crash"],
            _ => &["pass"],
        };
        assert!(wanted.contains(&&**result), "{test}\n{run}");
    }
    run.exits(1);
}

#[test]
fn correct_c_jiffies_passes() {
    judge("jiffies", "tests/correct/jiffies", &[], &[], &[]);
}

#[test]
fn jiffies_with_a_done_flag_fails() {
    // Nothing that reads it is right.
    let folder = "tests/broken/jiffies_done_flag";
    let kernel = kernel_for(folder);
    let args = [
        "verify", "jiffies", "--src", folder, "--kernel", kernel, "--json",
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

#[test]
fn wrapping_seconds_fail() {
    judge_some(
        "seconds",
        "tests/broken/seconds_wrap",
        &["a_second_is_a_whole_second", "comes_and_goes"],
        &[
            ("a_second_is_a_whole_second", "fail"),
            ("comes_and_goes_with_the_module", "pass"),
        ],
    );
}
