// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a student begins a lab with: a module, the handout and the public promises.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_judge::{CONTRACT_FILE, Seed, handout, public};

use crate::{
    context::Context,
    judging::folders::{PUBLIC, contract_folder, read_shown, shipped},
};

/// The files of every lab.
const FILES: [(&str, &str); 4] = [
    (
        "README.md",
        include_str!("../../../templates/lab/README.md"),
    ),
    (
        ".github/workflows/lab.yml",
        include_str!("../../../templates/lab/github.yml"),
    ),
    (
        ".gitlab-ci.yml",
        include_str!("../../../templates/lab/gitlab.yml"),
    ),
    (
        ".devcontainer/devcontainer.json",
        include_str!("../../../templates/lab/devcontainer.json"),
    ),
];

/// The files of a module in C.
const IN_C: [(&str, &str); 2] = [
    ("@NAME@.c", include_str!("../../../templates/lab/module.c")),
    (
        "Kbuild",
        "# SPDX-License-Identifier: GPL-2.0-only\nobj-m := @NAME@.o\n",
    ),
];

/// The files of a lab, and what the module is called.
pub struct Lab {
    pub name: String,
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

/// Returns the files of a lab by a contract. A module in C is one of them, unless the student
/// begins with a template in Rust.
pub fn lab(context: &Context, contract: &str, folder: &str, in_c: bool) -> Result<Lab> {
    let Some(path) = contract_folder(context, contract) else {
        let attempted = format!("looking for the contract {contract}");
        let message = "there is no such folder with a contract.toml";
        return Err(Error::new(Kind::Usage, attempted, message).help(
            "--lab takes the folder of a contract, or the name of one that comes with Koru",
        ));
    };
    let read = read_shown(context, &path, Seed::default())?;
    let public = public(&path, &shipped(context))?;
    let mut files: Vec<(PathBuf, Vec<u8>)> = FILES
        .iter()
        .chain(if in_c { &IN_C[..] } else { &[] })
        .map(|(path, text)| (path.into(), text.as_bytes().to_vec()))
        .collect();
    files.push(("HANDOUT.md".into(), handout(&read).into_bytes()));
    let inside = Path::new(PUBLIC);
    files.push((inside.join(CONTRACT_FILE), public.text.into_bytes()));
    for (from, name) in public.files {
        add(&from, &inside.join(name), &mut files)?;
    }
    Ok(Lab {
        name: read.module.unwrap_or_else(|| folder.to_owned()),
        files,
    })
}

/// Adds a folder, or a file with the headers beside it.
fn add(from: &Path, to: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
    let folder = match from.is_dir() {
        true => from,
        false => from.parent().unwrap_or(from),
    };
    let into = match from.is_dir() {
        true => to,
        false => to.parent().unwrap_or(to),
    };
    for entry in fs::read_dir(folder).path_context("reading", folder)? {
        let path = entry.path_context("reading", folder)?.path();
        let to = into.join(path.file_name().unwrap_or_default());
        let is_header = path.extension().is_some_and(|e| e == "h");
        match path.is_dir() {
            true if from.is_dir() => add(&path, &to, files)?,
            true => {}
            false if from.is_dir() || path == from || is_header => {
                if files.iter().all(|(known, _)| *known != to) {
                    files.push((to, fs::read(&path).path_context("reading", &path)?));
                }
            }
            false => {}
        }
    }
    Ok(())
}
