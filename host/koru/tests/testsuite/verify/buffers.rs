// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules in C that keep the contract of `full_ex`, `hello_proc` or `minimal_proc_lkm`, or break
//! it.

use super::{
    changed,
    common::{KERNELS, koru},
    judge, judge_some, results,
};

#[test]
fn full_ex_following_user_pointers_crashes() {
    // A new guest after each.
    judge_some(
        "full_ex",
        "tests/broken/full_ex_user_pointer",
        &[
            "appears",
            "every_capacity",
            "a_wrong_capacity",
            "negative",
            "nothing_to_read",
        ],
        &[
            ("deque::a_wrong_capacity", "crash"),
            ("deque::every_capacity_from_one_to_the_largest", "crash"),
            ("deque::negative_integers", "crash"),
            ("deque::nothing_to_read", "crash"),
            ("module::appears_and_goes_with_the_module", "pass"),
        ],
    );
}

/// What is replaced by what, and the promises that this breaks, with how: first the one that speaks
/// of it.
type Fault = (
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
);

/// A right module with one fault breaks the promise that speaks of it, and no other that does not
/// meet the fault.
#[test]
#[ignore = "takes long"]
fn each_fault_of_full_ex_fails_its_requirements() {
    let faults: [Fault; 6] = [
        // proc_create makes 0444 of no mode.
        (
            &[("0666", "0")],
            &[("module::everybody_may_use_it", "fail")],
        ),
        (
            &[("if (len < sizeof(int))", "if (!len)")],
            &[("deque::a_short_read", "fail")],
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
            &[("deque::a_read_to_a_bad_pointer", "fail")],
        ),
        // What another process closes last is never freed.
        (
            &[(
                "private_data;\n\n\tmutex_lock(&deques_lock);\n\tlist_del",
                "private_data;\n\n\tif (!is_owner(d))\n\t\treturn 0;\n\tmutex_lock(&deques_lock);\n\tlist_del",
            )],
            &[
                ("owners::the_last_descriptor_is_a_childs", "fail"),
                // The process that unloads is not the owner, either.
                ("module::unloading_under_an_open_file", "fail"),
            ],
        ),
        // Unloading frees what is still open.
        (
            &[(
                "\tremove_proc_entry(",
                "\tstruct deque *d, *next;\n\n\tlist_for_each_entry_safe(d, next, &deques, list) {\n\t\tlist_del(&d->list);\n\t\tkfree(d);\n\t}\n\tremove_proc_entry(",
            )],
            &[("module::unloading_under_an_open_file", "crash")],
        ),
        (
            &[(
                "file->private_data = d;",
                "file->private_data = d;\n\tpr_info(\"opened\\n\");",
            )],
            &[("module::nothing_is_logged", "fail")],
        ),
    ];
    let tests = faults.map(|(_, broken)| broken[0].0);
    for (n, (words, broken)) in faults.iter().enumerate() {
        let folder = changed("bench/c/full_ex/fair", words);
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
            let wanted = broken.iter().find(|(broken, _)| test == broken);
            let wanted = wanted.map_or("pass", |(_, wanted)| wanted);
            assert_eq!(result, wanted, "{words:?} on {kernel}: {test}\n{run}");
        }
    }
}

#[test]
#[ignore = "takes long"]
fn full_ex_by_pid_fails() {
    // The tests of hundreds of processes find it too, after a minute.
    let fails = [
        // The value is given for any length, and lost with a fault.
        "deque::a_read_to_a_bad_pointer",
        "deque::a_short_read",
        "deque::a_write_from_a_bad_pointer",
        "module::nothing_is_logged",
        // Whose it is goes by the thread that calls.
        "owners::a_child_opens_its_own",
        "owners::a_descriptor_that_was_sent",
        "owners::a_process_id_used_again",
        "owners::a_second_open",
        "owners::every_thread_of_the_process",
        "owners::racing_threads",
        "owners::reading_and_writing_by_io_uring",
        "owners::the_last_descriptor_is_a_childs",
    ];
    let passes = "module::appears_and_goes_with_the_module";
    let mut wanted: Vec<_> = fails.iter().map(|test| (*test, "fail")).collect();
    wanted.push((passes, "pass"));
    wanted.sort();
    let words: Vec<&str> = fails.into_iter().chain([passes]).collect();
    judge_some("full_ex", "tests/broken/full_ex_by_pid", &words, &wanted);
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
    let folder = "tests/broken/hello_proc_no_terminator";
    judge("hello_proc", folder, &fails, &crashes, &[]);
}

#[test]
#[ignore = "takes long"]
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
    let folder = "tests/broken/minimal_proc_lkm_forged";
    judge("minimal_proc_lkm", folder, &fails, &[], &[]);
}

#[test]
fn minimal_proc_lkm_printing_user_memory_fails() {
    judge_some(
        "minimal_proc_lkm",
        "tests/broken/minimal_proc_lkm_user_pointer",
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
