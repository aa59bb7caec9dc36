// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds the programs of the folder `programs/`, which guests have in /bin.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::Result;
use koru_kernels::Progress;
use koru_qemu::Initramfs;

use crate::context::Context;

/// The target of programs for the guest's user space.
pub const USER_TARGET: &str = "x86_64-unknown-linux-gnu";

/// Returns the names of the programs.
pub fn names(root: &Path) -> Vec<String> {
    let folders = fs::read_dir(root.join("programs")).into_iter().flatten();
    let mut names: Vec<String> = folders
        .flatten()
        .filter(|f| f.path().join("Cargo.toml").is_file())
        .map(|f| f.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Returns the programs that a command mentions, also in a shell's script.
pub fn mentioned(root: &Path, command: &[String]) -> Vec<String> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let words: Vec<&str> = command
        .iter()
        .flat_map(|argument| argument.split(|c| !part(c)))
        .collect();
    let mut names = names(root);
    names.retain(|name| words.contains(&name.as_str()));
    names
}

/// Builds these programs unless they are up to date.
pub fn build(context: &Context, names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let all = names.join(", ");
    context.ui.status(&format!("building {all}"));
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--target",
            USER_TARGET,
        ])
        // All are selected, whichever are built, so that their dependencies have the same features.
        .args(self::names(&context.home.root).iter().flat_map(|name| ["-p", name]))
        .args(names.iter().flat_map(|name| ["--bin", name]))
        .current_dir(&context.home.root);
    // Only the checkout's own settings apply, as with the `koru` script.
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC",
        "RUSTC_WRAPPER",
    ] {
        cargo.env_remove(name);
    }
    cargo.env("CARGO_TARGET_DIR", context.checkout_target_dir());
    koru_kernels::run(&mut cargo, &format!("building {all}")).map(|_| ())
}

/// Builds all programs. A failure is only noted: without network, dependencies may be missing.
pub fn build_all(context: &Context) {
    if let Err(e) = build(context, &names(&context.home.root)) {
        context.ui.print(&format!(
            "note: the guest lacks the programs of `programs/`: {e}"
        ));
    }
}

/// Returns the names and files of the programs that were built.
pub fn built(context: &Context) -> Vec<(String, PathBuf)> {
    let root = &context.home.root;
    let target = context.checkout_target_dir();
    let folder = target.join(USER_TARGET).join("release");
    let files = names(root).into_iter().map(|name| {
        let file = folder.join(&name);
        (name, file)
    });
    files.filter(|(_, file)| file.is_file()).collect()
}

/// Puts those of the named programs that were built into a guest's /bin.
pub fn put(context: &Context, guest: &mut Initramfs, names: &[String]) -> Result<()> {
    for (name, program) in built(context) {
        if names.contains(&name) {
            let at = format!("/bin/{name}");
            guest.file(&at, &program)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_a_command() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
            mentioned(&root, &words)
        };
        assert_eq!(of(&["deque_client", "5", "pop"]), ["deque_client"]);
        assert_eq!(
            of(&["sh", "-c", "echo read 3|ioshell; /bin/part1"]),
            ["ioshell", "part1"]
        );
        assert_eq!(of(&["cat", "/proc/deque_clients"]), [""; 0]);
    }
}
