// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds kernels that check what modules do, from the distribution's sources.
//!
//! No distribution has packages of such kernels. A [`DebugFlavour`] is a configuration in a file
//! beside this one. The build takes place in the cache, with the compiler and tools of the suite
//! that the sources are from, so it installs nothing and does not depend on this machine's tools.

mod build;
mod flavour;
mod prune;

use std::{fs, path::Path};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{
    Apt, Archive, Cache, KernelTree, Kernels, Key, Lacking, Progress, SUPPORTED, Userland,
    release::{Selector, selects, series},
    suite_tools,
    userland::MARK,
    write_atomically,
};
use flavour::BASE;
pub use flavour::DebugFlavour;

/// The file in a kernel's folder with the key of what it was built from.
const BUILT_FROM: &str = "built-from";

/// The folder of the build, in the kernel's folder.
const FOLDER: &str = "linux";

/// The suites in which sources are looked for, in this order.
const SUITES: [&str; 4] = ["bookworm", "trixie", "bullseye", "sid"];

/// Where the sources of a kernel come from.
struct Source {
    /// The suite whose compiler builds the kernel.
    suite: &'static str,
    /// All package lists, among them the one with the sources.
    all: Apt,
    /// The package lists of the suite only.
    tools: Apt,
    /// The package, such as `linux-source-6.12`.
    package: String,
    /// The version of the package.
    version: String,
}

impl Kernels {
    /// Adds the kernel that `what` names: builds it, unless it has been built from the same sources
    /// with the same configuration.
    pub fn add_debug(
        &self,
        what: &str,
        flavour: &DebugFlavour,
        progress: &dyn Progress,
    ) -> Result<KernelTree> {
        add(self, what, flavour, progress)
    }
}

fn add(
    kernels: &Kernels,
    what: &str,
    flavour: &DebugFlavour,
    progress: &dyn Progress,
) -> Result<KernelTree> {
    let cache = kernels.cache();
    let attempted = format!("building the kernel `{what}`");
    let source = find(cache, what, &attempted, progress)?;
    let release = source.release(flavour);
    let begin = Selector::parse(what).begin;
    if !begin.is_empty() && !selects(begin, &release) {
        let message = format!("Debian's sources of this series are those of {release} now");
        return Err(Error::new(Kind::Usage, attempted, message)
            .help(format!("to build that one: `koru kernel add {release}`")));
    }
    let key = Key::default()
        .with(&source.version)
        .with(BASE)
        .with(flavour.config)
        .hex();
    if let Some(old) = kernels.exactly(&release) {
        let old = old?;
        let known = fs::read_to_string(kernels.place(&release).join(BUILT_FROM));
        match known {
            Ok(known) if known.trim() == key => return Ok(old),
            Ok(_) => drop(kernels.remove(&release, progress)?),
            Err(_) => {
                let message = format!(
                    "another build directory of {release} is already listed: {}",
                    old.build_dir.display()
                );
                return Err(Error::new(Kind::Usage, attempted, message)
                    .help(format!("run `koru kernel remove {release}` first")));
            }
        }
    }
    let userland = suite_tools::to_build_kernels(cache, source.suite, &source.tools, progress)?;
    let place = cache.entry("kernels", &release, progress, |dir| {
        let build = dir.join(FOLDER);
        unpack(&source, &userland, dir, &build, progress)?;
        build::build(flavour, &release, &build, &userland, progress)?;
        prune::prune(&build)?;
        write_atomically(&dir.join(BUILT_FROM), key.as_bytes())?;
        let link = dir.join("tree");
        std::os::unix::fs::symlink(FOLDER, &link).path_context("linking", &link)
    })?;
    let tree = kernels.exactly(&release).transpose()?;
    let tree = tree.ok_or_else(|| {
        Error::new(
            Kind::System,
            &attempted,
            "the kernel is gone from the cache again",
        )
    })?;
    // Modules are built with this machine's tools where it has them, which is faster.
    if Lacking::of(&tree).is_none() {
        return Ok(tree);
    }
    write_atomically(&place.join(MARK), userland.name().as_bytes())?;
    kernels.exactly(&release).unwrap_or(Ok(tree))
}

impl Source {
    /// Returns the release of a kernel that is built from these sources.
    fn release(&self, flavour: &DebugFlavour) -> String {
        // Debian's part follows the last dash: `6.12.117-1~deb12u1`.
        let version = self.version.rsplit_once('-');
        let version = version.map_or(&*self.version, |(version, _)| version);
        format!("{version}-{}", flavour.name)
    }
}

/// Finds the package with the sources.
fn find(cache: &Cache, what: &str, attempted: &str, progress: &dyn Progress) -> Result<Source> {
    let selector = Selector::parse(what);
    let series = match selector.begin {
        "" => SUPPORTED[SUPPORTED.len() - 1].to_owned(),
        begin => series(begin),
    };
    let package = format!("linux-source-{series}");
    for suite in SUITES {
        if !selector.suite.is_none_or(|wanted| selects(suite, wanted)) {
            continue;
        }
        let archive = Archive::open(cache, suite, progress)?;
        progress.status("asking apt for the kernel's sources");
        let Some(version) = archive.apt().candidate(&package) else {
            continue;
        };
        return Ok(Source {
            suite,
            tools: archive.in_suite(suite)?,
            all: archive.apt().clone(),
            package,
            version,
        });
    }
    Err(Error::new(
        Kind::Usage,
        attempted,
        format!("Debian has no package `{package}`"),
    )
    .help("name a series of which it has the sources, such as `6.1-debug` or `6.12-debug`"))
}

/// Unpacks the sources into the folder `build`, which must not exist.
fn unpack(
    source: &Source,
    userland: &Userland,
    dir: &Path,
    build: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    let package = dir.join("package");
    fs::create_dir(&package).path_context("making", &package)?;
    let wanted = format!("{}={}", source.package, source.version);
    source.all.unpack(&[wanted], &package, progress)?;
    progress.status("unpacking the kernel's sources");
    build::unpack(&package, &source.package, build, userland)?;
    fs::remove_dir_all(&package).path_context("removing", &package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_releases() {
        let source = Source {
            suite: "bookworm",
            all: Apt::machine(),
            tools: Apt::machine(),
            package: "linux-source-6.12".to_owned(),
            version: "6.12.117-1~deb12u1".to_owned(),
        };
        assert_eq!(
            source.release(DebugFlavour::of("debug").unwrap()),
            "6.12.117-debug"
        );
    }
}
