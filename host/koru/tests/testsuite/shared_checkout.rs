// SPDX-License-Identifier: MIT OR Apache-2.0

//! A checkout in which the user may not write, as a lab shares one, and whose path has letters
//! that make and the shell read as something else.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use crate::common::{self, Koru, Vm, koru_by, root};

#[track_caller]
fn does(program: &str, arguments: &[&OsStr]) {
    let done = Command::new(program).args(arguments).status();
    assert!(
        done.expect("a program").success(),
        "{program} {arguments:?}"
    );
}

/// Makes a copy of the checkout, without what was built in it, in which nobody may write. It is
/// outside of the checkout, whose settings cargo would read as well. Returns the copy and the
/// target folder that stands for its own.
fn make_checkout(folder: &Path) -> (PathBuf, PathBuf) {
    let copy = folder.join("shared check'out $HOME #1:ä");
    fs::create_dir_all(&copy).expect("a folder");
    for entry in fs::read_dir(root()).expect("the checkout").flatten() {
        if ![".git", "target"].contains(&&*entry.file_name().to_string_lossy()) {
            does("cp", &["-a".as_ref(), entry.path().as_ref(), copy.as_ref()]);
        }
    }
    does("chmod", &["-R".as_ref(), "a-w".as_ref(), copy.as_ref()]);
    let target = begin_target(&copy);
    (copy, target)
}

/// Fills the target folder of a copy with the dependencies that were compiled for this checkout.
fn begin_target(copy: &Path) -> PathBuf {
    let target = copy.join("target").display().to_string();
    let hash = format!("{:x}", Sha256::digest(target));
    let target = common::kernels::cache().join("targets").join(&hash[..24]);
    for profile in ["program", "x86_64-unknown-linux-gnu/program"] {
        for folder in ["build", "deps", ".fingerprint"] {
            let from = root().join("target").join(profile).join(folder);
            let to = target.join(profile).join(folder);
            fs::create_dir_all(&to).expect("a folder");
            let entries = fs::read_dir(from).into_iter().flatten().flatten();
            let entries = entries.map(|entry| entry.path());
            // Koru's own crates are others elsewhere, and programs have no extension.
            let serves = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                !name.contains("koru") && (folder != "deps" || path.extension().is_some())
            };
            let mut copying: Vec<PathBuf> = ["-a", "-t"].map(PathBuf::from).into();
            copying.push(to);
            let begun = copying.len();
            copying.extend(entries.filter(serves));
            if copying.len() > begun {
                does(
                    "cp",
                    &copying.iter().map(|p| p.as_ref()).collect::<Vec<_>>(),
                );
            }
        }
    }
    target
}

/// Returns `koru ARGUMENTS` of that checkout, by somebody who may write only where the
/// permissions allow it. (root may write anywhere, by a capability.)
fn koru_of(checkout: &Path, vm: &Vm, arguments: &[&str]) -> Koru {
    let script = checkout.join("koru");
    let without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"];
    let without: &[&str] = match rustix::process::geteuid().is_root() {
        true => &without,
        false => &[],
    };
    let command = without.iter().map(OsStr::new).chain([script.as_os_str()]);
    koru_by(command, arguments)
        .dir(Path::new("/tmp"))
        .env("KORU_VM", vm.name())
}

#[test]
#[ignore = "takes long"]
fn everything_works_in_a_checkout_of_somebody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (checkout, target) = make_checkout(folder.path());
    let vm = Vm::new();
    let run = |arguments: &[&str]| koru_of(&checkout, &vm, arguments).run_and_leave();
    // The script builds the program first.
    run(&["--version"]).exits(0).prints("koru ");
    run(&["run", "hello"]).exits(0).prints("Hello world");
    let built = run(&["build", "hello", "--json"]);
    let ko = built.exits(0).json()[0]["path"].to_string();
    assert!(ko.contains("/targets/"), "{ko}");
    // The guests of a plain user resume from a snapshot as well.
    let again = run(&["run", "hello"]);
    assert!(
        !again.exits(0).err.contains("resuming the snapshot failed"),
        "{again}"
    );
    run(&["load", "hello"]).exits(0);
    run(&["list"]).exits(0).prints("\nhello ");
    run(&["unload", "hello"]).exits(0);
    // A program of the checkout is built as well.
    run(&["run", "hello", "--", "sh", "-c", "echo; empty"]).exits(0);
    run(&["vm", "stop"]).exits(0);
    assert!(!checkout.join("target").exists());
    does("chmod", &["-R".as_ref(), "u+w".as_ref(), checkout.as_ref()]);
    fs::remove_dir_all(target).expect("removing what was built");
}

#[test]
#[ignore = "takes long"]
fn everything_works_on_a_file_system_that_is_read_only() {
    // Only the outputs' place differs from the test above, so this uses the checkout itself.
    let root = root();
    let koru_script = root.join("koru");
    let bwrap = ["bwrap", "--dev-bind", "/", "/", "--ro-bind"].map(OsStr::new);
    let mut command: Vec<&OsStr> = bwrap.into();
    // The tests' cache is in the checkout.
    let cache = common::kernels::cache().as_os_str();
    command.extend([root.as_os_str(), root.as_os_str()]);
    command.extend([OsStr::new("--bind"), cache, cache, OsStr::new("--")]);
    command.push(koru_script.as_os_str());
    let outside = |arguments: &[&str]| {
        koru_by(command.iter().copied(), arguments)
            .dir(Path::new("/tmp"))
            .run()
    };
    outside(&["run", "hello"]).exits(0).prints("Hello world");
    let built = outside(&["build", "hello", "--json"]);
    let ko = built.exits(0).json()[0]["path"].to_string();
    assert!(ko.contains("/targets/"), "{ko}");
}
