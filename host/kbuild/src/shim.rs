// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles the C interface layer with a kernel tree's own Kbuild, and reads its constants.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Cache, Home, KernelTree, Key, Progress, Symvers, run};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::{
    make::{WorkFolder, kbuild_command, run_make},
    probes::{PROBES, Probe, with_errors},
    shim_header::{Context, contexts},
    x86::forwarders::forwarders,
};

mod refusal;

/// The C interface layer, compiled by one kernel tree's own Kbuild.
#[derive(Debug, Clone)]
pub(crate) struct Shim {
    pub archive: PathBuf,
    /// The file of Rust constants that only this kernel's headers define.
    pub layout: PathBuf,
    /// rustc's options that tell code what is configured, a line each.
    pub rustc_cfg: PathBuf,
    /// rustc's options that tell code which probes of `probes.c` this kernel passes.
    pub has: PathBuf,
}

/// The object that is read for its values and is not part of any module.
const LAYOUT: &str = "layout.o";
const LAYOUT_PREFIX: &str = "koru_value_";

/// The file that marks a cache entry for a kernel that the layer does not compile for. It has
/// the compiler's first error, then all of its output. Compiling is not tried again.
const REFUSED: &str = "refused";

/// The file with the functions that are only another name for one of the kernel's: a line
/// `FUNCTION KERNELS_FUNCTION` for each, as objcopy takes it.
const RENAMED: &str = "renamed";

/// The file with rustc's options for what is configured, for kernels before 6.1, which have none.
const RUSTC_CFG: &str = "rustc_cfg";

/// The file with rustc's options for the probes that the kernel passes.
const HAS: &str = "has";

/// A script for sed that lets the linker take each function of an object by itself.
///
/// The compiler and the kernel's macros add to tables (`__bug_table`, `.altinstructions`, ...), and the entries refer to the functions, not the other way round. In
/// the assembly, an entry follows its function. So each function becomes a group of sections, and
/// what is added to a table joins the group of the function that it follows (`?`): the linker
/// takes or leaves a group as a whole. `__patchable_function_entries` is a table that no kernel
/// for x86 reads, and of which gcc 12 says that all entries belong to the first function.
const GROUPS: &str = r#"/^\t\.section\t(\.[a-z.]*text[^,]*)(,"ax",@progbits)?$/ {
	s//\t.section\t\1,"axG",@progbits,\1/
	b
}
s/^(\t\.section\t)__patchable_function_entries,.*/\1.discard.patchable_function_entries,"?"/
s/(\.pushsection[ \t]+[^ ,]+, *"[^"]*)"/\1?"/
s/(\.pushsection[ \t]+[^ ,;]+)([ \t]*(;|$))/\1,"?"\2/
"#;

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
            rustc_cfg: tree.rustc_cfg().unwrap_or_else(|| path.join(RUSTC_CFG)),
            has: path.join(HAS),
        })
    }

    /// Returns the names of the probes that this kernel passes.
    pub fn passed(&self) -> Result<BTreeSet<String>> {
        let text = fs::read_to_string(&self.has).path_context("reading", &self.has)?;
        let names = text.lines().filter_map(|line| line.split('"').nth(1));
        Ok(names.map(str::to_owned).collect())
    }

    /// Returns the context that each function of the layer needs.
    pub fn contexts(&self) -> Result<BTreeMap<String, Context>> {
        let header = self.archive.with_file_name("shim.h");
        let text = fs::read_to_string(&header).path_context("reading", &header)?;
        Ok(contexts(&text))
    }

    /// Returns the file with the functions for which the kernel's own can be called.
    pub fn renamed(&self) -> PathBuf {
        self.archive.with_file_name(RENAMED)
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

/// What decides, beside the sources, what the layer becomes.
const RULES: [&str; 3] = [
    include_str!("shim.rs"),
    include_str!("probes.rs"),
    include_str!("x86/forwarders.rs"),
];

/// Returns the sources, and the name of the cache entry for what they compile to for this
/// kernel.
fn entry_for(home: &Home, tree: &KernelTree) -> Result<(Vec<PathBuf>, String)> {
    let files = sources(&home.root.join("kernel/shim"))?;
    let mut key = RULES.iter().fold(tree.key()?, |key, rule| key.with(rule));
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
        if file.extension().is_some_and(|e| e == "c") && name != PROBES {
            objects.push(Path::new(name).with_extension("o").display().to_string());
        }
    }
    // ftrace would see only the layer, not the Rust functions that call it, and each of its sites
    // costs the module's load a search of all symbols. So there are none.
    //
    // These objects are not modules yet: objtool sees this code once, linked with the Rust
    // code.
    let archived: Vec<&str> = objects
        .iter()
        .map(|o| &**o)
        .filter(|o| *o != LAYOUT)
        .collect();
    let kbuild = format!(
        "OBJECT_FILES_NON_STANDARD := y\n\
         ccflags-y := -ffile-prefix-map={}/=kernel/shim/ -ffunction-sections -fdata-sections \
         $(KORU_HAS)\n\
         ccflags-remove-y := $(CC_FLAGS_FTRACE)\n\
         obj-m := shim_all.o\nshim_all-y := {}\ntargets += probes.o\n\
         quiet_cmd_koru = CC      $@\n\
         \x20     cmd_koru = $(CC) $(filter-out $(CC_FLAGS_LTO),$(c_flags)) -S -o $(@:.o=.s) $< && \
         sed -E -i -f $(obj)/groups.sed $(@:.o=.s) && $(CC) -c -o $@ $(@:.o=.s)\n\
         $(addprefix $(obj)/,{}): $(obj)/%.o: $(obj)/%.c FORCE\n\
         \t$(call cmd,koru)\n",
        dir.display(),
        objects.join(" "),
        archived.join(" "),
    );
    let options = tree.config.rustc_options();
    let texts = [
        ("Kbuild", &*kbuild),
        ("groups.sed", GROUPS),
        (RUSTC_CFG, &options),
    ];
    for (file, text) in texts {
        fs::write(dir.join(file), text).path_context("writing", dir)?;
    }
    let passed = match probe(dir, tree)? {
        Ok(passed) => passed,
        Err(refusal) => {
            fs::write(dir.join(REFUSED), refusal).path_context("writing", dir)?;
            return work.deliver(&[REFUSED]);
        }
    };
    let has = passed.iter().map(|p| format!("--cfg=koru_has=\"{p}\"\n"));
    fs::write(dir.join(HAS), has.collect::<String>()).path_context("writing", dir)?;
    let macros: Vec<String> = passed.iter().map(|p| format!("-DKORU_HAS_{p}")).collect();
    let mut make = kbuild_command(tree, dir)?;
    make.arg(format!("KORU_HAS={}", macros.join(" ")));
    // Only the objects are built, because there is no module yet for modpost to check.
    make.args(&objects);
    let output = run_make(&mut make, tree, None, "compiling the C interface layer")?;
    let said = make.users_paths(&String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        let Some(why) = refusal::first_error(&said, dir) else {
            return Err(failure(tree, "the kernel's own build failed").output(said));
        };
        fs::write(dir.join(REFUSED), format!("{why}\n\n{said}")).path_context("writing", dir)?;
        return work.deliver(&[REFUSED]);
    }
    run(
        Command::new("ar")
            .current_dir(dir)
            .args(["rcsD", "libshim.a"])
            .args(&archived),
        "archiving the C interface layer",
    )?;
    let layout = layout(&dir.join(LAYOUT))?;
    fs::write(dir.join("layout.rs"), layout).path_context("writing", dir)?;
    let renamed = renamed(archived.iter().map(|o| dir.join(o)), tree)?;
    fs::write(dir.join(RENAMED), renamed).path_context("writing", dir)?;
    work.deliver(&["libshim.a", "layout.rs", "shim.h", RENAMED, RUSTC_CFG, HAS])
}

/// Returns the names of the probes that this kernel passes, or why none can be tried: the
/// compiler's first error, and all of its output.
fn probe(dir: &Path, tree: &KernelTree) -> Result<Result<BTreeSet<String>, String>> {
    const ATTEMPTED: &str = "finding out what this kernel has";
    let mut make = kbuild_command(tree, dir)?;
    make.arg(Path::new(PROBES).with_extension("o"));
    let output = run_make(&mut make, tree, None, ATTEMPTED)?;
    let said = make.users_paths(&String::from_utf8_lossy(&output.stderr));
    let failed = match output.status.success() {
        true => BTreeSet::new(),
        false => with_errors(&said),
    };
    if !output.status.success() && failed.is_empty() {
        return match refusal::first_error(&said, dir) {
            Some(why) => Ok(Err(format!("{why}\n\n{said}"))),
            None => Err(failure(tree, "the kernel's own build failed").output(said)),
        };
    }
    let all = Probe::all_in(dir)?.into_iter().map(|probe| probe.name);
    Ok(Ok(all.filter(|name| !failed.contains(name)).collect()))
}

/// Returns the functions of the objects that only call one that the kernel exports to every
/// module, and that one.
fn renamed(objects: impl Iterator<Item = PathBuf>, tree: &KernelTree) -> Result<String> {
    let exports = Symvers::read(&tree.build_dir);
    let mut text = String::new();
    // objcopy takes each of the kernel's functions once.
    let mut taken = BTreeSet::new();
    for object in objects {
        let bytes = fs::read(&object).path_context("reading", &object)?;
        let file = object::File::parse(&*bytes);
        let found = file.and_then(|f| forwarders(&f)).map_err(|e| {
            let attempted = format!("reading {}", object.display());
            Error::new(Kind::Link, attempted, e.to_string())
        })?;
        for (function, target) in found {
            let export = exports.export(&target);
            let is_for_all = export.is_some_and(|export| export.namespace.is_none());
            if is_for_all && taken.insert(target.clone()) {
                text += &format!("{function} {target}\n");
            }
        }
    }
    Ok(text)
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
