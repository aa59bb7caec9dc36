// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds of sources that are not trusted: a Makefile is a program of whoever wrote it.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    process::Signal,
};
use tempfile::TempDir;

use crate::common::{Koru, koru, koru_by, root};

/// Writes a module in C whose Makefile has these lines as well.
fn module(makefile: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("a file");
    write("Makefile", &format!("obj-m := hello.o\n{makefile}\n"));
    write("hello.c", "#error the end of the build\n");
    dir
}

fn verify(folder: &Path) -> Koru {
    let folder = folder.to_str().expect("text");
    koru(["verify", "hello", "--src", folder])
}

fn verify_with(folder: &Path, options: &[&str]) -> Koru {
    let folder = folder.to_str().expect("text");
    let words = ["verify", "hello", "--src", folder];
    koru(words.iter().chain(options).copied())
}

/// Returns the argument of a `sleep` that no other process has.
fn unique() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().expect("a clock");
    format!("321.{}", now.as_nanos())
}

fn is_running(word: &str) -> bool {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|p| fs::read(p.path().join("cmdline")).ok())
        .any(|line| line.split(|b| *b == 0).any(|w| w == word.as_bytes()))
}

#[track_caller]
fn wait_until(word: &str, running: bool) {
    let end = Instant::now() + Duration::from_secs(90);
    while is_running(word) != running {
        assert!(Instant::now() < end, "{word} is running: {}", !running);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_endless_build_ends_at_its_limit() {
    let sleep = unique();
    let dir = module(&format!(
        "$(shell setsid sleep {sleep} >/dev/null 2>&1 &)\n$(shell sleep 1000)"
    ));
    verify_with(dir.path(), &["--build-limit", "2"])
        .run()
        .exits(4)
        .says("timed out after 2 s")
        .says("--build-limit SECONDS");
    assert!(!is_running(&sleep));
}

/// What a build starts ends with the build.
#[test]
fn no_child_outlives_the_build() {
    let sleep = unique();
    let dir = module(&format!(
        "$(shell setsid sleep {sleep} >/dev/null 2>&1 &)\n$(warning begun)"
    ));
    verify(dir.path()).run().exits(4).says("begun");
    assert!(!is_running(&sleep));
}

#[test]
fn nothing_outlives_a_killed_koru() {
    let sleep = unique();
    let dir = module(&format!("$(shell setsid sleep {sleep} & sleep {sleep})"));
    let running = verify(dir.path()).start();
    wait_until(&sleep, true);
    running.signal(Signal::KILL);
    running.end();
    wait_until(&sleep, false);
}

#[test]
fn a_full_disk_and_a_fork_bomb_are_told() {
    for (lines, message) in [
        (
            "$(shell cat /dev/zero > $(M)/big)",
            "wrote more than 1024 MB",
        ),
        (
            "$(shell bash -c ':(){ :|:& };:; sleep 1000')",
            "used more than 1024 processes and threads",
        ),
    ] {
        let dir = module(lines);
        verify(dir.path()).run().exits(4).says(message);
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 2);
    }
}

/// A file in the home folder can be neither read nor removed, and neither can one beside the
/// module's.
#[test]
fn a_build_has_no_home() {
    let home = tempfile::tempdir().expect("a folder");
    let canary = home.path().join("canary");
    fs::write(&canary, "alive").expect("a file");
    let file = canary.display();
    let dir = module(&format!(
        "$(warning seen: $(shell cat {file} $$HOME/canary; rm -rf {file} $$HOME/*; whoami))\n\
         $(warning network: $(shell ls /sys/class/net; cat /proc/net/route | wc -l))"
    ));
    let run = verify(dir.path()).env("HOME", home.path()).run();
    run.exits(4).says("seen:").says("network: 1");
    assert!(!run.err.contains("alive"), "{run}");
    assert_eq!(fs::read_to_string(&canary).expect("it is there"), "alive");
    // With a path to read as well, and without a sandbox.
    let folder = home.path().to_str().expect("text");
    let dir = module(&format!("$(warning seen: $(shell cat {file}))"));
    let options: [&[&str]; 2] = [&["--with", folder], &["--trust"]];
    for options in options {
        let run = verify_with(dir.path(), options).run();
        run.exits(4).says("seen: alive");
    }
    let run = verify(dir.path()).env("KORU_TRUST", "1").run();
    run.exits(4).says("seen: alive");
}

/// A Makefile's warnings are shown, and are no reason to fail.
#[test]
#[ignore = "takes long"]
fn warnings_of_a_makefile_are_shown() {
    let dir = module("$(warning mind the step)");
    fs::write(
        dir.path().join("hello.c"),
        "#include <linux/module.h>\nstatic int unused(void) { return 42; }\n\
         MODULE_LICENSE(\"GPL\");\n",
    )
    .expect("a file");
    verify_with(dir.path(), &["modinfo"])
        .run()
        .says(&format!(
            "{}/Makefile:2: mind the step",
            dir.path().display()
        ))
        .says("hello.c:2:12: warning: ")
        .prints("`modinfo` shows license");
}

/// Without bubblewrap, koru says how to get it, and what else can be done.
#[test]
fn without_bubblewrap_there_is_no_build() {
    let dir = module("$(warning begun)");
    let programs = tempfile::tempdir().expect("a folder");
    for folder in std::env::split_paths(&std::env::var_os("PATH").expect("a PATH")) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // The first of a name is the one that counts.
            if entry.file_name() != "bwrap" {
                let _ = symlink(entry.path(), programs.path().join(entry.file_name()));
            }
        }
    }
    let path = PathBuf::from(programs.path());
    let run = verify(dir.path()).env("PATH", &path).run();
    run.exits(3)
        .says("there is no bubblewrap (`bwrap`) here")
        .says("`koru setup`")
        .says("`--trust`");
    assert!(!run.err.contains("begun"), "{run}");
    let run = verify_with(dir.path(), &["--trust"])
        .env("PATH", path)
        .run();
    run.exits(4).says("begun");
    let run = koru(["build"])
        .dir(crate_using("").path())
        .env("PATH", programs.path())
        .run();
    run.exits(3).says("there is no bubblewrap (`bwrap`) here");
    // Koru's own modules are trusted.
    let run = koru(["build", "hello"]).env("PATH", programs.path()).run();
    run.exits(0);
    koru(["doctor"])
        .env("PATH", programs.path())
        .run()
        .exits(3)
        .prints("no `bwrap` on the PATH");
}

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("a file");
}

/// Writes a package with these dependencies and more lines in its manifest.
fn package(folder: &Path, name: &str, dependencies: &str, more: &str) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
         [dependencies]\n{dependencies}\n{more}\n"
    );
    write(folder, "Cargo.toml", &manifest);
    write(folder, "src/lib.rs", "#![no_std]\n");
}

/// Writes a crate of a module with one more dependency.
fn crate_using(dependency: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let kernel = "kernel = { package = \"koru-kernel\", version = \"0.1\" }";
    let dependencies = format!("{kernel}\n{dependency}\n");
    package(dir.path(), "strange", &dependencies, "[workspace]");
    dir
}

/// Writes a crate of a module with this build script.
fn crate_with(build: &str) -> TempDir {
    let dir = crate_using("");
    write(
        dir.path(),
        "build.rs",
        &format!("fn main() {{ {build} }}\n"),
    );
    dir
}

/// Returns `koru ARGUMENTS` by somebody who is not root.
fn koru_of_a_plain_user(arguments: &[&str]) -> Koru {
    let script = root().join("koru");
    let command = "bwrap --dev-bind / / --unshare-user --uid 4242 --gid 4242 --";
    let words = command.split(' ').map(OsStr::new);
    koru_by(words.chain([script.as_os_str()]), arguments)
}

/// A build script, and the settings of a crate, reach nothing of the user's.
#[test]
fn a_crate_is_built_in_the_sandbox() {
    let outside = tempfile::tempdir().expect("a folder");
    let canary = outside.path().join("canary");
    fs::write(&canary, "alive").expect("a file");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    let sleep = unique();
    let dir = crate_with(&format!(
        "let seen = std::fs::read_to_string({canary:?}); \
         let removed = std::fs::remove_dir_all({:?}); \
         let written = std::fs::write(\"src/lib.rs\", \"\"); \
         let net = std::net::TcpStream::connect((\"127.0.0.1\", {port})).is_ok(); \
         let home = std::env::var(\"HOME\").unwrap(); \
         let null = || std::process::Stdio::null(); \
         if seen.is_err() {{ \
         std::process::Command::new(\"setsid\").args([\"sleep\", \"{sleep}\"]) \
         .stdout(null()).stderr(null()).spawn().unwrap(); }} \
         panic!(\"seen {{seen:?}}, removed {{removed:?}}, written {{written:?}}, net {{net}}, \
         home {{home}}.\");",
        outside.path().join("deeper"),
    ));
    // Programs that the crate's settings name.
    let program = dir.path().join("evil/bin/cargo");
    fs::create_dir_all(program.parent().expect("a folder")).expect("a folder");
    let script = format!(
        "#!/bin/sh\necho dead > {}/$$\nexec \"$@\"\n",
        outside.path().display()
    );
    fs::write(&program, script).expect("a file");
    fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .expect("it is mine");
    fs::create_dir(dir.path().join(".cargo")).expect("a folder");
    let settings = format!("[build]\nrustc-wrapper = {program:?}\nrustc = {program:?}\n");
    fs::write(dir.path().join(".cargo/config.toml"), settings).expect("a file");
    let toolchain = format!("[toolchain]\npath = {:?}\n", dir.path().join("evil"));
    fs::write(dir.path().join("rust-toolchain.toml"), toolchain).expect("a file");

    let told = "note: koru builds without `build.rustc` and `build.rustc-wrapper` of ";
    for koru in [koru(["build"]), koru_of_a_plain_user(&["build"])] {
        // What one user has built is in the way of the other one.
        let _ = fs::remove_dir_all(dir.path().join("target/koru"));
        let run = koru.dir(dir.path()).run();
        run.exits(1)
            .says("seen Err(Os { code: 2")
            .says("removed Err(")
            .says("written Err(Os { code: 30")
            .says("net false")
            .says("home /tmp.")
            .says(told);
        assert!(!is_running(&sleep));
        let left = fs::read_dir(outside.path()).expect("it is there").count();
        assert_eq!(left, 1);
        assert_eq!(fs::read_to_string(&canary).expect("it is there"), "alive");
    }
    // The same build reaches all of it when it is trusted.
    fs::create_dir(outside.path().join("deeper")).expect("a folder");
    let run = koru(["build", "--trust"]).dir(dir.path()).run();
    run.exits(1)
        .says("seen Ok(\"alive\")")
        .says("removed Ok(")
        .says("net true");
    // The settings are told once.
    assert!(!run.err.contains("note: koru builds without"), "{run}");
}

#[test]
fn an_endless_build_script_ends_at_its_limit() {
    let sleep = unique();
    let dir = crate_with(&format!(
        "std::process::Command::new(\"setsid\").args([\"sleep\", \"{sleep}\"]).spawn().unwrap(); \
         std::thread::sleep(std::time::Duration::MAX);"
    ));
    let run = koru(["build", "--build-limit", "8"]).dir(dir.path()).run();
    run.exits(1).says("timed out after 8 s");
    assert!(!is_running(&sleep));
    // One that never ends, since there is always one process more.
    let bomb = ":(){ :|:& };:; sleep 1000";
    let dir = crate_with(&format!(
        "std::process::Command::new(\"bash\").args([\"-c\", {bomb:?}]).status().unwrap();"
    ));
    let run = koru(["build"]).dir(dir.path()).run();
    run.exits(1)
        .says("used more than 1024 processes and threads");
}

/// The disk is as limited as that of a build in C.
#[test]
fn a_build_script_cannot_fill_the_disk() {
    // A single file has a limit of its own, and may be too small by what others free meanwhile.
    let fill = "while true; do i=x$i; cat /dev/zero > \"$OUT_DIR/$i\"; done";
    let dir = crate_with(&format!(
        "std::process::Command::new(\"sh\").args([\"-c\", {fill:?}]).status().unwrap();"
    ));
    let run = koru(["build"]).dir(dir.path()).run();
    run.exits(1).says("wrote more than 1024 MB");
    assert!(size_of(dir.path()) < 2 << 30);
}

/// Returns the number of bytes of all files in a folder.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_of(&entry.path()),
        meta => meta.map_or(0, |meta| meta.len()),
    });
    sizes.sum()
}

/// Every command that builds a crate does so in the sandbox.
#[test]
fn every_command_builds_a_crate_in_the_sandbox() {
    let outside = tempfile::tempdir().expect("a folder");
    let canary = outside.path().join("canary");
    fs::write(&canary, "alive").expect("a file");
    let dir = crate_with(&format!(
        "let seen = std::fs::read_to_string({canary:?}); \
         let removed = std::fs::remove_file({canary:?}).is_ok(); \
         panic!(\"seen {{seen:?}}, removed {{removed}}.\");"
    ));
    let folder = dir.path().to_str().expect("text");
    const CONFINED: &str = "seen Err(Os { code: 2";
    koru(["verify", "hello", "--src", folder])
        .run()
        .exits(4)
        .says(CONFINED);
    for command in [
        &["debug", "--batch"][..],
        &["test"],
        &["load", "--vm", "nobody"],
    ] {
        let run = koru(command).dir(dir.path()).run();
        assert!(!run.status.success(), "{run}");
        run.says(CONFINED);
    }
    let mut watch = koru(["watch", "--json"]).dir(dir.path()).start();
    let line = watch.line();
    assert!(line.contains("a build script failed"), "{line}");
    assert!(line.contains(CONFINED), "{line}");
    watch.signal(Signal::INT);
    watch.end();
    assert_eq!(fs::read_to_string(&canary).expect("it is there"), "alive");
}

/// Cargo in the sandbox cannot take its own lock, without which it reads files that another cargo
/// is just writing.
#[test]
fn build_waits_while_another_cargo_downloads() {
    let dir = tempfile::tempdir().expect("a folder");
    let module = dir.path().join("waits");
    let module = module.to_str().expect("text");
    koru(["new", module]).run().exits(0);
    // All that is compiled outside of the sandbox is there afterwards.
    koru(["build", module]).run().exits(0);
    let lock = fs::File::create(dir.path().join(".package-cache")).expect("a file");
    flock(&lock, FlockOperation::NonBlockingLockExclusive).expect("nobody else has it");
    let mut build = koru(["build", module])
        .env("CARGO_HOME", dir.path())
        .on_terminal();
    build.wait_for_output("Blocking waiting for file lock on package cache");
    build.signal(Signal::INT);
    flock(&lock, FlockOperation::Unlock).expect("it is locked");
    build.end();
}

/// Cleaning runs none of the programs that the crate's settings name, and follows no links.
#[test]
fn cleaning_a_crate_runs_nothing_of_it() {
    let outside = tempfile::tempdir().expect("a folder");
    let dir = crate_using("");
    let program = dir.path().join("evil/bin/cargo");
    write(
        dir.path(),
        "evil/bin/cargo",
        &format!("#!/bin/sh\necho dead > {}/$$\n", outside.path().display()),
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).expect("it is mine");
    let settings = format!("[build]\nrustc-wrapper = {program:?}\nrustc = {program:?}\n");
    write(dir.path(), ".cargo/config.toml", &settings);
    let toolchain = format!("[toolchain]\npath = {:?}\n", dir.path().join("evil"));
    write(dir.path(), "rust-toolchain.toml", &toolchain);
    write(outside.path(), "kept/file", "alive");
    write(dir.path(), "target/koru/6.1/strange.ko", "");
    symlink(
        outside.path().join("kept"),
        dir.path().join("target/koru/link"),
    )
    .expect("a link");
    koru(["clean"]).dir(dir.path()).run().exits(0);
    assert!(!dir.path().join("target/koru").exists());
    let left = fs::read_dir(outside.path()).expect("it is there").count();
    assert_eq!(left, 1);
    assert!(outside.path().join("kept/file").exists());
}

/// A macro is expanded in the sandbox as well.
#[test]
fn a_macro_is_expanded_in_the_sandbox() {
    let outside = tempfile::tempdir().expect("a folder");
    write(outside.path(), "canary", "alive");
    let dir = crate_using("user = { path = \"user\" }");
    let at = |name: &str| dir.path().join(name);
    // A crate of its own uses the macro, so that nothing else has to be compiled before.
    package(&at("user"), "user", "attack = { path = \"../attack\" }", "");
    write(
        &at("user"),
        "src/lib.rs",
        "#![no_std]\nattack::attack!();\n",
    );
    package(&at("attack"), "attack", "", "[lib]\nproc-macro = true");
    let source = format!(
        "use proc_macro::TokenStream;\n\
         #[proc_macro]\npub fn attack(_: TokenStream) -> TokenStream {{\n\
         \x20   panic!(\"seen {{:?}}\", std::fs::read_to_string({:?}));\n}}\n",
        outside.path().join("canary")
    );
    write(&at("attack"), "src/lib.rs", &source);
    let run = koru(["build"]).dir(dir.path()).run();
    run.exits(1).says("seen Err(Os { code: 2");
    let run = koru(["build", "--trust"]).dir(dir.path()).run();
    run.exits(1).says("seen Ok(\"alive\")");
}

/// A dependency in the same repository is read, one elsewhere only if the user says so.
#[test]
fn dependencies_outside_are_named() {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("part");
    package(&folder, "part", "", "");
    write(&folder, "build.rs", "fn main() { panic!(\"reached\"); }\n");
    let path = folder.to_str().expect("text");
    let dir = crate_using(&format!("part = {{ path = {path:?} }}"));
    let run = koru(["build"]).dir(dir.path()).run();
    run.exits(1).says(&format!("`--with {path}`"));
    let run = koru(["build", "--with", path]).dir(dir.path()).run();
    run.exits(1).says("reached");
    // The repository around both.
    write(outside.path(), ".git/HEAD", "");
    let inside = outside.path().join("module");
    fs::rename(dir.path(), &inside).expect("one file system");
    let run = koru(["build"]).dir(&inside).run();
    run.exits(1).says("reached");
}

/// A link that comes with the sources leads koru nowhere.
#[test]
fn links_for_outputs_are_refused() {
    let outside = tempfile::tempdir().expect("a folder");
    let dir = crate_using("");
    fs::create_dir(dir.path().join("target")).expect("a folder");
    symlink(outside.path(), dir.path().join("target/koru")).expect("a link");
    let run = koru(["build"]).dir(dir.path()).run();
    run.exits(2).says("target/koru is a symbolic link");
    let left = fs::read_dir(outside.path()).expect("it is there").count();
    assert_eq!(left, 0);
}
