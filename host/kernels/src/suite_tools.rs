// SPDX-License-Identifier: MIT OR Apache-2.0

//! Downloads the programs of a kernel's own suite.
//!
//! Kbuild needs the compiler that the kernel was built with, and runs tools that came with the
//! kernel (objtool, modpost, fixdep), which need a C library as new as theirs. Where this
//! machine lacks one of these, a compiler and everything around it are unpacked in the cache.

use std::{fs, path::Path};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{
    Apt, Archive, Cache, KernelTree, Key, Lacking, Progress, Userland,
    date::today,
    userland::{FOLDER, KEPT, MARK},
    write_atomically,
};

/// What a build runs beside the compiler, and what the sandbox runs around it.
const PROGRAMS: [&str; 11] = [
    "bash",
    "binutils",
    "coreutils",
    "dash",
    "diffutils",
    "findutils",
    "grep",
    "make",
    "mawk",
    "sed",
    "util-linux",
];

/// What the build of a kernel needs in addition.
const TO_BUILD_KERNELS: [&str; 11] = [
    "bc",
    "bison",
    "flex",
    "gzip",
    "libc6-dev",
    "libelf-dev",
    "libssl-dev",
    "m4",
    "perl-base",
    "tar",
    "xz-utils",
];

/// What these packages depend on, but not what a build uses of them.
const UNUSED: [&str; 19] = [
    "debconf",
    "dpkg",
    "libatomic1",
    "libc-gconv-modules-extra",
    "libcc1-0",
    "libdb5.3",
    "libdb5.3t64",
    "libgomp1",
    "libgprofng0",
    "libitm1",
    "liblastlog2-2",
    "libpam-modules",
    "libpam-modules-bin",
    "libpam-runtime",
    "libquadmath0",
    "login",
    "openssl-provider-legacy",
    "perl-base",
    "tar",
];

/// Programs whose names are links that only an installation makes.
const LINKS: [(&str, &str); 3] = [
    ("sh", "dash"),
    ("awk", "mawk"),
    ("which", "which.debianutils"),
];

/// Chooses a userland for the kernel in this folder of the cache, if this machine lacks
/// something, and downloads it if it is not there yet.
///
/// `what` selects the suites in which the kernel is looked for.
pub(crate) fn choose(
    cache: &Cache,
    kernel: &Path,
    tree: &KernelTree,
    what: &str,
    progress: &dyn Progress,
) -> Result<Option<Userland>> {
    if let Some(chosen) = Userland::chosen(cache, kernel) {
        return Ok(Some(chosen));
    }
    let Some(lacking) = Lacking::of(tree) else {
        return Ok(None);
    };
    // Of another distribution there is no archive to ask.
    if Archive::source().is_none() {
        return Ok(None);
    }
    let Some(compiler) = lacking.package() else {
        return Ok(None);
    };
    progress.status("asking apt for tools");
    let archive = Archive::open(cache, what, progress)?;
    let Some(suite) = archive.base_suite(&tree.release)? else {
        return Ok(None);
    };
    let apt = archive.in_suite(suite)?;
    let libraries = libraries(archive.apt(), &apt, &tree.release)?;
    let userland = unpack(cache, suite, &apt, &compiler, libraries, progress)?;
    write_atomically(&kernel.join(MARK), userland.name().as_bytes())?;
    Ok(Some(userland))
}

/// Returns a userland with what builds kernels of a suite, whatever this machine has.
pub(crate) fn to_build_kernels(
    cache: &Cache,
    suite: &str,
    apt: &Apt,
    progress: &dyn Progress,
) -> Result<Userland> {
    let compiler = apt.depends("gcc")?.into_iter().find(|package| {
        let version = package.strip_prefix("gcc-").unwrap_or_default();
        version.starts_with(|c: char| c.is_ascii_digit())
    });
    let compiler = compiler.ok_or_else(|| {
        let message = format!("{suite} has no gcc");
        Error::new(Kind::System, "asking apt for a compiler", message).help(
            "check the network; `koru clean --cache` makes Koru fetch the package lists again",
        )
    })?;
    let more = TO_BUILD_KERNELS.map(str::to_owned).into();
    unpack(cache, suite, apt, &compiler, more, progress)
}

/// Unpacks a suite's compiler, the programs that a build runs, and more packages.
fn unpack(
    cache: &Cache,
    suite: &str,
    apt: &Apt,
    compiler: &str,
    more: Vec<String>,
    progress: &dyn Progress,
) -> Result<Userland> {
    let mut wanted: Vec<String> = PROGRAMS.map(str::to_owned).into();
    wanted.push(compiler.to_owned());
    wanted.extend(more);
    wanted.sort();
    wanted.dedup();
    let names = wanted.iter().map(String::as_str).chain(UNUSED);
    let key = names.fold(Key::default(), |key, name| key.with(name)).hex();
    let name = format!("{suite}-{compiler}-{}", &key[..8]);
    cache.entry(FOLDER, &name, progress, |dir| {
        let mut packages = apt.closure(&wanted)?;
        packages.retain(|package| is_used(package) || wanted.iter().any(|w| names_it(package, w)));
        let what = format!("the tools of {suite}");
        apt.unpack_merged(&packages, &what, dir, progress)?;
        complete(dir)
    })?;
    Userland::named(cache, &name).ok_or_else(|| {
        let message = "they are gone from the cache again";
        Error::new(Kind::System, "unpacking the tools of a suite", message)
    })
}

/// Returns whether a package, which is `NAME=VERSION`, has this name.
fn names_it(package: &str, name: &str) -> bool {
    package
        .strip_prefix(name)
        .is_some_and(|rest| rest.starts_with('='))
}

/// Returns a note that a kernel's tools cannot be had, which may be so for a day only: a suite that
/// is being changed cannot always be installed.
pub(crate) fn no_tools(release: &str, error: &Error) -> String {
    let said = error.output.as_deref().unwrap_or_default();
    let said = said
        .lines()
        .rfind(|line| line.starts_with("E: "))
        .unwrap_or_default();
    let said = match said.is_empty() {
        true => error.to_string(),
        false => format!("{error} ({said})"),
    };
    format!(
        "note: the tools that build for {release} are not to be had ({}): {said}; a later `koru \
         kernel add` of it tries again",
        today()
    )
}

/// Returns the libraries that the kernel's tools need, as far as this suite has them.
fn libraries(all: &Apt, suite: &Apt, release: &str) -> Result<Vec<String>> {
    let mut libraries = Vec::new();
    for tools in all.depends(&format!("linux-headers-{release}"))? {
        if tools.starts_with("linux-kbuild-") {
            libraries.extend(all.depends(&tools)?);
        }
    }
    libraries.retain(|name| name.starts_with("lib") || name.starts_with("zlib"));
    libraries.retain(|name| suite.available(name));
    Ok(libraries)
}

/// Returns whether a build uses a package, which is `NAME=VERSION`.
fn is_used(package: &str) -> bool {
    let name = package.split('=').next().unwrap_or(package);
    // Sanitizers are libraries of programs.
    let sanitizer = ["libasan", "libhwasan", "liblsan", "libtsan", "libubsan"];
    !UNUSED.contains(&name) && !sanitizer.iter().any(|s| name.starts_with(s))
}

/// Does what the packages' own scripts would do at an installation.
fn complete(dir: &Path) -> Result<()> {
    let bin = dir.join("usr/bin");
    for (name, target) in LINKS {
        let link = bin.join(name);
        if bin.join(target).exists() && link.symlink_metadata().is_err() {
            std::os::unix::fs::symlink(target, &link).path_context("linking", &link)?;
        }
    }
    for folder in KEPT {
        let place = dir.join(&folder[1..]);
        fs::create_dir_all(&place).path_context("making", &place)?;
    }
    let shell = bin.join("sh");
    match shell.exists() {
        true => Ok(()),
        false => Err(Error::new(
            Kind::System,
            "unpacking the tools of a suite",
            "they have no shell",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merged::merge_folders;

    #[test]
    fn packages_that_a_build_uses() {
        for used in ["libelf1t64=0.192-4", "gcc-14=14.2.0-19", "libc6=2.41"] {
            assert!(is_used(used), "{used}");
        }
        for unused in ["libasan8=14.2.0-19", "perl-base=5.32", "login=1:4.8"] {
            assert!(!is_used(unused), "{unused}");
        }
    }

    #[test]
    fn tools_that_are_not_to_be_had_are_dated() {
        let error = Error::new(Kind::System, "asking apt", "it failed")
            .output("Reading lists\nE: Unable to correct problems\n");
        let note = no_tools("7.3.4", &error);
        assert!(
            note.contains(&format!("7.3.4 are not to be had ({})", today())),
            "{note}"
        );
        assert!(
            note.contains("asking apt: it failed (E: Unable to correct"),
            "{note}"
        );
    }

    #[test]
    fn links_of_an_installation_are_made() {
        let dir = tempfile::tempdir().unwrap();
        merge_folders(dir.path()).unwrap();
        assert!(complete(dir.path()).is_err());
        for name in ["dash", "mawk"] {
            fs::write(dir.path().join("bin").join(name), "").unwrap();
        }
        complete(dir.path()).unwrap();
        let link = |name: &str| fs::read_link(dir.path().join("usr/bin").join(name));
        assert_eq!(link("sh").unwrap(), Path::new("dash"));
        assert_eq!(link("awk").unwrap(), Path::new("mawk"));
        assert!(link("which").is_err());
        assert!(dir.path().join("usr/local").is_dir());
    }
}
