// SPDX-License-Identifier: MIT OR Apache-2.0

//! Work queues, on the module `kt_work`.

use koru_testing::{Log, Module};

/// Loads and unloads the module, and returns what it says.
fn messages(what: &str) -> Vec<String> {
    let log = Log::from_now();
    let module = Module::load("kt_work", &[&format!("what={what}")]).unwrap();
    module.unload().unwrap();
    log.messages("kt_work: ")
}

#[test]
fn each_work_runs_once() {
    let mut messages = messages("once");
    // Either the module or the thread drops it, while the other one continues.
    let dropped = messages.iter().position(|m| m == "twice is dropped");
    messages.remove(dropped.expect("it is dropped"));
    assert_eq!(
        messages,
        [
            "twice: first",
            "twice: second",
            "a box runs",
            "all queues run",
            "the module is dropped",
        ]
    );
}

/// Nothing is queued any more once the module's value was dropped.
#[test]
fn work_that_queues_itself_ends_with_the_module() {
    assert_eq!(
        messages("periodic"),
        ["it runs", "the module is dropped", "the work ends"]
    );
}

#[test]
fn work_is_queued_once_and_an_unload_waits_for_it() {
    assert_eq!(
        messages("waiting"),
        ["it waits", "the module is dropped", "the work ends"]
    );
}

#[test]
fn unload_waits_for_work_that_runs() {
    assert_eq!(
        messages("slow"),
        ["the module is dropped", "slow work ends"]
    );
}

#[test]
fn work_queued_in_the_drop_of_the_module_runs() {
    assert_eq!(
        messages("late"),
        ["the module is dropped", "queued: true", "the work ends"]
    );
}

#[test]
fn failed_load_waits_for_work_that_runs() {
    let log = Log::from_now();
    let error = Module::load("kt_work", &["what=failing"]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(33), "{error}");
    assert_eq!(log.messages("kt_work: "), ["work of a failed init ends"]);
}
