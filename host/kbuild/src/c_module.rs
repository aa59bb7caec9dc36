// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds modules in C as their authors would: by Kbuild alone.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{KernelTree, Progress, output};

use crate::{ModInfo, shim::kbuild_command};

/// Builds a folder with a Makefile or a Kbuild file in `copy`, which must be an empty folder:
/// `make -C KDIR M=COPY modules`. Returns the module called `name`, or the only one.
pub fn build_c_module(
    source: &Path,
    copy: &Path,
    name: &str,
    tree: &KernelTree,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let attempted = format!("building {}", source.display());
    let usage = |message: &str| Error::new(Kind::Usage, attempted.clone(), message);
    if !source.is_dir() {
        return Err(usage("there is no such folder"));
    }
    let has = |file: &str| source.join(file).is_file();
    if !["Kbuild", "Makefile"].into_iter().any(has) {
        return Err(usage("it has neither a Kbuild nor a Makefile")
            .help("one line makes it a module of NAME.c: obj-m := NAME.o"));
    }
    progress.status(&format!("{attempted} for {}", tree.release));
    copy_sources(source, copy)?;
    let mut make = kbuild_command(tree, copy);
    make.arg("modules");
    let output = output(&mut make, &attempted)?;
    // Messages have the author's paths, not those of the copy.
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace(
        &*copy.to_string_lossy(),
        source.to_string_lossy().trim_end_matches('/'),
    );
    if !output.status.success() {
        return Err(Error::new(
            Kind::Link,
            attempted,
            format!("it does not build for {}", tree.release),
        )
        .output(said));
    }
    if !said.trim().is_empty() {
        progress.print(said.trim_end());
    }
    choose(&files(copy)?, copy, name).map_err(|message| usage(&message))
}

/// Copies a module's sources, without the output of an earlier build, which may be for another
/// kernel.
fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).path_context("reading", from)? {
        let entry = entry.path_context("reading", from)?;
        let (path, name) = (entry.path(), entry.file_name());
        // Folders are not entered through links, which may lead up.
        let is_dir = entry.file_type().is_ok_and(|t| t.is_dir());
        if is_output(&name) {
            continue;
        }
        let copy = to.join(&name);
        if is_dir {
            fs::create_dir_all(&copy).path_context("making", &copy)?;
            copy_sources(&path, &copy)?;
        } else if path.is_file() {
            fs::copy(&path, &copy).path_context("copying", &path)?;
        }
    }
    Ok(())
}

fn is_output(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.')
        || [".o", ".ko", ".mod", ".mod.c"]
            .iter()
            .any(|e| name.ends_with(e))
        || ["Module.symvers", "modules.order"].contains(&&*name)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).path_context("reading", dir)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|e| e == "ko") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn choose(kos: &[PathBuf], dir: &Path, name: &str) -> Result<PathBuf, String> {
    let own_name = |ko: &Path| ModInfo::read(ko).ok()?.get("name").map(str::to_owned);
    match kos {
        [] => Err("no .ko came of it: does its Kbuild or Makefile say `obj-m := NAME.o`?".into()),
        [one] => Ok(one.clone()),
        several => several
            .iter()
            .find(|ko| own_name(ko).as_deref() == Some(name))
            .cloned()
            .ok_or_else(|| {
                let names = several
                    .iter()
                    .map(|k| k.strip_prefix(dir).unwrap_or(k).display().to_string());
                format!(
                    "several modules come of it, and none is called {name}: {}",
                    names.collect::<Vec<_>>().join(", ")
                )
            }),
    }
}
