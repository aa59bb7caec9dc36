// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a student begins a lab with: a module, the handout and the public promises.

use std::{
    fs,
    path::{Component, Path, PathBuf},
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

/// Adds a folder, or a file with the headers that it includes. Other headers may be a secret
/// program's.
fn add(from: &Path, to: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from).path_context("reading", from)? {
            let path = entry.path_context("reading", from)?.path();
            add(&path, &to.join(path.file_name().unwrap_or_default()), files)?;
        }
        return Ok(());
    }
    if files.iter().any(|(known, _)| known == to) {
        return Ok(());
    }
    let bytes = fs::read(from).path_context("reading", from)?;
    let is_c = from.extension().is_some_and(|e| e == "c" || e == "h");
    let text = match is_c {
        true => String::from_utf8_lossy(&bytes).into_owned(),
        false => String::new(),
    };
    files.push((to.to_owned(), bytes));
    for name in text.lines().filter_map(included) {
        let header = from.with_file_name(name);
        if header.is_file() {
            add(&header, &to.with_file_name(name), files)?;
        }
    }
    Ok(())
}

/// Returns the header of the contract's own that a line includes, which is beside or below.
fn included(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    let rest = rest.strip_prefix("include")?.trim_start();
    let (name, _) = rest.strip_prefix('"')?.split_once('"')?;
    let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    Path::new(name).components().all(is_inside).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_contract_are_found() {
        let lines = [
            "#include \"a.h\"",
            "  #  include\"sub/b.h\" /* why */",
            "#include <stdio.h>",
            "#include \"../secret.h\"",
            "#include \"/etc/secret.h\"",
            "include \"c.h\"",
        ];
        let found: Vec<_> = lines.into_iter().filter_map(included).collect();
        assert_eq!(found, ["a.h", "sub/b.h"]);
    }
}
