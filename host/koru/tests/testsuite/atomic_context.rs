// SPDX-License-Identifier: MIT OR Apache-2.0

//! A build follows each handler, and refuses a module that may sleep where the kernel must not.

use std::fs;

use tempfile::TempDir;

use crate::common::{KERNELS, koru};

const SOURCE: &str = include_str!("atomic_context/handlers.rs");
const TIMERS: &str = include_str!("atomic_context/timers.rs");
const MANIFEST: &str = "\
[package]
name = \"NAME\"
version = \"0.1.0\"
edition = \"2021\"

[dependencies]
koru-kernel = \"0.1\"

[workspace]
";

const THROUGH_A_POINTER: &str = "calls through a pointer, whose target is not known at link time";

/// The handlers that are refused, and how the message about each ends.
const REFUSED: [(&str, &str); 15] = [
    ("Sleeps", "reaches `koru_fsleep`, which may sleep"),
    ("Deep", "reaches `koru_fsleep`, which may sleep"),
    ("Generic", "reaches `koru_fsleep`, which may sleep"),
    ("Dynamic", THROUGH_A_POINTER),
    ("Pointer", THROUGH_A_POINTER),
    ("TailCall", THROUGH_A_POINTER),
    // The call is through a pointer, but the table says where it may lead.
    ("Table", "reaches `koru_fsleep`, which may sleep"),
    ("Locks", "reaches `koru_mutex_lock`, which may sleep"),
    (
        "Spins",
        "reaches `koru_spin_lock`, which takes locks that the probed code may hold",
    ),
    // Which of the functions that allocate it is depends on the compiler.
    ("Allocates", "reaches `koru_k"),
    (
        "ReadsUser",
        "reaches `koru_copy_value_from_user`, which may sleep",
    ),
    // It unregisters the probe, and frees its memory, but only the first sleeps.
    (
        "DropsProbe",
        "reaches `koru_kprobe_unregister`, which may sleep",
    ),
    ("Prints", "reaches `koru_fsleep`, which may sleep"),
    ("PrintsData", THROUGH_A_POINTER),
    (
        "AsksClock",
        "reaches `koru_ktime_get`, which takes locks that the probed code may hold",
    ),
];

/// Returns the number of the line that contains this text.
#[track_caller]
fn line(text: &str) -> usize {
    let at = SOURCE.find(text).unwrap_or_else(|| panic!("no `{text}'"));
    SOURCE[..at].matches('\n').count() + 1
}

fn package(name: &str, source: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    let manifest = MANIFEST.replace("NAME", name);
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    folder
}

#[test]
fn sleeping_kprobe_handlers_are_refused() {
    let folder = package("handlers", SOURCE);
    for kernel in KERNELS {
        let run = koru(["build", "--kernel", kernel]).dir(folder.path()).run();
        run.exits(1)
            .says("error: linking handlers: a kprobe's handler ")
            .says("→ take a type parameter instead of a `dyn Trait`")
            .says("→ use atomics in a handler, or one of `kernel::kprobe`'s ready-made ones");
        let told: Vec<Vec<&str>> = run.err.split("\n\n").map(|t| t.lines().collect()).collect();
        let of = |handler: &str| {
            let method = format!(
                "in <handlers::{handler} as kernel::kprobe::handler::Handler>::pre_handler"
            );
            told.iter().find(|t| t.iter().any(|l| l.ends_with(&method)))
        };
        for (handler, end) in REFUSED {
            let told = of(handler).unwrap_or_else(|| panic!("{handler} passes\n{run}"));
            assert!(
                told.iter().any(|l| l.trim().starts_with(end)),
                "{handler}\n{run}"
            );
        }
        // It frees as well.
        let allocates = of("Allocates").expect("it");
        assert!(
            allocates.iter().any(|l| l.ends_with("which may sleep")),
            "{run}"
        );
        for handler in ["Fine", "Says", "Recurses", "Panics"] {
            assert!(of(handler).is_none(), "{handler}\n{run}");
        }
        // The message names each function with its line, from the handler on.
        let deep = [
            (
                line("one(&self.0);"),
                "<handlers::Deep as kernel::kprobe::handler::Handler>::pre_handler",
            ),
            (line("    two(seen);"), "handlers::one"),
            (line("    three(seen);"), "handlers::two"),
            (line("        sleep();\n    }\n    seen"), "handlers::three"),
            (line("    fsleep(Delta"), "handlers::sleep"),
        ];
        let told = of("Deep").unwrap();
        let first = told.iter().position(|l| l.ends_with(deep[0].1)).unwrap();
        for (told, (line, function)) in told[first..].iter().zip(deep) {
            assert_eq!(
                *told,
                format!("  at src/lib.rs:{line}, in {function}"),
                "{run}"
            );
        }
        // No module was written.
        assert!(!run.out.contains("handlers.ko"), "{run}");
    }
}

/// The call that sleeps is named, not the one that locks before it. Callbacks in a hard mode may not
/// lock, and the others may.
#[test]
fn sleeping_and_locking_callbacks_of_timers_are_refused() {
    let folder = package("timers", TIMERS);
    let run = koru(["build", "--kernel", KERNELS[0]])
        .dir(folder.path())
        .run();
    run.exits(1)
        .says("reaches `koru_fsleep`, which may sleep")
        .says("error: linking timers: a timer's callback reaches `koru_fsleep`")
        .says("→ a timer's callback runs in an interrupt");
    let at = |text| {
        let before = TIMERS.find(text).unwrap();
        format!("at src/lib.rs:{}, in ", TIMERS[..before].lines().count())
    };
    run.says(&at("fsleep(SOON); //"));
    assert!(!run.err.contains("koru_spin_lock"), "{run}");

    let source = TIMERS.replace("fsleep(SOON); //", "//");
    fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    let run = koru(["build", "--kernel", KERNELS[0]])
        .dir(folder.path())
        .run();
    run.exits(1)
        .says("the callback of a timer in a hard mode reaches `koru_spin_lock`, which takes locks")
        .says(&at("*this.lock.lock() += 1; // in a hard"))
        .says("→ use a mode without `Hard`");
    assert_eq!(run.err.matches("reaches `").count(), 2, "{run}");

    let source = TIMERS
        .replace("fsleep(SOON); //", "//")
        .replace("*this.lock.lock() += 1; // in a hard", "//");
    fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    koru(["build", "--kernel", KERNELS[0]])
        .dir(folder.path())
        .run()
        .exits(0);
}
