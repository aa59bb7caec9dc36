// SPDX-License-Identifier: MIT OR Apache-2.0

//! The choice of a kernel when several match.

use std::{ffi::OsStr, fs, path::Path};

use crate::common::{
    Koru, Run,
    kernels::{self, Added},
    koru, koru_by, root,
};

impl Added {
    pub fn koru(&self, arguments: &[&str]) -> Koru {
        koru(arguments.iter().copied()).env("KORU_CACHE", self.cache())
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.koru(arguments).run()
    }

    /// Returns the release that `hello` is built for with these options. It has to be a release
    /// that modules are built for anyway.
    #[track_caller]
    fn built_for(&self, options: &[&str]) -> String {
        let run = self.run(&[&["build", "hello", "--json"], options].concat());
        let built = run.exits(0).json();
        built[0]["kernel"].as_str().expect("a release").to_owned()
    }

    /// Returns the release that a build with these options is for. Nothing is built but the C
    /// interface layer.
    #[track_caller]
    fn would_build_for(&self, options: &[&str]) -> String {
        let run = self.run(&[&["env", "--json"], options].concat());
        let environment = run.exits(0).json();
        let layout = Path::new(environment["KORU_LAYOUT"].as_str().expect("a path"));
        let folder = layout.parent().and_then(Path::file_name).expect("a folder");
        let (release, _) = folder
            .to_str()
            .and_then(|f| f.rsplit_once('-'))
            .expect("RELEASE-HASH");
        release.to_owned()
    }
}

fn release(version: &str) -> String {
    kernels::tree(version).release
}

#[test]
#[ignore = "takes long"]
fn added_kernel_is_not_the_default() {
    let added = Added::new();
    let own = added.directory("6.12.999");
    let own = own.to_str().expect("text");
    added
        .run(&["kernel", "add", own])
        .exits(0)
        .prints("6.12.999")
        .says(&format!("the default is still {}", release("6.12")));
    assert_eq!(added.built_for(&[]), release("6.12"));
    for version in kernels::KERNELS {
        assert_eq!(added.built_for(&["--kernel", version]), release(version));
    }
    let list = added.run(&["kernel", "list", "--json"]).exits(0).json();
    let rows = list.as_array().expect("a list");
    let of = |release: &str| rows.iter().find(|r| r["release"] == release).expect("it");
    assert_eq!(rows.len(), 5, "{list}");
    assert_eq!(of(&release("6.1"))["supported"], "6.1", "{list}");
    assert_eq!(of(&release("6.12"))["supported"], "6.12", "{list}");
    assert_eq!(of(&release("6.12"))["default"], true, "{list}");
    for other in [added.generic, added.realtime, "6.12.999"] {
        assert_eq!(of(other)["supported"], serde_json::Value::Null, "{list}");
        assert_eq!(of(other)["default"], false, "{list}");
    }
    assert_eq!(of("6.12.999")["downloaded"], false, "{list}");
    assert_eq!(of("6.12.999")["bootable"], false, "{list}");
    assert_eq!(of(added.generic)["bootable"], true, "{list}");
    let told = added.run(&["kernel", "list"]);
    let line = |release: &str| {
        let line = told.exits(0).out.lines().find(|l| l.starts_with(release));
        line.unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    assert!(line(&release("6.1")).contains(" tested "), "{told}");
    assert!(line("6.12.999").contains("not tested"), "{told}");
    // The doctor checks the kernels that the project's tests run on.
    let doctor = added.run(&["doctor", "--json"]).json();
    for version in kernels::KERNELS {
        let what = format!("kernel {version}");
        let lines = doctor.as_array().expect("a list").iter();
        let line = lines.filter(|l| l["what"] == *what).collect::<Vec<_>>();
        assert_eq!(line[0]["found"], release(version), "{doctor}");
    }
    let place = tempfile::tempdir().expect("a folder");
    let tests = kernels::own_cache(&added.cache(), place.path());
    let list = koru(["kernel", "list", "--json"]).env("KORU_CACHE", tests);
    let list = list.run().json();
    let rows = list.as_array().expect("a list").iter();
    let here: Vec<_> = rows.map(|r| r["release"].as_str().expect("text")).collect();
    assert_eq!(here, kernels::KERNELS.map(release));

    // When it is chosen, it is the default.
    added.run(&["kernel", "default", "6.12.999"]).exits(0);
    assert_eq!(added.would_build_for(&[]), "6.12.999");
    assert_eq!(added.built_for(&["--kernel", "6.12"]), release("6.12"));
    added.run(&["kernel", "remove", "6.12.999"]).exits(0);
    assert_eq!(added.built_for(&[]), release("6.12"));
    added
        .run(&["kernel", "add", own, "--default"])
        .exits(0)
        .says("6.12.999 is the default now");
    assert_eq!(added.would_build_for(&[]), "6.12.999");
}

#[test]
fn ambiguous_version_is_an_error() {
    let added = Added::new();
    for arguments in [
        &["build", "hello", "--kernel", "6.1.999"][..],
        &["kernel", "default", "6.1.999"],
        &["kernel", "remove", "6.1.999"],
    ] {
        added
            .run(arguments)
            .exits(2)
            .says(&format!(
                "several kernels match: {}, {}",
                added.generic, added.realtime
            ))
            .says("in full");
    }
    // A full name is enough, even if another name begins with it. A kernel to remove is never
    // guessed.
    added.run(&["kernel", "default", added.generic]).exits(0);
    added
        .run(&["kernel", "remove", "6.1"])
        .exits(2)
        .says(&release("6.1"))
        .says(added.realtime);
    added.run(&["kernel", "remove", added.generic]).exits(0);
    added.run(&["kernel", "remove", "6.1.999"]).exits(0);
    assert_eq!(added.built_for(&["--kernel", "6.1"]), release("6.1"));
    added
        .run(&["build", "hello", "--kernel", "6"])
        .exits(2)
        .says(&release("6.1"))
        .says(&release("6.12"));
}

#[test]
fn flavour_selects_a_kernel() {
    let added = Added::new();
    added
        .run(&["kernel", "default", "6.1.999-rt"])
        .exits(0)
        .says(added.realtime);
    added
        .run(&["kernel", "remove", "6.1-generic"])
        .exits(0)
        .says(added.generic);
    // A flavour alone is enough, where there is one such kernel; any other word selects nothing.
    added
        .run(&["kernel", "default", "rt"])
        .exits(0)
        .says(added.realtime);
    added.run(&["kernel", "default", "real"]).exits(2);
}

/// The lists are those of the archive, in the smallest suite.
#[test]
fn archive_is_searched() {
    let cache = tempfile::tempdir().expect("a folder");
    let search = |words: &[&str]| {
        let run = koru([&["kernel", "search"], words].concat());
        run.env("KORU_CACHE", cache.path()).run()
    };
    let all = search(&["bookworm-backports", "--json"]).exits(0).json();
    let rows = all["kernels"].as_array().expect("a list");
    assert!(!rows.is_empty(), "{all}");
    for row in rows {
        assert_eq!(row["suites"], serde_json::json!(["bookworm-backports"]));
        assert_eq!(row["installed"], false);
    }
    assert_eq!(all["missing_suites"], serde_json::json!([]));
    let rt = search(&["bookworm-backports/rt"]);
    let lines: Vec<&str> = rt.exits(0).out.lines().skip(1).collect();
    assert!(!lines.is_empty(), "{rt}");
    for line in lines {
        assert!(line.contains("-rt-amd64 ") && line.contains("bookworm-backports"));
    }
    search(&["bookworm-backports/1.2"])
        .exits(2)
        .says("the archive has none");
    // The package lists belong to the cache.
    assert!(cache.path().join("archive").is_dir());
    koru(["clean", "--cache"])
        .env("KORU_CACHE", cache.path())
        .run()
        .exits(0);
    assert!(!cache.path().join("archive").exists());
}

/// What the machine lacks for a kernel of another suite is downloaded with it.
#[test]
#[ignore = "it downloads 150 MB of packages, which a mirror may no longer have"]
fn kernel_of_another_suite_has_its_own_tools() {
    let cache = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| koru(arguments).env("KORU_CACHE", cache.path()).run();
    let added = run(&["kernel", "add", "bullseye/5.10"]);
    if added.err.contains("apt knows no") {
        return;
    }
    added.exits(0).prints("5.10.");
    let userlands = cache.path().join("userlands");
    assert!(userlands.is_dir(), "{added}");
    run(&["doctor"]).prints("/userlands/bullseye-gcc-10-");
    let options = ["--kernel", "5.10"];
    run(&[&["run", "hello"], &options[..]].concat())
        .exits(0)
        .prints("Hello world");
    // A Makefile's build has the same tools in the sandbox.
    run(&[&["build", "tests/correct/hello"], &options[..]].concat()).exits(0);
    run(&["clean", "--cache"]).exits(0);
    assert!(!userlands.exists());
}

#[test]
fn running_kernel_is_added_or_its_headers_are_named() {
    let added = Added::without_kernels();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("a release");
    let release = release.trim();
    let headers = Path::new("/lib/modules").join(release).join("build");
    let run = added.run(&["kernel", "add", "running"]);
    match headers.exists() {
        true => run.exits(0).prints(release),
        false => run
            .exits(2)
            .says(&format!("the headers of {release} are not installed"))
            .says(&format!("koru kernel add {release}")),
    };
}

/// A user may add the first kernel before any set-up.
#[test]
#[ignore = "takes long"]
fn first_kernel_is_the_default_without_a_supported_one() {
    let added = Added::without_kernels();
    for release in ["6.12.998", "6.12.999"] {
        let directory = added.directory(release);
        let directory = directory.to_str().expect("text");
        added.run(&["kernel", "add", directory]).exits(0);
        let default = added.run(&["kernel", "default"]);
        assert_eq!(default.exits(0).out, "6.12.998\n");
    }
}

fn folders_of(shims: &Path, release: &str) -> Vec<(String, std::time::SystemTime)> {
    let entries = fs::read_dir(shims).expect("the cache").flatten();
    let of = |e: fs::DirEntry| {
        let name = e.file_name().into_string().expect("text");
        let made = e.metadata().and_then(|m| m.modified()).expect("a time");
        name.starts_with(release).then_some((name, made))
    };
    entries.filter_map(of).collect()
}

#[test]
#[ignore = "takes long"]
fn kernel_that_the_shim_does_not_compile_for_is_listed_so() {
    let added = Added::new();
    // This keeps the compiler's refusals out of the user's cache.
    let shims = added.cache().join("shims");
    fs::remove_file(&shims).expect("a link");
    let own = added.directory("6.12.997");
    let config = own.join("include/generated/autoconf.h");
    let good = fs::read_to_string(&config).expect("a header");
    fs::write(&config, format!("{good}#error of another kind\n")).expect("writing");
    let own = own.to_str().expect("text");
    let reason = "autoconf.h:";
    added
        .run(&["kernel", "add", own])
        .exits(0)
        .prints("6.12.997")
        .says("Koru cannot build for this kernel: kernel/shim/")
        .says(reason)
        .says("#error of another kind");
    let tried = folders_of(&shims, "6.12.997");
    assert_eq!(tried.len(), 1, "{tried:?}");
    for _ in 0..2 {
        let run = added.run(&["build", "hello", "--kernel", "6.12.997"]);
        run.exits(1)
            .says("compiling the C interface layer for 6.12.997")
            .says("error: #error of another kind")
            .says("koru kernel list");
        assert_eq!(run.err.matches("#error of").count(), 1, "{run}");
        assert!(run.err.lines().count() < 8, "{run}");
    }
    // The build was not tried again.
    assert_eq!(folders_of(&shims, "6.12.997"), tried);
    let list = added.run(&["kernel", "list"]);
    list.exits(0)
        .prints("does not build")
        .prints("6.12.997: kernel/shim/")
        .prints("#error of another kind");
    let list = added.run(&["kernel", "list", "--json"]).json();
    let rows = list.as_array().expect("a list").iter();
    let refused: Vec<_> = rows.filter(|r| !r["refusal"].is_null()).collect();
    assert_eq!(refused.len(), 1, "{list}");
    assert_eq!(refused[0]["release"], "6.12.997");
    // The build is tried again once the kernel has been fixed.
    fs::write(&config, good).expect("writing");
    let options = ["--kernel", "6.12.997"];
    assert_eq!(added.would_build_for(&options), "6.12.997");
    let list = added.run(&["kernel", "list"]);
    assert!(!list.exits(0).out.contains("does not build"), "{list}");
}

/// With PREEMPT_RT, as in Debian's `-rt-amd64`, spinlocks sleep, and mutexes and spinlocks are
/// other structures. The headers of every flavour have that code.
#[test]
#[ignore = "takes long"]
fn shim_compiles_for_real_time_kernels() {
    let added = Added::new();
    for version in kernels::KERNELS {
        let release = format!("{version}.996-rt");
        let own = added.directory_like(version, &release);
        let generated = own.join("include/generated");
        let edit = |file: &str, change: &dyn Fn(&str) -> String| {
            let file = generated.join(file);
            let text = fs::read_to_string(&file).expect("a header");
            fs::write(&file, change(&text)).expect("writing");
        };
        edit("autoconf.h", &|text| {
            format!("{text}#define CONFIG_PREEMPT_RT 1\n")
        });
        // The kernel's build measures this size, on which the layout of a page depends.
        edit("bounds.h", &|text| {
            let (before, rest) = text.split_once("#define SPINLOCK_SIZE 4 ").expect("it");
            format!("{before}#define SPINLOCK_SIZE 32 {rest}")
        });
        let run = added.run(&["kernel", "add", own.to_str().expect("text"), "--json"]);
        let told = run.exits(0).json();
        assert_eq!(told["release"], release, "{run}");
        assert_eq!(told["refusal"], serde_json::Value::Null, "{run}");
    }
}

/// The editor settings of a new module are for the kernel of KORU_KERNEL.
#[test]
fn editor_settings_are_for_koru_kernel() {
    let dir = tempfile::tempdir().expect("a folder");
    let new = |name: &str, kernel: &str| {
        let new = koru(["new", name]).dir(dir.path());
        new.env("KORU_KERNEL", kernel).run()
    };
    for (name, version) in [("one", "6.1"), ("two", "6.12")] {
        new(name, version).exits(0);
        let settings = dir.path().join(name).join(".vscode/settings.json");
        let settings = fs::read_to_string(settings).expect("settings");
        let others = kernels::KERNELS.iter().filter(|k| **k != version);
        assert!(settings.contains(&release(version)), "{settings}");
        for other in others {
            assert!(!settings.contains(&release(other)), "{settings}");
        }
    }
    new("three", "7.99").exits(2).says("7.99");
    assert!(!dir.path().join("three").exists());
}

#[test]
fn only_kernels_that_are_used_need_their_compilers() {
    let added = Added::new();
    let config = added.cache().join("kernels").join(added.generic);
    let config = config.join("tree/.config");
    let text = fs::read_to_string(&config).expect("a config");
    let compiler = "CONFIG_CC_VERSION_TEXT=\"";
    fs::write(
        &config,
        text.replace(compiler, &format!("{compiler}gcc-99 ")),
    )
    .expect("writing");
    let doctor = added.run(&["doctor"]);
    doctor.exits(3).prints("no `gcc-99`");
    // The one that nobody uses is in nobody's way: the build begins.
    let module = tempfile::tempdir().expect("a folder");
    fs::write(module.path().join("plain.c"), "#error begun\n").expect("writing");
    let run = |arguments: &[&str]| added.koru(arguments).dir(module.path()).run();
    let begun = run(&["preflight", "plain.c", "--kernel", "6.12"]);
    begun.exits(1).says("#error begun");
    let begun = run(&["test", "--kernel", "6.12"]);
    begun.exits(2).says("looking for tests");
    for arguments in [
        &["preflight", "plain.c", "--kernel", added.generic][..],
        &["test", "--kernel", added.generic],
        &["demo", "--kernel", added.generic],
    ] {
        let refused = run(arguments);
        refused.exits(3).says("no `gcc-99`").says("koru kernel add");
    }
}

/// The others may be impossible to get, as here, where there is no network.
#[test]
fn kernel_that_is_named_needs_no_other_one() {
    let added = Added::with_kernel("6.12");
    let script = root().join("koru");
    let without_network = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--"];
    let command = without_network.map(OsStr::new);
    koru_by(
        command.into_iter().chain([script.as_os_str()]),
        ["demo", "--kernel", "6.12"],
    )
    .env("KORU_CACHE", added.cache())
    .run()
    .exits(0)
    .prints("Hello world");
    let kernels = fs::read_dir(added.cache().join("kernels")).expect("a folder");
    assert_eq!(kernels.count(), 1);
}
