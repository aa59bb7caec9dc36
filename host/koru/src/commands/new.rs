// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru new`: writes a module that builds, with its test, from a template.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::Builder;

use crate::{
    cli::{KernelChoice, NewArgs, Template},
    context::Context,
    ui::json,
};

/// The files of a module in this checkout, in addition to its source.
const INSIDE: [(&str, &str); 2] = [
    (
        "Cargo.toml",
        include_str!("../../templates/workspace-Cargo.toml.in"),
    ),
    (
        "Makefile",
        include_str!("../../templates/workspace-Makefile.in"),
    ),
];

/// The files of a module elsewhere, in addition to its source.
const OUTSIDE: [(&str, &str); 3] = [
    ("Cargo.toml", include_str!("../../templates/Cargo.toml.in")),
    (
        "tests/Cargo.toml",
        include_str!("../../templates/tests-Cargo.toml.in"),
    ),
    ("Makefile", include_str!("../../../../modules/koru.mk")),
];

/// Returns the source of a module and of its test.
fn sources(template: Template) -> (&'static str, &'static str) {
    match template {
        Template::Hello => (
            include_str!("../../templates/hello/lib.rs"),
            include_str!("../../templates/hello/test.rs"),
        ),
        Template::Proc => (
            include_str!("../../templates/proc/lib.rs"),
            include_str!("../../templates/proc/test.rs"),
        ),
        Template::Chardev => (
            include_str!("../../templates/chardev/lib.rs"),
            include_str!("../../templates/chardev/test.rs"),
        ),
    }
}

pub fn new(context: &Context, args: &NewArgs) -> Result<u8> {
    let attempted = format!("making the module {}", args.path.display());
    let folder = context.cwd.join(&args.path);
    let name = folder
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default()
        .to_owned();
    if let Err(message) = check_name(&name) {
        return Err(Error::new(Kind::Usage, attempted, message)
            .help("use lower-case letters, digits and _, such as `my_timer`"));
    }
    if folder.exists() {
        return Err(Error::new(
            Kind::Usage,
            attempted,
            format!("{} is there already", folder.display()),
        )
        .help("choose another name, or move it away"));
    }
    let (lib, test) = sources(args.template);
    let mut files: Vec<(PathBuf, &str)> = vec![("src/lib.rs".into(), lib)];
    if folder.starts_with(&context.home.root) {
        // A module of this project: its tests are among all others.
        files.extend(INSIDE.map(|(path, text)| (PathBuf::from(path), text)));
    } else {
        files.extend(OUTSIDE.map(|(path, text)| (PathBuf::from(path), text)));
        files.push((format!("tests/{name}.rs").into(), test));
        files.push((".gitignore".into(), "/target\n/.cargo\n/.vscode\n"));
    }
    // Editor support needs a kernel; without one, `koru editor` can add it later.
    let tree = match folder.starts_with(&context.home.root) {
        false if !context.kernels.releases().is_empty() => {
            Some(context.tree(&KernelChoice::default())?)
        }
        _ => None,
    };
    let builder = tree
        .as_ref()
        .map(|tree| Builder::new(&context.home, tree, &*context.ui))
        .transpose()?;
    // The folder is made under another name and renamed, so that a full disk leaves no partial
    // module.
    let parent = folder.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).path_context("making", parent)?;
    let staging = tempfile::Builder::new()
        .prefix(".koru-new.")
        .tempdir_in(parent)
        .path_context("making a folder in", parent)?;
    for (path, text) in files {
        write(&staging.path().join(path), &fill(text, &name))
            .path_context("writing into", &folder)?;
    }
    let made = staging.keep();
    open_to_all(&made).path_context("making", &folder)?;
    fs::rename(&made, &folder).path_context("making", &folder)?;
    if let Some(builder) = builder {
        super::editor::write(context, &folder, &builder)?;
    }
    if context.json {
        json(&serde_json::json!({ "module": name, "folder": folder }));
    }
    context.ui.say(&format!(
        "created {0}/\n  {0}/src/lib.rs is the module\n\nnext:\n  cd {0}\n  koru run",
        args.path.display()
    ));
    Ok(0)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// Gives a folder the usual permissions. A temporary folder is only for its owner.
fn open_to_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(mask);
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777 & !mask.bits()))
}

fn fill(text: &str, name: &str) -> String {
    text.replace("@NAME@", name).replace("@TYPE@", &camel(name))
}

/// Converts `my_timer` to `MyTimer`.
fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            match letters.next() {
                Some(first) => first.to_ascii_uppercase().to_string() + letters.as_str(),
                None => String::new(),
            }
        })
        .collect()
}

/// Checks that the kernel, cargo and Rust all accept a name.
fn check_name(name: &str) -> std::result::Result<(), String> {
    const KEYWORDS: [&str; 12] = [
        "core", "kernel", "std", "alloc", "mod", "fn", "struct", "self", "crate", "super", "type",
        "test",
    ];
    let letters = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if name.is_empty() || !letters || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(format!("`{name}` cannot be a module's name"));
    }
    // MODULE_NAME_LEN is 64 minus the size of a pointer.
    if name.len() > 55 {
        return Err("a module's name has at most 55 letters".into());
    }
    if KEYWORDS.contains(&name) {
        return Err(format!("`{name}` is a reserved name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["hello", "my_timer", "a1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "My", "a-b", "a b", "kernel", &"a".repeat(56)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn types() {
        assert_eq!(camel("my_timer"), "MyTimer");
        assert_eq!(camel("demo1"), "Demo1");
    }
}
