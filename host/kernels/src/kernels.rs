// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds, adds, removes and chooses among the kernel trees that Koru keeps.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{
    Apt, Archive, Cache, KernelTree, Progress, Userland, nearest,
    packages::{best_release, packages, releases, settle, unknown},
    release::{Selector, compare, flavour, selects, series},
    suite_tools::{choose, no_tools},
    write_atomically,
};

/// The kernel versions that set-up downloads and the tests run on.
pub const SUPPORTED: [&str; 2] = ["6.1", "6.12"];

/// The file that marks the folder of a kernel that set-up downloaded for a version of
/// [`SUPPORTED`].
const SET_UP: &str = "set-up";

/// The kernel trees that Koru keeps.
pub struct Kernels {
    cache: Cache,
}

/// One line of `koru kernel list`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Installed {
    pub release: String,
    pub build_dir: PathBuf,
    /// Whether a guest can boot this kernel.
    pub bootable: bool,
    pub default: bool,
    /// The version of [`SUPPORTED`] that this kernel stands for: the tests run on it.
    pub supported: Option<&'static str>,
    /// Whether Koru downloaded this kernel. Otherwise it is a directory of the user's.
    pub downloaded: bool,
}

impl Kernels {
    pub fn new(cache: &Cache) -> Kernels {
        Kernels {
            cache: cache.clone(),
        }
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Returns the folder of a kernel.
    pub(crate) fn place(&self, release: &str) -> PathBuf {
        self.dir().join(release)
    }

    fn dir(&self) -> PathBuf {
        self.cache.root().join("kernels")
    }

    fn default_file(&self) -> PathBuf {
        self.dir().join("default")
    }

    /// Returns the releases that Koru has, oldest first.
    pub fn releases(&self) -> Vec<String> {
        let mut all: Vec<String> = fs::read_dir(self.dir())
            .into_iter()
            .flatten()
            .flatten()
            .filter(|e| e.path().join("tree").exists())
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .filter(|n| !n.starts_with('.'))
            .collect();
        all.sort_by(|a, b| compare(a, b));
        all
    }

    pub fn list(&self) -> Result<Vec<Installed>> {
        let default = self.default_release();
        let supported = SUPPORTED.map(|version| (version, self.supported_release(version)));
        let mut rows = Vec::new();
        for release in self.releases() {
            let tree = self.open(&release)?;
            let stands_for = supported.iter().find(|(_, r)| r.as_ref() == Some(&release));
            rows.push(Installed {
                default: Some(&release) == default.as_ref(),
                supported: stands_for.map(|(version, _)| *version),
                bootable: tree.image.is_some(),
                downloaded: self.keeps(&release),
                build_dir: tree.build_dir,
                release,
            });
        }
        Ok(rows)
    }

    /// Returns whether Koru has the tree itself, not only a link to a directory of the user's.
    fn keeps(&self, release: &str) -> bool {
        let link = fs::read_link(self.dir().join(release).join("tree"));
        link.is_ok_and(|target| target.is_relative())
    }

    /// Returns the release that stands for a version of [`SUPPORTED`], whatever else was
    /// added: the one that set-up downloaded.
    fn supported_release(&self, version: &str) -> Option<String> {
        let candidates: Vec<String> = self
            .releases()
            .into_iter()
            .filter(|r| selects(version, r) && self.keeps(r) && self.own_image(r).is_some())
            .collect();
        let set_up = |r: &&String| self.dir().join(r).join(SET_UP).is_file();
        // Earlier versions of Koru left no such file, so the flavour decides.
        let best = |r: &&String| flavour(r) == Some(0);
        let mut newest = candidates.iter().rev();
        let found = newest.clone().find(set_up);
        found.or_else(|| newest.find(best)).cloned()
    }

    /// Returns the kernel that the tests run on for a version of [`SUPPORTED`].
    pub fn supported(&self, version: &str) -> Option<Result<KernelTree>> {
        let release = self.supported_release(version)?;
        Some(self.open(&release))
    }

    /// Downloads the kernel for a version of [`SUPPORTED`], unless Koru has it.
    pub fn set_up(&self, version: &str, progress: &dyn Progress) -> Result<KernelTree> {
        let release = match self.supported_release(version) {
            Some(release) => release,
            None => self.add_packages(version, progress)?.release,
        };
        let place = self.dir().join(&release);
        let mark = place.join(SET_UP);
        if !mark.is_file() {
            settle(&place, &release)?;
            write_atomically(&mark, version.as_bytes())?;
        }
        self.open(&release)
    }

    /// Returns the release of the default kernel: the chosen one, otherwise the newest
    /// supported one, otherwise the one that was added first. A kernel that is added later
    /// does not become the default by itself.
    pub fn default_release(&self) -> Option<String> {
        let releases = self.releases();
        let chosen = fs::read_to_string(self.default_file()).ok();
        let chosen = chosen.map(|c| c.trim().to_owned());
        if let Some(chosen) = chosen.filter(|c| releases.contains(c)) {
            return Some(chosen);
        }
        let supported = SUPPORTED.iter().rev();
        if let Some(release) = supported.copied().find_map(|v| self.supported_release(v)) {
            return Some(release);
        }
        let added = |r: &&String| {
            let link = fs::symlink_metadata(self.dir().join(r).join("tree"));
            link.and_then(|link| link.modified()).ok()
        };
        let boots = |r: &&String| self.open(r).is_ok_and(|t| t.image.is_some());
        let first = releases.iter().filter(boots).min_by_key(added);
        first.or_else(|| releases.iter().min_by_key(added)).cloned()
    }

    /// Returns the tree that `selector` names: a release, or its beginning up to a dot or a
    /// dash (`6.1`), with a flavour if wanted (`6.1-rt`). Without a selector, it returns the default.
    ///
    /// # Errors
    ///
    /// `Kind::Usage` if there is no such kernel, or if there are several and not exactly one
    /// of them is supported.
    pub fn find(&self, selector: Option<&str>) -> Result<KernelTree> {
        let Some(selector) = selector else {
            let release = self.default_release().ok_or_else(|| {
                Error::new(Kind::Missing, "choosing a kernel", "no kernel is installed").help(
                    "`koru setup` downloads Debian's 6.1 and 6.12; `koru kernel add` adds \
                           any other",
                )
            })?;
            return self.open(&release);
        };
        let fitting = self.fitting(selector)?;
        let supported: Vec<String> = SUPPORTED
            .iter()
            .filter_map(|version| self.supported_release(version))
            .filter(|release| fitting.contains(release))
            .collect();
        match (fitting.as_slice(), supported.as_slice()) {
            ([release], _) | (_, [release]) => self.open(release),
            _ => Err(several(selector, &fitting)),
        }
    }

    /// Returns the releases that `selector` may mean; exactly one if it is a release's full
    /// name.
    fn fitting(&self, selector: &str) -> Result<Vec<String>> {
        let releases = self.releases();
        if releases.iter().any(|r| r == selector) {
            return Ok(vec![selector.to_owned()]);
        }
        let fitting: Vec<String> = releases
            .iter()
            .filter(|r| selects(selector, r) || Selector::parse(selector).names(r))
            .cloned()
            .collect();
        if !fitting.is_empty() {
            return Ok(fitting);
        }
        let near = nearest(selector, releases.iter().map(String::as_str));
        let help = match (near.is_empty(), releases.is_empty()) {
            (false, _) => format!("did you mean {}?", near.join(" or ")),
            (true, false) => format!("there are: {}", releases.join(", ")),
            (true, true) => "no kernels are installed: run `koru setup`".to_owned(),
        };
        Err(Error::new(
            Kind::Usage,
            format!("looking for the kernel `{selector}`"),
            "no such kernel is installed",
        )
        .help(format!("{help}\nto add it: `koru kernel add {selector}`")))
    }

    /// Returns the tree of exactly this release, if Koru has it.
    pub fn exactly(&self, release: &str) -> Option<Result<KernelTree>> {
        let here = self.releases().iter().any(|r| r == release);
        here.then(|| self.open(release))
    }

    /// Returns a kernel with debugging checks: of the same version as `tree`, otherwise the newest.
    pub fn debug_like(&self, tree: &KernelTree) -> Option<Result<KernelTree>> {
        let mut all = self.releases();
        all.retain(|release| Selector::parse("debug").names(release));
        let series = series(&tree.release);
        let same = all.iter().rev().find(|r| selects(&series, r));
        self.exactly(same.or(all.last())?)
    }

    /// Returns the tree with this build directory. If Koru keeps that tree, the result
    /// includes the image that boots.
    pub fn at(&self, build_dir: &Path) -> Result<KernelTree> {
        let tree = KernelTree::open(build_dir)?;
        let ours = self.exactly(&tree.release).and_then(Result::ok);
        let ours = ours.filter(|ours| ours.build_dir == tree.build_dir);
        Ok(ours.unwrap_or(tree))
    }

    /// Returns a downloaded kernel's image.
    fn own_image(&self, release: &str) -> Option<PathBuf> {
        let place = self.dir().join(release);
        // Newer packages have it beside the modules.
        let places = [
            format!("boot/vmlinuz-{release}"),
            format!("usr/lib/modules/{release}/vmlinuz"),
            format!("lib/modules/{release}/vmlinuz"),
        ];
        let mut images = places.iter().map(|at| place.join(at));
        images.find(|image| image.is_file())
    }

    fn open(&self, release: &str) -> Result<KernelTree> {
        let place = self.dir().join(release);
        let mut tree = KernelTree::open(&place.join("tree"))?;
        let modules = ["lib/modules", "usr/lib/modules"]
            .iter()
            .map(|m| place.join(m).join(&tree.release))
            .find(|m| m.join("kernel").is_dir());
        tree.image = self.own_image(&tree.release).or(tree.image);
        if modules.is_some() {
            tree.modules_dir = modules;
        }
        tree.userland = Userland::chosen(&self.cache, &place);
        Ok(tree)
    }

    /// Adds a kernel: a build directory (`/lib/modules/../build`, any KDIR), `running`, or a
    /// version or package name of the distribution, or a suite of its archive (`trixie`,
    /// `trixie/7.3`).
    pub fn add(&self, what: &str, progress: &dyn Progress) -> Result<KernelTree> {
        let suite = what.split('/').next().unwrap_or_default();
        let path = match what {
            "running" => Some(running()?),
            _ if Archive::has_suite(suite) && !Path::new(what).exists() => None,
            _ if what.contains('/') || what == "." => Some(PathBuf::from(what)),
            // A version is one, whatever is in this folder.
            _ if !what.starts_with(|c: char| c.is_ascii_digit()) && Path::new(what).is_dir() => {
                Some(PathBuf::from(what))
            }
            _ => None,
        };
        match path {
            Some(path) => self.add_directory(&path, progress),
            None if Archive::has_suite(suite) => self.add_from_archive(what, progress),
            None => self.add_packages(what, progress),
        }
    }

    fn add_directory(&self, path: &Path, progress: &dyn Progress) -> Result<KernelTree> {
        let tree = KernelTree::open(path)?;
        if !tree.build_dir.join("Module.symvers").is_file() {
            progress.print(&format!(
                "note: {} has no Module.symvers, without which modules do not build: `make modules` \
                 there writes it",
                tree.build_dir.display()
            ));
        }
        self.cache
            .entry("kernels", &tree.release, progress, |dir| {
                std::os::unix::fs::symlink(&tree.build_dir, dir.join("tree"))
                    .path_context("linking in", dir)
            })?;
        let kept = self.open(&tree.release)?;
        if kept.build_dir != tree.build_dir {
            return Err(Error::new(
                Kind::Usage,
                format!("adding {}", tree.build_dir.display()),
                format!(
                    "another build directory of {} is already listed: {}",
                    tree.release,
                    kept.build_dir.display()
                ),
            )
            .help(format!("run `koru kernel remove {}` first", tree.release)));
        }
        Ok(kept)
    }

    fn add_packages(&self, what: &str, progress: &dyn Progress) -> Result<KernelTree> {
        progress.status("asking apt for kernels");
        let what = ["linux-image-unsigned-", "linux-image-", "linux-headers-"]
            .iter()
            .find_map(|p| what.strip_prefix(p))
            .unwrap_or(what);
        let apt = Apt::machine();
        let releases = releases(&apt)?;
        match best_release(&apt, what, &releases) {
            Some(release) => self.download(&apt, &release, what, progress),
            // What this machine's suites lack, another suite of the archive may have.
            None if Archive::source().is_some() => self.add_from_archive(what, progress),
            None => Err(unknown(what, &releases)),
        }
    }

    fn add_from_archive(&self, what: &str, progress: &dyn Progress) -> Result<KernelTree> {
        let archive = Archive::open(&self.cache, what, progress)?;
        let offered = archive.offered(what)?;
        let releases: Vec<String> = offered.into_iter().map(|o| o.release).collect();
        match best_release(archive.apt(), what, &releases) {
            Some(release) => self.download(archive.apt(), &release, what, progress),
            None => {
                let all = archive.offered("")?.into_iter().map(|o| o.release);
                Err(unknown(what, &all.collect::<Vec<_>>()))
            }
        }
    }

    fn download(
        &self,
        apt: &Apt,
        release: &str,
        what: &str,
        progress: &dyn Progress,
    ) -> Result<KernelTree> {
        let place = self.cache.entry("kernels", release, progress, |dir| {
            apt.unpack(&packages(apt, release)?, dir, progress)?;
            settle(dir, release)
        })?;
        settle(&place, release)?;
        let mut tree = self.open(release)?;
        match choose(&self.cache, &place, &tree, what, progress) {
            Ok(userland) => tree.userland = userland,
            // The kernel is here all the same, and boots.
            Err(e) => progress.print(&no_tools(release, &e)),
        }
        Ok(tree)
    }

    /// Removes a kernel. A directory that Koru did not download stays.
    ///
    /// # Errors
    ///
    /// `Kind::Usage` if there is no such kernel, or if there are several, because Koru never
    /// guesses what to remove.
    pub fn remove(&self, selector: &str, progress: &dyn Progress) -> Result<String> {
        let fitting = self.fitting(selector)?;
        let [release] = fitting.as_slice() else {
            return Err(several(selector, &fitting));
        };
        let release = release.clone();
        let place = self.dir().join(&release);
        let _lock = self.cache.lock(
            &format!("kernels-{release}"),
            &format!("kernels/{release}"),
            progress,
        )?;
        // The folder is renamed first, so that other processes see it either complete or not
        // at all.
        let gone = self.dir().join(format!(".{release}.removed"));
        let _ = fs::remove_dir_all(&gone);
        fs::rename(&place, &gone).path_context("removing", &place)?;
        fs::remove_dir_all(&gone).path_context("removing", &gone)?;
        Ok(release)
    }

    pub fn set_default(&self, selector: &str) -> Result<String> {
        let release = self.find(Some(selector))?.release;
        write_atomically(&self.default_file(), release.as_bytes())?;
        Ok(release)
    }
}

/// Returns the build directory of the running kernel.
fn running() -> Result<PathBuf> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    let build = PathBuf::from(format!("/lib/modules/{release}/build"));
    // A link without its target is what is left without the headers.
    if build.exists() {
        return Ok(build);
    }
    let message = format!(
        "the headers of {release} are not installed ({})",
        build.display()
    );
    Err(
        Error::new(Kind::Usage, "adding the running kernel", message).help(format!(
            "install them: linux-headers-{release} on Debian and Ubuntu, kernel-devel on Fedora\n\
             or keep them in Koru's cache only: `koru kernel add {release}`, or package files"
        )),
    )
}

fn several(selector: &str, fitting: &[String]) -> Error {
    Error::new(
        Kind::Usage,
        format!("looking for the kernel `{selector}`"),
        format!("several kernels match: {}", fitting.join(", ")),
    )
    .help("give one of these names in full")
}
