// SPDX-License-Identifier: MIT OR Apache-2.0

//! Links a module's Rust code and the C interface layer into one relocatable object.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::run;
use object::{
    Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget,
    read::archive::ArchiveFile,
};

use crate::{
    LargeFrame, Module, Sysroot,
    artifact::Artifact,
    module::OURS,
    rust_object::RustObject,
    shim::Shim,
    stack::large_frames,
    symbols,
    x86::{
        atomic_context,
        object_file::{LD_EMULATION, LOADER_KNOWS, UNUSED},
    },
};

/// A linker script that keeps the sections to which nothing refers but which the kernel's
/// loader or tools read.
const KEPT: &str = "\
SECTIONS {
	.modinfo : { KEEP(*(.modinfo)) }
	__param : { KEEP(*(__param)) }
	.koru_global_locks : {
		__koru_global_locks = .;
		KEEP(*(.koru_global_locks))
		__koru_global_locks_end = .;
	}
	.init.data : { KEEP(*(.init.data)) }
	.exit.data : { KEEP(*(.exit.data)) }
	.init_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) .init_array)) }
}
";

/// A linker script that merges the many sections that the compilers create, one for each
/// function or constant, because the loader aligns, lists and protects sections one by one. The
/// kernel's own names, such as `.data..read_mostly`, stay. It follows [`KEPT`], and keeps what
/// the C side adds to the kernel's tables by a variable.
const MERGED: &str = "\
SECTIONS {
	.text : { *(.text .text.*) }
	.rodata : { *(.rodata .rodata.*) }
	.data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) }
	.data : { *(.data .data.[!.]*) }
	.bss : { *(.bss .bss.[!.]*) }
	_kprobe_blacklist : { KEEP(*(_kprobe_blacklist)) }
	/DISCARD/ : { *(.stack_sizes) *(UNUSED) }
}
";

/// The variable of the `kernel` crate that only a module which can register something has.
const REGISTERED: &str = "koru_registered";
/// The functions of the C side for the end of a module with that variable, and without it.
const WAIT: &str = "koru_wait_until_unregistered";
const NO_WAIT: &str = "koru_nothing_registered";

/// The variable of the `kernel` crate that only a module which can queue work has.
const QUEUED: &str = "koru_queued_works";
/// The functions of the C side for the end of a module with only that variable, and with both.
const WAIT_FOR_WORKS: &str = "koru_wait_for_works";
const WAIT_FOR_ALL: &str = "koru_wait_for_works_and_unregistered";

/// Everything that decides how a module is linked, whether it is accepted, and what is noted
/// about it. A module that was made by other rules is built again.
pub(crate) const RULES: [&str; 7] = [
    include_str!("ko.rs"),
    include_str!("link.rs"),
    include_str!("symbols.rs"),
    include_str!("x86/atomic_context.rs"),
    include_str!("x86/object_file.rs"),
    include_str!("stack.rs"),
    include_str!("unsafe_code.rs"),
];

/// The inputs that a module is linked from.
pub(crate) struct Parts<'a> {
    pub rust: &'a RustObject,
    pub sysroot: &'a Sysroot,
    pub shim: &'a Shim,
    /// The size in bytes above which stack frames are noted.
    pub frame_limit: Option<u64>,
}

pub(crate) struct Linked {
    /// The archives of Rust code that something was taken from. Cargo's list includes those of
    /// other modules.
    pub archives: Vec<PathBuf>,
    pub large_frames: Vec<LargeFrame>,
}

/// Links a module's Rust code, and what it uses of the C interface layer, into one relocatable
/// object, `dir/rust.o`.
pub(crate) fn link(module: &Module, parts: &Parts<'_>, dir: &Path) -> Result<Linked> {
    let Parts {
        rust,
        sysroot,
        shim,
        frame_limit,
    } = parts;
    let name = &module.name;
    let rlibs = || std::iter::once(&rust.own).chain(&rust.dependencies);
    let attempted = format!("linking {name}");
    let both = format!("{KEPT}{}", MERGED.replace("UNUSED", UNUSED));
    let [kept, merged] = [("kept.ld", KEPT), ("merged.ld", &both)].map(|(file, script)| {
        let path = dir.join(file);
        fs::write(&path, script)
            .path_context("writing", &path)
            .map(|()| path)
    });
    // The files in C may call any function that has a plain name, and may have the init.
    let plain = match module.c.names.is_empty() {
        true => Vec::new(),
        false => plain_names(&rust.own.rlib)?,
    };
    if plain.is_empty() && !defines(&rust.own.rlib, b"init_module")? {
        return Err(Error::new(
            Kind::Link,
            attempted,
            "it has no `init_module`: the crate calls no `module!`",
        )
        .help("add `module! { type: .., name: .., license: \"GPL\", }` to its src/lib.rs"));
    }
    let roots = ["init_module", "cleanup_module"];
    let roots = roots.into_iter().chain(plain.iter().map(|name| &**name));
    let roots: Vec<&str> = roots.flat_map(|name| ["-u", name]).collect();
    // This step drops unused Rust functions.
    let trace = run(
        Command::new("ld")
            .args(["-r", "-m", LD_EMULATION, "-t", "-t", "--gc-sections", "-T"])
            .arg(kept?)
            .args(&roots)
            .arg("-o")
            .arg(dir.join("gc.o"))
            .arg("--start-group")
            .args(rlibs().map(|a| &a.rlib))
            .arg(&sysroot.libcore)
            .arg("--end-group"),
        &attempted,
    )?;
    atomic_context::check(name, &dir.join("gc.o"), &shim.contexts()?)?;
    let ours = rust.dependencies.iter();
    let ours = ours.filter(|a| OURS.contains(&&*a.dependency.name));
    let ours: Vec<&PathBuf> = ours.map(|a| &a.rlib).chain([&sysroot.libcore]).collect();
    let is_ours = |symbol: &str| {
        let mut defined = ours.iter().map(|a| defines(a, symbol.as_bytes()));
        defined.try_fold(false, |any, defined| Ok(any || defined?))
    };
    let large_frames = match frame_limit {
        Some(limit) => large_frames(&dir.join("gc.o"), *limit, module, is_ours)?,
        None => Vec::new(),
    };
    let mut rename = Command::new("objcopy");
    rename.arg("--redefine-syms").arg(shim.renamed());
    let has = |variable| symbols::defines(&dir.join("gc.o"), variable);
    let wait = match (has(REGISTERED)?, has(QUEUED)?) {
        (true, false) => WAIT,
        (false, false) => NO_WAIT,
        (false, true) => WAIT_FOR_WORKS,
        (true, true) => WAIT_FOR_ALL,
    };
    if wait != WAIT {
        rename.arg(format!("--redefine-sym={WAIT}={wait}"));
    }
    // Otherwise, what only dropped functions called would be taken from the archive.
    rename.args(["--wildcard", "--strip-unneeded-symbol=koru_*"]);
    run(rename.arg(dir.join("gc.o")), &attempted)?;
    // This step adds what is used of the C side, function by function.
    run(
        Command::new("ld")
            .args(["-r", "-m", LD_EMULATION, "--gc-sections"])
            .args(["--force-group-allocation", "-T"])
            .arg(merged?)
            .args(&roots)
            .arg("-o")
            .arg(dir.join("rust.o"))
            .arg(dir.join("gc.o"))
            .arg(&shim.archive),
        &attempted,
    )?;
    let unneeded = dir.join("unneeded");
    fs::write(&unneeded, symbols::unneeded(&dir.join("rust.o"))?)
        .path_context("writing", &unneeded)?;
    run(
        Command::new("objcopy")
            .arg("--strip-symbols")
            .arg(&unneeded)
            .arg(dir.join("rust.o")),
        &attempted,
    )?;
    check(name, &dir.join("rust.o"))?;
    // The trace has a line `(ARCHIVE)MEMBER` for each member that is linked.
    let taken = |a: &&Artifact| trace.stdout.contains(&format!("({})", a.rlib.display()));
    Ok(Linked {
        archives: rlibs().filter(taken).map(|a| a.rlib.clone()).collect(),
        large_frames,
    })
}

fn defines(archive: &Path, symbol: &[u8]) -> Result<bool> {
    Ok(defined(archive)?.iter().any(|name| name == symbol))
}

/// Returns the names in an archive that are not mangled.
fn plain_names(archive: &Path) -> Result<Vec<String>> {
    let names = defined(archive)?.into_iter();
    let names = names.filter_map(|name| String::from_utf8(name).ok());
    Ok(names
        .filter(|n| !n.starts_with("_R") && !n.starts_with("_ZN"))
        .collect())
}

/// Returns the names that the objects of an archive define.
fn defined(archive: &Path) -> Result<Vec<Vec<u8>>> {
    let bytes = fs::read(archive).path_context("reading", archive)?;
    let symbols = ArchiveFile::parse(&*bytes).and_then(|a| a.symbols());
    let symbols = symbols.map_err(|e| {
        Error::new(
            Kind::Link,
            format!("reading {}", archive.display()),
            e.to_string(),
        )
    })?;
    let symbols = symbols.into_iter().flatten().flatten();
    Ok(symbols.map(|s| s.name().to_owned()).collect())
}

/// Rejects an object that modpost or the module loader would refuse later with a less helpful
/// message.
fn check(name: &str, path: &Path) -> Result<()> {
    let attempted = format!("linking {name}");
    let bytes = fs::read(path).path_context("reading", path)?;
    let file = object::File::parse(&*bytes)
        .map_err(|e| Error::new(Kind::Link, attempted.clone(), e.to_string()))?;
    let mut floats = BTreeSet::new();
    let mut build_errors = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for section in file.sections() {
        if section.name().is_ok_and(|n| n.starts_with(".debug")) {
            continue;
        }
        for (offset, relocation) in section.relocations() {
            let place = || function_at(&file, section.index(), offset);
            match relocation.flags() {
                RelocationFlags::Elf { r_type } if !LOADER_KNOWS.contains(&r_type) => {
                    unknown.insert(format!("type {} in {}", r_type.0, place()));
                }
                _ => {}
            }
            let RelocationTarget::Symbol(index) = relocation.target() else {
                continue;
            };
            let Ok(symbol) = file.symbol_by_index(index) else {
                continue;
            };
            let Ok(target) = symbol.name() else { continue };
            if symbol.is_undefined() && is_soft_float(target) {
                floats.insert(place());
            }
            if symbol.is_undefined() && target == "rust_build_error" {
                build_errors.insert(place());
            }
        }
    }
    let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
    if !floats.is_empty() {
        return Err(Error::new(
            Kind::Link,
            attempted,
            format!("floating point is used in {}", list(&floats)),
        )
        .help("the kernel saves no FPU state for modules: use integers, such as fixed point"));
    }
    if !build_errors.is_empty() {
        return Err(Error::new(
            Kind::Link,
            attempted,
            format!(
                "a `build_assert!` or `build_error!` is reached in {}",
                list(&build_errors)
            ),
        )
        .help(
            "the condition must be known to hold while compiling: see its message in the source",
        ));
    }
    if !unknown.is_empty() {
        return Err(Error::new(
            Kind::Link,
            attempted,
            format!(
                "the kernel's loader does not know these relocations: {}",
                list(&unknown)
            ),
        )
        .help("a dependency was compiled with other flags; `koru clean` and build again"));
    }
    Ok(())
}

/// Returns whether a symbol is one of compiler-rt's floating-point functions: `__adddf3`,
/// `__fixsfsi`, `__floatundidf`, `__gtsf2`, ...
fn is_soft_float(symbol: &str) -> bool {
    let Some(name) = symbol.strip_prefix("__") else {
        return false;
    };
    let starts = [
        "add", "sub", "mul", "div", "neg", "fix", "float", "extend", "trunc", "eq", "ne", "lt",
        "le", "gt", "ge", "unord", "cmp", "pow",
    ];
    let kinds = ["hf", "sf", "df", "xf", "tf"];
    starts.iter().any(|s| name.starts_with(s)) && kinds.iter().any(|k| name.contains(k))
}

/// Returns the demangled name of the function that contains `offset`.
fn function_at(file: &object::File<'_>, section: object::SectionIndex, offset: u64) -> String {
    let mangled = file
        .symbols()
        .filter(|s| s.section_index() == Some(section) && s.kind() == object::SymbolKind::Text)
        .filter(|s| s.address() <= offset && offset < s.address() + s.size().max(1))
        .find_map(|s| s.name().ok().map(str::to_owned));
    match mangled {
        Some(name) => format!("`{:#}`", rustc_demangle::demangle(&name)),
        None => "an unnamed function".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_soft_float;

    #[test]
    fn soft_float_names() {
        for yes in [
            "__adddf3",
            "__mulsf3",
            "__fixunsdfdi",
            "__floatundisf",
            "__gtdf2",
            "__extendsfdf2",
        ] {
            assert!(is_soft_float(yes), "{yes}");
        }
        for no in [
            "__udivti3",
            "memcpy",
            "__x86_return_thunk",
            "__get_user_4",
            "__fentry__",
        ] {
            assert!(!is_soft_float(no), "{no}");
        }
    }
}
