// SPDX-License-Identifier: MIT OR Apache-2.0

//! The notes of `koru build` about modules that are fine otherwise: large stack frames, and
//! dependencies with unsafe code.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::common::{KERNELS, Run, kernels::Added, koru};

const ROOT: &str = "\
#![no_std]
#![forbid(unsafe_code)]
use kernel::prelude::*;
module! { type: It, name: \"NAME\", license: \"GPL\", }
struct It;
";

/// A function with a large frame, and one with a large frame that is inlined into another.
const LARGE: &str = "
#[inline(never)]
fn fill(n: u8) -> u8 {
    let mut all = [n; 4096];
    core::hint::black_box(&mut all);
    all[usize::from(n)]
}

impl kernel::Module for It {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut some = [1; 3000];
        core::hint::black_box(&mut some);
        pr_info!(\"{}\\n\", fill(some[2]));
        Ok(It)
    }
}
";

const SMALL: &str = "
impl kernel::Module for It {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!(\"{}\\n\", EXPRESSION);
        Ok(It)
    }
}
";

/// Writes a crate. `dependencies` are lines of its manifest.
fn write(folder: &Path, name: &str, dependencies: &str, source: &str) {
    let place = folder.join(name);
    fs::create_dir_all(place.join("src")).expect("a folder");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2021\"\n\n\
         [dependencies]\n{dependencies}"
    );
    fs::write(place.join("Cargo.toml"), manifest).expect("a file");
    fs::write(place.join("src/lib.rs"), source).expect("a file");
}

fn module(folder: &Path, name: &str, dependencies: &str, body: &str) {
    let dependencies = format!("koru-kernel = \"0.1\"\n{dependencies}");
    let root = ROOT.replace("NAME", name);
    write(folder, name, &dependencies, &format!("{root}{body}"));
}

fn workspace(members: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = format!("[workspace]\nresolver = \"2\"\nmembers = {members:?}\n");
    fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
    folder
}

#[track_caller]
fn of<'a>(built: &'a Value, name: &str) -> &'a Value {
    let mut all = built.as_array().expect("a list").iter();
    all.find(|ko| ko["name"] == name).expect("the module")
}

/// Returns the number of the line that contains this text.
fn line(source: &str, text: &str) -> usize {
    let at = source.find(text).expect("a line with this text");
    source[..at].matches('\n').count() + 1
}

#[test]
#[ignore = "takes long"]
fn large_stack_frames_are_warned_about() {
    let folder = workspace(&["large", "little"]);
    module(folder.path(), "large", "", LARGE);
    module(
        folder.path(),
        "little",
        "",
        &SMALL.replace("EXPRESSION", "7"),
    );
    let source = format!("{ROOT}{LARGE}");
    let fill = line(&source, "fn fill");
    for kernel in KERNELS {
        let build = |more: &[&str]| {
            let arguments = [&["build", "--kernel", kernel][..], more].concat();
            koru(arguments).dir(folder.path()).run()
        };
        let told = |run: &Run| {
            run.exits(0)
                .says("warning: the stack frame of `large::fill` has 4")
                .says("and this kernel's limit is 2048\n")
                .says(&format!("\n  --> large/src/lib.rs:{fill}\n"))
                .says("`<large::It as kernel::module::Module>::init` is inlined into it")
                .says("`KBox`");
            assert_eq!(run.err.matches("warning").count(), 2, "{run}");
            assert!(!run.err.contains("little/"), "{run}");
        };
        told(&build(&[]));
        // Like rustc's own warnings, these are repeated when there is nothing to build.
        let again = build(&[]);
        told(&again);
        again.prints("(unchanged)");

        let run = build(&["--json"]);
        told(&run);
        let built = run.json();
        assert_eq!(of(&built, "little")["large_frames"], json!([]));
        let frames = of(&built, "large")["large_frames"].as_array();
        let frames = frames.expect("a list");
        assert_eq!(frames.len(), 2, "{built}");
        let bytes: Vec<u64> = frames.iter().filter_map(|f| f["bytes"].as_u64()).collect();
        assert!((4096..5000).contains(&bytes[0]), "{built}");
        assert!((3000..4000).contains(&bytes[1]), "{built}");
        assert_eq!(frames[0]["function"], "large::fill");
        assert_eq!(frames[0]["inlined"], Value::Null);
        assert_eq!(frames[0]["limit"], 2048);
        assert_eq!(frames[0]["line"], fill);
        let file = frames[0]["file"].as_str().expect("a file");
        assert!(file.ends_with("large/src/lib.rs"), "{built}");
    }
}

/// Ubuntu's kernels have half of that limit. Frames of the `kernel` crate are not the author's.
#[test]
#[ignore = "takes long"]
fn frame_limit_is_the_kernels() {
    let added = Added::new();
    let own = added.directory("6.12.995");
    let config = own.join(".config");
    let text = fs::read_to_string(&config).expect("a config");
    let text = text.replace("CONFIG_FRAME_WARN=2048", "CONFIG_FRAME_WARN=1024");
    fs::write(&config, text).expect("writing");
    let folder = workspace(&["middling", "little"]);
    let middling = LARGE.replace("4096", "1200").replace("3000", "900");
    module(folder.path(), "middling", "", &middling);
    module(
        folder.path(),
        "little",
        "",
        &SMALL.replace("EXPRESSION", "7"),
    );
    let run = koru(["build", "--kdir", own.to_str().expect("text")])
        .dir(folder.path())
        .env("KORU_CACHE", added.cache())
        .run();
    run.exits(0)
        .says("warning: the stack frame of `middling::fill` has 12")
        .says("and this kernel's limit is 1024\n");
    assert_eq!(run.err.matches("warning").count(), 1, "{run}");
}

#[test]
fn dependencies_with_unsafe_code_are_named() {
    let members = [
        "uses",
        "uses_too",
        "uses_none",
        "own_unsafe",
        "raw",
        "indirect",
        "fine",
    ];
    let folder = workspace(&members);
    let here = folder.path();
    let fine = "#![no_std]\n#![forbid(unsafe_code)]\n//! It has no `unsafe`.\n\
                pub fn one() -> u8 { \"unsafe\".len() as u8 }\n\
                #[cfg(test)]\nmod tests { fn f() { unsafe { } } }\n";
    let raw = "#![no_std]\n#[inline]\n\
               pub fn one() -> u8 { unsafe { core::ptr::read_volatile(&1) } }\n";
    write(here, "raw", "", raw);
    write(here, "fine", "", fine);
    let indirect = "#![no_std]\n#![forbid(unsafe_code)]\npub fn one() -> u8 { raw::one() }\n";
    write(here, "indirect", "raw = { path = \"../raw\" }\n", indirect);

    let both = "indirect = { path = \"../indirect\" }\nfine = { path = \"../fine\" }\n";
    let calls = "indirect::one() + fine::one()";
    module(here, "uses", both, &SMALL.replace("EXPRESSION", calls));
    let raw = "raw = { path = \"../raw\" }\n";
    module(
        here,
        "uses_too",
        raw,
        &SMALL.replace("EXPRESSION", "raw::one()"),
    );
    let fine = "fine = { path = \"../fine\" }\n";
    module(
        here,
        "uses_none",
        fine,
        &SMALL.replace("EXPRESSION", "fine::one()"),
    );
    module(
        here,
        "own_unsafe",
        raw,
        &SMALL.replace("EXPRESSION", "raw::one()"),
    );
    let own = here.join("own_unsafe/src/lib.rs");
    let text = fs::read_to_string(&own).expect("a file");
    let text = text.replace("#![forbid(unsafe_code)]\n", "");
    fs::write(&own, text).expect("a file");

    let kernel = KERNELS[0];
    let build = |more: &[&str]| {
        let arguments = [&["build", "--kernel", kernel][..], more].concat();
        let run = koru(arguments).dir(here).run();
        run.exits(0);
        run
    };
    // Each note comes once for all modules that have it, and again when there is nothing to build.
    for _ in 0..2 {
        let run = build(&["--quiet"]);
        run.says("note: dependencies of modules that forbid unsafe code contain `unsafe`")
            .says("\n  raw v1.2.3, in uses.ko, uses_too.ko\n");
        assert_eq!(run.err.matches("raw v1").count(), 1, "{run}");
        assert_eq!(run.err.matches("note:").count(), 1, "{run}");
        for not in ["fine v", "indirect v", "koru-", "zerocopy v", "warning"] {
            assert!(!run.err.contains(not), "{not}: {run}");
        }
    }
    let one = build(&["uses_none", "--quiet"]);
    assert!(!one.err.contains("note:"), "{one}");

    let run = build(&["--json"]);
    let built = run.json();
    let raw = json!([{ "name": "raw", "version": "1.2.3" }]);
    for (name, wanted) in [
        ("uses", &raw),
        ("uses_too", &raw),
        ("uses_none", &json!([])),
        ("own_unsafe", &json!([])),
    ] {
        assert_eq!(of(&built, name)["unsafe_dependencies"], *wanted, "{built}");
    }
}

/// The sources of a registry's crates are on this machine when a module uses them.
#[test]
fn unsafe_code_of_registry_crates_is_found() {
    let run = koru(["build", "--json", "hello", "kt_crates"]).run();
    let built = run.exits(0).json();
    assert_eq!(of(&built, "hello")["unsafe_dependencies"], json!([]));
    let crates = of(&built, "kt_crates")["unsafe_dependencies"].as_array();
    let names = crates.expect("a list").iter().map(|d| d["name"].clone());
    let names: Vec<Value> = names.collect();
    assert!(names.contains(&json!("heapless")), "{names:?}");
    assert!(names.contains(&json!("itoa")), "{names:?}");
}
