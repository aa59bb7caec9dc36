use std::{
    cmp::Ordering,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Cache, Error, KernelTree, Kind, Report, Result, apt, cache::write_atomically, error::IoContext,
    nearest,
};

/// The kernel trees that Koru keeps.
pub struct Kernels {
    cache: Cache,
}

/// One line of `koru kernel list`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Installed {
    pub release: String,
    pub build_dir: PathBuf,
    /// Whether it can be booted in a guest.
    pub bootable: bool,
    pub default: bool,
    /// Whether Koru downloaded it (else it is somebody's own directory).
    pub downloaded: bool,
}

/// The flavours of distribution kernels, the best for a guest first.
const FLAVOURS: [&str; 4] = ["-cloud-amd64", "-amd64", "-generic", "-rt-amd64"];

impl Kernels {
    pub fn new(cache: &Cache) -> Kernels {
        Kernels {
            cache: cache.clone(),
        }
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    fn dir(&self) -> PathBuf {
        self.cache.root().join("kernels")
    }

    fn default_file(&self) -> PathBuf {
        self.dir().join("default")
    }

    /// Releases that are here, oldest first.
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
        let mut rows = Vec::new();
        for release in self.releases() {
            let tree = self.open(&release)?;
            rows.push(Installed {
                default: Some(&release) == default.as_ref(),
                bootable: tree.image.is_some(),
                downloaded: self.keeps(&release),
                build_dir: tree.build_dir,
                release,
            });
        }
        Ok(rows)
    }

    /// Whether the tree itself is here, not only a link to somebody's directory.
    fn keeps(&self, release: &str) -> bool {
        let link = fs::read_link(self.dir().join(release).join("tree"));
        link.is_ok_and(|target| target.is_relative())
    }

    /// The chosen default, else the newest that can be booted.
    pub fn default_release(&self) -> Option<String> {
        let releases = self.releases();
        let chosen = fs::read_to_string(self.default_file()).ok();
        chosen
            .map(|c| c.trim().to_owned())
            .filter(|c| releases.contains(c))
            .or_else(|| {
                let bootable = |r: &&String| self.open(r).is_ok_and(|t| t.image.is_some());
                releases.iter().rev().find(bootable).cloned()
            })
            .or_else(|| releases.last().cloned())
    }

    /// The tree that `selector` names: a release, or its beginning up to a
    /// dot or dash (`6.1`); the default without one.
    pub fn find(&self, selector: Option<&str>) -> Result<KernelTree> {
        let releases = self.releases();
        let Some(selector) = selector else {
            let release = self.default_release().ok_or_else(|| {
                Error::new(Kind::Missing, "choosing a kernel", "there is none here yet")
                    .todo("`koru setup` gets Debian's 6.1 and 6.12; `koru kernel add` any other")
            })?;
            return self.open(&release);
        };
        let found = releases.iter().rev().find(|r| selects(selector, r));
        match found {
            Some(release) => self.open(release),
            None => {
                let near = nearest(selector, releases.iter().map(String::as_str));
                let todo = match (near.is_empty(), releases.is_empty()) {
                    (false, _) => format!("did you mean {}?", near.join(" or ")),
                    (true, false) => format!("there are: {}", releases.join(", ")),
                    (true, true) => "none are here yet: `koru setup`".to_owned(),
                };
                Err(Error::new(
                    Kind::Usage,
                    format!("looking for the kernel `{selector}`"),
                    "it is not among those that are here",
                )
                .todo(format!(
                    "{todo}\nto get another: `koru kernel add {selector}`"
                )))
            }
        }
    }

    /// The tree of exactly this release, if it is here.
    pub fn exactly(&self, release: &str) -> Option<Result<KernelTree>> {
        let here = self.releases().iter().any(|r| r == release);
        here.then(|| self.open(release))
    }

    /// The one with this build directory; of those that are here, with the image that
    /// boots.
    pub fn at(&self, build_dir: &Path) -> Result<KernelTree> {
        let tree = KernelTree::open(build_dir)?;
        let ours = self.exactly(&tree.release).and_then(Result::ok);
        let ours = ours.filter(|ours| ours.build_dir == tree.build_dir);
        Ok(ours.unwrap_or(tree))
    }

    fn open(&self, release: &str) -> Result<KernelTree> {
        let place = self.dir().join(release);
        let mut tree = KernelTree::open(&place.join("tree"))?;
        let modules = ["lib/modules", "usr/lib/modules"]
            .iter()
            .map(|m| place.join(m).join(&tree.release))
            .find(|m| m.join("kernel").is_dir());
        let image = place.join(format!("boot/vmlinuz-{}", tree.release));
        if image.is_file() {
            tree.image = Some(image);
        }
        if modules.is_some() {
            tree.modules_dir = modules;
        }
        Ok(tree)
    }

    /// Gets a kernel: a build directory (`/lib/modules/../build`, any KDIR),
    /// `running`, or a version or package name of the distribution.
    pub fn add(&self, what: &str, report: &dyn Report) -> Result<KernelTree> {
        let path = match what {
            "running" => {
                let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
                Some(PathBuf::from(format!(
                    "/lib/modules/{}/build",
                    release.trim()
                )))
            }
            _ if what.contains('/') || what == "." => Some(PathBuf::from(what)),
            _ => None,
        };
        match path {
            Some(path) => self.add_directory(&path, report),
            None => self.add_packages(what, report),
        }
    }

    fn add_directory(&self, path: &Path, report: &dyn Report) -> Result<KernelTree> {
        let tree = KernelTree::open(path)?;
        self.cache.entry("kernels", &tree.release, report, |dir| {
            std::os::unix::fs::symlink(&tree.build_dir, dir.join("tree")).at("linking in", dir)
        })?;
        let kept = self.open(&tree.release)?;
        if kept.build_dir != tree.build_dir {
            return Err(Error::new(
                Kind::Usage,
                format!("adding {}", tree.build_dir.display()),
                format!(
                    "another tree of {} is here already: {}",
                    tree.release,
                    kept.build_dir.display()
                ),
            )
            .todo(format!("`koru kernel remove {}` first", tree.release)));
        }
        Ok(kept)
    }

    fn add_packages(&self, what: &str, report: &dyn Report) -> Result<KernelTree> {
        report.status("asking apt for kernels");
        let release = wanted_release(what)?;
        self.cache.entry("kernels", &release, report, |dir| {
            apt::unpack(&packages(&release)?, dir, report)?;
            settle(dir, &release)
        })?;
        self.open(&release)
    }

    /// Forgets a kernel; a directory that Koru did not download stays.
    pub fn remove(&self, selector: &str, report: &dyn Report) -> Result<String> {
        let release = self.find(Some(selector))?.release;
        let place = self.dir().join(&release);
        let _lock = self.cache.lock(
            &format!("kernels-{release}"),
            &format!("kernels/{release}"),
            report,
        )?;
        // Renamed first: whoever looks sees it whole or not at all.
        let gone = self.dir().join(format!(".{release}.removed"));
        let _ = fs::remove_dir_all(&gone);
        fs::rename(&place, &gone).at("removing", &place)?;
        fs::remove_dir_all(&gone).at("removing", &gone)?;
        Ok(release)
    }

    pub fn set_default(&self, selector: &str) -> Result<String> {
        let release = self.find(Some(selector))?.release;
        write_atomically(&self.default_file(), release.as_bytes())?;
        Ok(release)
    }
}

/// The release that the distribution has for `what`: the newest of the best
/// flavour.
fn wanted_release(what: &str) -> Result<String> {
    let name = ["linux-image-unsigned-", "linux-image-", "linux-headers-"]
        .iter()
        .find_map(|p| what.strip_prefix(p))
        .unwrap_or(what);
    let releases: Vec<String> = apt::names("linux-headers-")?
        .into_iter()
        .filter_map(|n| n.strip_prefix("linux-headers-").map(str::to_owned))
        .filter(|r| r.contains('.') && r.contains('-') && FLAVOURS.iter().any(|f| r.ends_with(f)))
        .collect();
    let mut matching: Vec<&String> = releases.iter().filter(|r| selects(name, r)).collect();
    matching.sort_by(|a, b| {
        let flavour = |r: &str| FLAVOURS.iter().position(|f| r.ends_with(f));
        flavour(b).cmp(&flavour(a)).then_with(|| compare(a, b))
    });
    let found = matching
        .into_iter()
        .rev()
        .find(|r| image_package(r).is_some() && apt::available(&format!("linux-headers-{r}")));
    found.cloned().ok_or_else(|| {
        let near = nearest(name, releases.iter().map(String::as_str));
        Error::new(
            Kind::Usage,
            format!("looking for the kernel `{what}` among the distribution's packages"),
            "apt knows no headers and image of this version",
        )
        .todo(if releases.is_empty() {
            "apt knows no kernels at all: `apt-get update` as root".to_owned()
        } else if near.is_empty() {
            "`apt-cache pkgnames linux-headers-` lists what there is".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        })
    })
}

fn image_package(release: &str) -> Option<String> {
    ["linux-image-", "linux-image-unsigned-"]
        .iter()
        .map(|p| format!("{p}{release}"))
        .find(|p| apt::available(p))
}

/// Image, headers, and what the headers need of the kernel's own packages.
fn packages(release: &str) -> Result<Vec<String>> {
    let mut all = vec![format!("linux-headers-{release}")];
    let mut next = 0;
    while next < all.len() {
        for name in apt::depends(&all[next])? {
            let needed = ["linux-headers-", "linux-kbuild-"]
                .iter()
                .any(|p| name.starts_with(p));
            if needed && !all.contains(&name) {
                all.push(name);
            }
        }
        next += 1;
    }
    all.extend(image_package(release));
    // Ubuntu keeps the modules apart from the image.
    let modules = format!("linux-modules-{release}");
    if apt::available(&modules) {
        all.push(modules);
    }
    Ok(all)
}

/// Makes unpacked packages usable where they lie.
fn settle(dir: &Path, release: &str) -> Result<()> {
    let headers = dir.join("usr/src").join(format!("linux-headers-{release}"));
    let makefile = headers.join("Makefile");
    let text = fs::read_to_string(&makefile).at("reading", &makefile)?;
    // Debian's says `include /usr/src/linux-headers-..-common/Makefile`.
    let here = "$(dir $(abspath $(lastword $(MAKEFILE_LIST))))../";
    let moved = text.replace("include /usr/src/", &format!("include {here}"));
    if moved != text {
        fs::write(&makefile, moved).at("writing", &makefile)?;
    }
    let link = dir.join("tree");
    std::os::unix::fs::symlink(format!("usr/src/linux-headers-{release}"), &link)
        .at("linking", &link)
}

/// Whether `selector` is `release` or a beginning of it that ends where a
/// number or word of it ends: `6.1` selects `6.1.0-56` but not `6.12`.
fn selects(selector: &str, release: &str) -> bool {
    release.strip_prefix(selector).is_some_and(|rest| {
        !selector.is_empty() && !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// Orders releases as people do: numbers by value.
fn compare(a: &str, b: &str) -> Ordering {
    let numbers = |s: &str| -> Vec<u64> {
        s.split(|c: char| !c.is_ascii_digit())
            .filter(|p| !p.is_empty())
            .map(|p| p.parse().unwrap_or(u64::MAX))
            .collect()
    };
    numbers(a).cmp(&numbers(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_end_at_a_boundary() {
        assert!(selects("6.1", "6.1.0-56-cloud-amd64"));
        assert!(!selects("6.1", "6.12.117+deb12-cloud-amd64"));
        assert!(selects(
            "6.12.117+deb12-cloud-amd64",
            "6.12.117+deb12-cloud-amd64"
        ));
        assert!(selects("6.12.117", "6.12.117+deb12-cloud-amd64"));
        assert!(!selects("", "6.1"));
    }

    #[test]
    fn newest_by_number() {
        let mut v = vec!["6.12.99+deb12", "6.1.0-9", "6.12.117+deb12", "6.1.0-56"];
        v.sort_by(|a, b| compare(a, b));
        assert_eq!(
            v,
            ["6.1.0-9", "6.1.0-56", "6.12.99+deb12", "6.12.117+deb12"]
        );
    }
}
