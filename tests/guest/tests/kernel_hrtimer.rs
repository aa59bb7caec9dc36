// SPDX-License-Identifier: MIT OR Apache-2.0

//! High-resolution timers, on the module `kt_hrtimer`.

use std::{
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use koru_testing::{Log, Module, is_loaded, kernel_may_say};

/// Loads and unloads the module, and returns what it says.
fn messages(what: &str) -> Vec<String> {
    let log = Log::from_now();
    let module = Module::load("kt_hrtimer", &[&format!("what={what}")]).unwrap();
    module.unload().unwrap();
    log.messages("kt_hrtimer: ")
}

/// The module checks the rest itself, and its load fails if something is wrong.
#[test]
fn timers_run_through_every_pointer() {
    assert_eq!(
        messages("each"),
        [
            "a ticker is dropped",
            "all timers run",
            "a ticker is dropped",
            "the module is dropped",
        ]
    );
}

#[test]
fn unload_cancels_a_timer_that_runs_again_and_again() {
    assert_eq!(
        messages("periodic"),
        ["it runs", "the module is dropped", "a ticker is dropped"]
    );
}

#[test]
fn unload_cancels_a_timer_that_has_not_run() {
    assert_eq!(
        messages("waiting"),
        ["the module is dropped", "a ticker is dropped"]
    );
}

#[test]
fn failed_load_cancels_a_timer() {
    let log = Log::from_now();
    let error = Module::load("kt_hrtimer", &["what=failing"]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(33), "{error}");
    assert_eq!(log.messages("kt_hrtimer: "), ["a ticker is dropped"]);
}

/// Loads what cannot be unloaded, tries that, and returns what the module has said.
#[expect(clippy::zombie_processes, reason = "the unloading never ends")]
fn stays(what: &str) -> Vec<String> {
    kernel_may_say("still waits for the end of the queued work and timers of kt_hrtimer");
    let log = Log::from_now();
    // Not unloaded when it goes out of scope.
    std::mem::forget(Module::load("kt_hrtimer", &[&format!("what={what}")]).unwrap());
    let _unloading: Child = Command::new("rmmod")
        .arg("kt_hrtimer")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let what = "rust_kernel: kt_hrtimer still waits for the end of the queued work and timers";
    while log.messages(what).is_empty() {
        sleep(Duration::from_millis(20));
    }
    assert!(is_loaded("kt_hrtimer"));
    log.messages("kt_hrtimer: ")
}

#[test]
fn handle_that_was_forgotten_keeps_the_module() {
    assert_eq!(stays("leaked"), ["it runs", "the module is dropped"]);
}

/// It cannot wait for its own end. The callback does not run again.
#[test]
fn handle_that_is_dropped_in_its_callback_keeps_the_module() {
    let mut said = stays("own");
    // The callback and the init print at the same time.
    said.sort_unstable();
    assert_eq!(
        said,
        [
            "cancelled in its callback: true",
            "it has run",
            "the module is dropped",
        ]
    );
}
