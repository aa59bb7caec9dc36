// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles the C interface layer with a kernel tree's own Kbuild, and reads its constants.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Cache, Home, KernelTree, Key, Progress, output, run};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::{
    make::{WorkFolder, kbuild_command},
    shim_header::{Context, contexts},
};

mod refusal;

/// The C interface layer, compiled by one kernel tree's own Kbuild.
#[derive(Debug, Clone)]
pub(crate) struct Shim {
    pub archive: PathBuf,
    /// The file of Rust constants that only this kernel's headers define.
    pub layout: PathBuf,
}

const LAYOUT_PREFIX: &str = "koru_value_";

/// The file that marks a cache entry for a kernel that the layer does not compile for. It has
/// the compiler's first error, then all of its output. Compiling is not tried again.
const REFUSED: &str = "refused";

impl Shim {
    pub fn get(
        home: &Home,
        cache: &Cache,
        tree: &KernelTree,
        progress: &dyn Progress,
    ) -> Result<Shim> {
        let (files, name) = entry_for(home, tree)?;
        let path = cache.entry("shims", &name, progress, |dir| {
            progress.status(&format!(
                "compiling the C interface layer for {}",
                tree.release
            ));
            build(dir, &files, tree)
        })?;
        if let Some(why) = refused(&path) {
            let whole = path.join(REFUSED);
            return Err(failure(tree, why).help(format!(
                "`koru kernel list` says which kernels Koru supports; the compiler's full output \
                 is in {}",
                whole.display()
            )));
        }
        Ok(Shim {
            archive: path.join("libshim.a"),
            layout: path.join("layout.rs"),
        })
    }

    /// Returns the context that each function of the layer needs.
    pub fn contexts(&self) -> Result<BTreeMap<String, Context>> {
        let header = self.archive.with_file_name("shim.h");
        let text = fs::read_to_string(&header).path_context("reading", &header)?;
        Ok(contexts(&text))
    }

    /// Returns why the layer does not compile for this kernel, if an earlier build found that
    /// out.
    pub fn known_refusal(home: &Home, tree: &KernelTree) -> Option<String> {
        let (_, name) = entry_for(home, tree).ok()?;
        refused(&home.cache.join("shims").join(name))
    }

    pub fn key(&self) -> Key {
        // The path contains a hash of the content, so it is enough.
        Key::default().with(self.archive.as_os_str().as_encoded_bytes())
    }
}

/// Returns the sources, and the name of the cache entry for what they compile to for this
/// kernel.
fn entry_for(home: &Home, tree: &KernelTree) -> Result<(Vec<PathBuf>, String)> {
    let files = sources(&home.root.join("kernel/shim"))?;
    let mut key = tree.key()?;
    for file in &files {
        key = key
            .with(file.as_os_str().as_encoded_bytes())
            .add_file(file)?;
    }
    let name = format!("{}-{}", tree.release, key.hex());
    Ok((files, name))
}

/// Returns the compiler's first error, if this cache entry is a refusal.
fn refused(entry: &Path) -> Option<String> {
    let text = fs::read_to_string(entry.join(REFUSED)).ok()?;
    text.lines().next().map(str::to_owned)
}

fn failure(tree: &KernelTree, message: impl Into<String>) -> Error {
    let attempted = format!("compiling the C interface layer for {}", tree.release);
    Error::new(Kind::Link, attempted, message)
}

fn sources(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .path_context("reading", dir)?
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "c" || e == "h"))
        .collect();
    files.sort();
    Ok(files)
}

/// Fills an entry of the cache with the compiled layer, or with the compiler's refusal.
fn build(entry: &Path, files: &[PathBuf], tree: &KernelTree) -> Result<()> {
    let work = WorkFolder::new(entry)?;
    let dir = work.path();
    let mut objects = Vec::new();
    for file in files {
        let name = file.file_name().expect("read_dir gives names");
        fs::copy(file, dir.join(name)).path_context("copying", file)?;
        if file.extension().is_some_and(|e| e == "c") {
            objects.push(Path::new(name).with_extension("o").display().to_string());
        }
    }
    // These objects are not modules yet: objtool sees this code once, linked with the Rust
    // code.
    let kbuild = format!(
        "OBJECT_FILES_NON_STANDARD := y\n\
         ccflags-y := -ffile-prefix-map={}/=kernel/shim/\n\
         obj-m := shim_all.o\nshim_all-y := {}\n",
        dir.display(),
        objects.join(" ")
    );
    fs::write(dir.join("Kbuild"), kbuild).path_context("writing", dir)?;
    let mut make = kbuild_command(tree, dir)?;
    // Only the objects are built, because there is no module yet for modpost to check.
    make.args(&objects);
    let output = output(&mut make, "compiling the C interface layer")?;
    let said = make.users_paths(&String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        let Some(why) = refusal::first_error(&said, dir) else {
            return Err(failure(tree, "the kernel's own build failed").output(said));
        };
        fs::write(dir.join(REFUSED), format!("{why}\n\n{said}")).path_context("writing", dir)?;
        return work.deliver(&[REFUSED]);
    }
    let archived: Vec<&String> = objects.iter().filter(|o| *o != "layout.o").collect();
    run(
        Command::new("ar")
            .current_dir(dir)
            .args(["rcsD", "libshim.a"])
            .args(archived),
        "archiving the C interface layer",
    )?;
    let layout = layout(&dir.join("layout.o"))?;
    fs::write(dir.join("layout.rs"), layout).path_context("writing", dir)?;
    work.deliver(&["libshim.a", "layout.rs", "shim.h"])
}

/// Returns Rust constants for the `koru_value_*` symbols. This is the kernel's own asm-offsets
/// technique, but reads the object instead of the assembly.
fn layout(object: &Path) -> Result<String> {
    let bytes = fs::read(object).path_context("reading", object)?;
    let attempted = format!("reading {}", object.display());
    let fail = |message: String| Error::new(Kind::Link, attempted.clone(), message);
    let file = object::File::parse(&*bytes).map_err(|e| fail(e.to_string()))?;
    let mut values = Vec::new();
    for symbol in file.symbols() {
        let Some(name) = symbol
            .name()
            .ok()
            .and_then(|n| n.strip_prefix(LAYOUT_PREFIX))
        else {
            continue;
        };
        let value = symbol
            .section_index()
            .and_then(|i| file.section_by_index(i).ok())
            .and_then(|s| s.data_range(symbol.address(), 8).ok().flatten())
            .and_then(|d| d.try_into().ok())
            .map(u64::from_le_bytes)
            // gcc puts zeros into .bss, which has no data.
            .unwrap_or(0);
        values.push((name.to_owned(), value));
    }
    if values.is_empty() {
        return Err(fail(format!("it has no {LAYOUT_PREFIX}* symbols")));
    }
    values.sort();
    Ok(values
        .iter()
        .map(|(name, value)| format!("pub const {name}: usize = {value:#x};\n"))
        .collect())
}
