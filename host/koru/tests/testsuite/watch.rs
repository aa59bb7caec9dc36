// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru watch`: runs a module at every save.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::common::{Running, koru, root};

fn run_of(watch: &mut Running) -> Value {
    let line = watch.line();
    serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
}

/// Returns the texts of some records of a run.
fn texts(run: &Value, which: &str) -> Vec<String> {
    let records = run[which].as_array().expect("records");
    let text = |r: &Value| r["text"].as_str().expect("a text").to_owned();
    records.iter().map(text).collect()
}

#[test]
fn every_save_starts_a_run() {
    let away = tempfile::tempdir().expect("a folder");
    koru(["new", "watched"]).dir(away.path()).run().exits(0);
    let folder = away.path().join("watched");
    let source = folder.join("src/lib.rs");
    let good = fs::read_to_string(&source).unwrap();
    // Like many editors, this writes a new file and renames it over the old one.
    let save = |text: &str| {
        let aside = folder.join("src/.lib.rs.new");
        fs::write(&aside, text).unwrap();
        fs::rename(&aside, &source).unwrap();
    };
    let with = |line: &str| {
        let text = good.replacen(
            "        pr_info!(",
            &format!("        {line}\n        pr_info!("),
            1,
        );
        assert_ne!(text, good, "{good}");
        text
    };
    let mut watch = koru([
        "watch",
        "--json",
        "--kernel",
        "6.12",
        "--",
        "cat",
        "/proc/version",
    ])
    .dir(&folder)
    .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
    .env("KORU_HANG_SECS", "5")
    .start();
    let first = run_of(&mut watch);
    assert_eq!(first["status"], 0, "{first}");
    assert_eq!(first["added"], first["log"]);
    assert_eq!(texts(&first, "gone"), [""; 0]);
    assert!(
        first["output"]
            .as_str()
            .unwrap()
            .starts_with("Linux version 6.12")
    );
    // Temporary files of editors do not count as a save.
    fs::write(folder.join("src/.lib.rs.swp"), "x").unwrap();

    save(&with(r#"pr_info!("one more\n");"#));
    let run = run_of(&mut watch);
    assert_eq!(texts(&run, "added"), ["watched: one more"], "{run}");
    assert_eq!(texts(&run, "gone"), [""; 0]);

    save(&with("nowhere();"));
    let run = run_of(&mut watch);
    assert_eq!(
        run["error"]["message"], "the code does not compile",
        "{run}"
    );
    assert_eq!(texts(&run, "log"), [""; 0]);

    // The log is compared with that of the last run that had one.
    save(&with(
        "let n = core::hint::black_box(7); pr_info!(\"{}\\n\", [1][n]);",
    ));
    let run = run_of(&mut watch);
    let wrong = run["error"]["message"].as_str().expect("an error");
    assert!(
        wrong.starts_with("the kernel complained: rust_kernel: watched panicked at src/lib.rs:"),
        "{run}"
    );
    let decoded = &run["decoded"][0];
    assert_eq!(decoded["kind"], "rust-panic", "{run}");
    assert!(
        decoded["at"]["file"].to_string().ends_with("src/lib.rs\""),
        "{run}"
    );
    assert!(texts(&run, "gone").contains(&"watched: one more".to_owned()));
    assert!(
        texts(&run, "added")
            .iter()
            .any(|t| t.contains("index out of bounds"))
    );

    let endless = with("while core::hint::black_box(true) {}");
    save(&endless);
    let run = run_of(&mut watch);
    let wrong = run["error"]["message"].as_str().expect("an error");
    assert!(wrong.starts_with("the guest hung"), "{run}");

    // This save interrupts a run that would not end, so that run is not reported.
    save(&endless.replace("while", "loop {} while"));
    watch.wait_for_qemu();
    save(&good);
    let run = run_of(&mut watch);
    assert_eq!(run["error"], Value::Null, "{run}");
    assert_eq!(texts(&run, "log"), texts(&first, "log"));

    watch.signal_all(Signal::INT);
    let ended = watch.end();
    assert_eq!(ended.status.code(), None, "{ended}");
    ended.says("error[E0425]: cannot find function `nowhere`");
}

#[test]
fn replaced_ko_starts_a_run() {
    let built = koru(["build", "hello", "jiffies", "--kernel", "6.1", "--json"]);
    let built = built.run().exits(0).json();
    let ko = |n: usize| built[n]["path"].as_str().expect("a path");
    let away = tempfile::tempdir().expect("a folder");
    let theirs = away.path().join("hello.ko");
    fs::copy(ko(0), &theirs).unwrap();
    let mut watch = koru(["watch", "hello.ko", "--kernel", "6.1"])
        .dir(away.path())
        .start();
    // The first log is shown whole, later ones as a difference.
    watch.wait_for_output("Goodbye world\n");
    fs::remove_file(&theirs).unwrap();
    fs::copy(ko(1), &theirs).unwrap();
    watch.wait_for_output("- [");
    watch.wait_for_output("Goodbye world\n");
    watch.signal_all(Signal::INT);
    let ended = watch.end();
    ended.says("watching 1 files for the next save (Ctrl-C stops)\n");
    assert!(!ended.err.contains('\x1b'), "{ended}");
}

#[test]
fn wrong_usage_ends_watch() {
    koru(["watch", "zzzzzz"]).run().exits(2).says("there are: ");
    koru(["watch", "nothing.ko"])
        .run()
        .exits(2)
        .says("no such file");
    koru(["watch", "--help"])
        .run()
        .exits(0)
        .prints("koru watch hello");
}
