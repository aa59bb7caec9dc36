// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds what a user's words mean: a module crate, sources for Kbuild, or a built module.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, Kind, Result};
use koru_kernels::{Cache, Home};

use crate::{
    Module, find_modules,
    kbuild_source::KbuildSource,
    makefile::{KBUILD_FILES, kbuild_text, words},
    module::CFiles,
    paths::module_name,
    prebuilt::is_prebuilt,
    rust_file::RustFile,
};

/// What modules are built from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A package that depends on the `kernel` crate.
    Crate(Module),
    /// A folder with a Kbuild or a Makefile, or one file in C.
    Kbuild(KbuildSource),
    /// One file in Rust, written as for the kernel's own tree.
    RustFile(RustFile),
    /// A built module, perhaps compressed.
    Prebuilt(PathBuf),
}

impl Source {
    /// Returns the folder for what is made from the source.
    pub fn home(&self, cache: &Cache) -> Result<PathBuf> {
        match self {
            Source::Crate(module) => Ok(module.target_dir.join("koru")),
            Source::Kbuild(source) => source.home(cache),
            Source::RustFile(file) => file.home(cache),
            Source::Prebuilt(path) => Ok(path.parent().unwrap_or(path).to_owned()),
        }
    }

    /// Lets a build by Kbuild see the symbols in these lists (`Module.symvers`).
    pub fn see_symbols(&mut self, lists: &[PathBuf]) {
        if let Source::Kbuild(source) = self {
            source.symbols = lists.to_vec();
        }
    }

    /// Returns the name of the module, unless only a build tells it.
    pub fn name(&self) -> Option<String> {
        match self {
            Source::Crate(module) => Some(module.name.clone()),
            Source::Kbuild(source) => source.name(),
            Source::RustFile(file) => Some(file.name()),
            Source::Prebuilt(path) => Some(module_name(path)),
        }
    }
}

/// Returns what each of `names` refers to, seen from the folder `here`. Without names, it
/// returns what is in `here`.
pub fn find_sources(home: &Home, here: &Path, names: &[String]) -> Result<Vec<Source>> {
    let crates = |names: &[String]| -> Result<Vec<Source>> {
        let found = find_modules(home, here, names)?;
        Ok(found.into_iter().map(Source::Crate).collect())
    };
    if names.is_empty() {
        let own = !here.join("Cargo.toml").is_file() && KbuildSource::has_kbuild(here);
        return match own {
            true => Ok(of_kbuild(here)),
            false => crates(&[]).map_err(|e| explain(e, here)),
        };
    }
    let mut sources = Vec::new();
    for name in names {
        sources.extend(match not_a_crate(here, name)? {
            Some(sources) => sources,
            None => crates(std::slice::from_ref(name))?,
        });
    }
    Ok(sources)
}

/// Returns what a name refers to, unless it is a crate or the name of a module.
fn not_a_crate(here: &Path, name: &str) -> Result<Option<Vec<Source>>> {
    let path = here.join(name);
    let looking = |message: &str| {
        let attempted = format!("looking for a module in {}", path.display());
        Error::new(Kind::Usage, attempted, message)
    };
    let is_source = |ending: &str| name.ends_with(ending);
    if is_prebuilt(name) || is_source(".c") || is_source(".rs") {
        if !path.is_file() {
            let attempted = format!("reading {}", path.display());
            return Err(Error::new(Kind::Usage, attempted, "there is no such file"));
        }
        let source = if is_source(".c") {
            Source::Kbuild(KbuildSource::file(&path))
        } else if is_source(".rs") {
            Source::RustFile(RustFile::new(path))
        } else {
            Source::Prebuilt(path)
        };
        return Ok(Some(vec![source]));
    }
    let is_path = name.contains('/') || name == "." || name == "..";
    if is_path && !path.exists() {
        return Err(looking("there is no such folder"));
    }
    if !path.is_dir() || path.join("Cargo.toml").is_file() {
        return Ok(None);
    }
    if KbuildSource::has_kbuild(&path) {
        return Ok(Some(of_kbuild(&path)));
    }
    let files = files(&path);
    let is_module = |f: &&String| f.ends_with(".c") || f.ends_with(".rs");
    let sources: Vec<&String> = files.iter().filter(is_module).collect();
    match sources.as_slice() {
        // A name without a path may be that of a module elsewhere.
        [] if !is_path => Ok(None),
        [] => {
            let below = subfolders(&path);
            let error = looking("it has neither a Cargo.toml nor a Kbuild or Makefile");
            Err(match below.is_empty() {
                true => error.help("`koru new NAME` creates a module"),
                false => error.help(format!("name one of its folders: {}", below.join(", "))),
            })
        }
        [one] if one.ends_with(".c") => {
            let file = KbuildSource::file(&path.join(one));
            Ok(Some(vec![Source::Kbuild(file)]))
        }
        [one] => {
            let path = path.join(one);
            Ok(Some(vec![Source::RustFile(RustFile::new(path))]))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|f| f.as_str()).collect();
            let message = "it has several source files, and neither a Kbuild nor a Makefile";
            Err(looking(message).help(format!(
                "name one of them ({}), or add a Kbuild: obj-m := NAME.o",
                names.join(", ")
            )))
        }
    }
}

/// Returns the sources of a folder with a Kbuild or a Makefile. If these name modules in Rust, the
/// sources are those; Kbuild alone would need a kernel that was built with Rust.
fn of_kbuild(dir: &Path) -> Vec<Source> {
    let text = kbuild_text(dir);
    let modules = words(&text, "obj-m");
    let files = modules
        .iter()
        .filter_map(|object| rust_file(dir, &text, object));
    let files: Vec<Source> = files.map(Source::RustFile).collect();
    match files.is_empty() {
        true => vec![Source::Kbuild(KbuildSource::folder(dir))],
        false => files,
    }
}

/// Returns the module of an object that a Kbuild names, if the module has a file in Rust.
fn rust_file(dir: &Path, kbuild: &str, object: &str) -> Option<RustFile> {
    let name = object.strip_suffix(".o")?;
    let parts = [
        words(kbuild, &format!("{name}-y")),
        words(kbuild, &format!("{name}-objs")),
    ];
    let parts = parts.concat();
    let source = |object: &str, ending: &str| {
        let file = format!("{}.{ending}", object.strip_suffix(".o")?);
        let is_below = !file.starts_with('/') && !file.contains("..");
        (is_below && dir.join(&file).is_file()).then_some(file)
    };
    let is_rust = |object: &&str| source(object, "rs").is_some() && source(object, "c").is_none();
    if parts.is_empty() {
        let file = Some(object).filter(is_rust).and_then(|o| source(o, "rs"))?;
        return Some(RustFile::new(dir.join(file)));
    }
    let mut roots = parts.iter().map(String::as_str).filter(is_rust);
    let file = roots.next().and_then(|o| source(o, "rs"))?;
    let here = dir.display().to_string();
    let flags = [words(kbuild, "ccflags-y"), words(kbuild, "EXTRA_CFLAGS")];
    let flags = flags.concat().into_iter().map(|flag| {
        let places = ["$(src)", "$(obj)", "$(PWD)", "$(M)"];
        places
            .iter()
            .fold(flag, |flag, place| flag.replace(place, &here))
    });
    Some(RustFile {
        path: dir.join(file),
        name: Some(name.replace('-', "_")),
        c: CFiles {
            dir: dir.to_owned(),
            names: parts.iter().filter_map(|o| source(o, "c")).collect(),
            flags: flags.collect(),
        },
    })
}

/// Adds to the error about a folder without a crate what in it could be named.
fn explain(error: Error, here: &Path) -> Error {
    let files = files(here);
    let sources: Vec<&str> = files
        .iter()
        .map(String::as_str)
        .filter(|f| f.ends_with(".c") || f.ends_with(".rs") || is_prebuilt(f))
        .collect();
    let below = subfolders(here);
    match (sources.as_slice(), below.as_slice()) {
        ([], []) => error,
        ([], below) => error.help(format!(
            "name one of the folders here: {}",
            below.join(", ")
        )),
        (sources, _) => error.help(format!(
            "name one of the files here: {}",
            sources.join(", ")
        )),
    }
}

fn files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let files = entries.filter(|e| e.path().is_file());
    let mut names: Vec<String> = files
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|n| !n.ends_with(".mod.c") && !n.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Returns the folders directly in a folder that have a module in them.
fn subfolders(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let has_module = |path: &Path| {
        let has = |file: &&str| path.join(file).is_file();
        path.join("Cargo.toml").is_file() || KBUILD_FILES.iter().any(has)
    };
    let mut names: Vec<String> = entries
        .filter(|e| has_module(&e.path()))
        .map(|e| format!("{}/", e.file_name().to_string_lossy()))
        .collect();
    names.sort();
    names.truncate(12);
    names
}
