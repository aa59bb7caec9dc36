// SPDX-License-Identifier: MIT OR Apache-2.0

//! Adds kernels from package files of any distribution: Debian's and Ubuntu's, Fedora's and those
//! like it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Component, Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{
    KernelTree, Kernels, Progress,
    packages::settle_headers,
    process::run,
    remote_headers::{build_dirs, relative, relocate, relocate_makefile},
    rpm,
    suite_tools::{choose, no_tools},
};

/// The formats of package files.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Format {
    Deb,
    Rpm,
}

impl Format {
    fn of(file: &str) -> Option<Format> {
        match file.rsplit_once('.')?.1 {
            "deb" => Some(Format::Deb),
            "rpm" => Some(Format::Rpm),
            _ => None,
        }
    }

    /// Returns the packages that have a kernel's headers.
    fn headers(self, release: &str) -> String {
        match self {
            Format::Deb => format!("linux-headers-{release}"),
            Format::Rpm => format!("kernel-devel-{}", plain(release)),
        }
    }

    /// Returns the package that has a kernel's image.
    fn image(self, release: &str) -> String {
        match self {
            // The newest of Debian's have it in a package of its own.
            Format::Deb => format!("linux-image-{release} or linux-binary-{release}"),
            Format::Rpm => format!("kernel-core-{}", plain(release)),
        }
    }

    /// Returns the package that has a kernel's modules.
    fn modules(self, release: &str) -> String {
        match self {
            Format::Deb => format!("linux-modules-{release}"),
            Format::Rpm => format!("kernel-modules-core-{}", plain(release)),
        }
    }
}

/// Returns the version in the names of packages: the release without the name of the machine.
fn plain(release: &str) -> &str {
    release.strip_suffix(".x86_64").unwrap_or(release)
}

/// Returns whether this is the name of a package file.
pub fn is_package(name: &str) -> bool {
    Format::of(name).is_some()
}

impl Kernels {
    /// Adds the kernel that these package files make up.
    ///
    /// # Errors
    ///
    /// `Kind::Usage` if the files are not those of one kernel, or if what its builds need is not
    /// among them.
    pub fn add_files(&self, files: &[PathBuf], progress: &dyn Progress) -> Result<KernelTree> {
        let attempted = "adding a kernel from package files";
        let dir = self.cache().root().join("kernels");
        fs::create_dir_all(&dir).path_context("making", &dir)?;
        let unpacked = tempfile::Builder::new()
            .prefix(".files.")
            .tempdir_in(&dir)
            .path_context("making a folder in", &dir)?;
        let unpacked = unpacked.path();
        let mut format = Format::Deb;
        for file in files {
            let name = file.display().to_string();
            progress.status(&format!("unpacking {name}"));
            format = Format::of(&name).ok_or_else(|| {
                Error::new(Kind::Usage, attempted, format!("{name} is no package"))
                    .help("give files whose names end in .deb or .rpm, and nothing else")
            })?;
            unpack(file, format, unpacked)?;
        }
        let found = Found::of(unpacked, format)
            .map_err(|message| Error::new(Kind::Usage, attempted, message.0).help(message.1))?;
        let release = found.release.clone();
        if self.exactly(&release).is_some() {
            let message = format!("{release} is listed already");
            return Err(Error::new(Kind::Usage, attempted, message)
                .help(format!("run `koru kernel remove {release}` first")));
        }
        let place = self.cache().entry("kernels", &release, progress, |dir| {
            for entry in fs::read_dir(unpacked).path_context("reading", unpacked)? {
                let from = entry.path_context("reading", unpacked)?.path();
                let to = dir.join(from.file_name().unwrap_or_default());
                fs::rename(&from, &to).path_context("moving", &from)?;
            }
            symlink(&found.build_dir, dir.join("tree")).path_context("linking in", dir)
        })?;
        let mut tree = self.find(Some(&release))?;
        for note in found.notes {
            progress.print(&format!("note: {note}"));
        }
        match choose(self.cache(), &place, &tree, &release, progress) {
            Ok(userland) => tree.userland = userland,
            // The kernel is here all the same, and boots.
            Err(e) => progress.print(&no_tools(&release, &e)),
        }
        Ok(tree)
    }
}

fn unpack(file: &Path, format: Format, dir: &Path) -> Result<()> {
    // dpkg-deb has its own words for a file that is not there.
    fs::File::open(file).map_err(|e| {
        Error::new(
            Kind::Usage,
            format!("reading {}", file.display()),
            e.to_string(),
        )
    })?;
    match format {
        Format::Rpm => rpm::unpack(file, dir),
        Format::Deb => {
            let attempted = format!("unpacking {}", file.display());
            run(
                Command::new("dpkg-deb").arg("-x").arg(file).arg(dir),
                &attempted,
            )
            .map(drop)
            .map_err(|e| match e.kind {
                Kind::Missing => e.help("dpkg-deb is in the package dpkg of most distributions"),
                _ => e.help("the file is not a whole package: get it again"),
            })
        }
    }
}

/// What is in the unpacked packages.
struct Found {
    release: String,
    /// The build directory, relative to the folder.
    build_dir: PathBuf,
    notes: Vec<String>,
}

impl Found {
    /// Finds the kernel in a folder, and makes its headers usable there. An error has what is
    /// wrong, and what to do.
    fn of(dir: &Path, format: Format) -> Result<Found, (String, String)> {
        let builds = build_dirs(dir);
        let images = images(dir);
        let (build_dir, release) = match (builds.as_slice(), images.as_slice()) {
            ([one], _) => one.clone(),
            ([], [image, ..]) => {
                return Err((
                    format!("the headers of {image} are missing"),
                    format!("give {} too", format.headers(image)),
                ));
            }
            ([], []) => {
                return Err((
                    "they contain no kernel".into(),
                    "give the packages of one kernel: its headers, with those that they need, and \
                     its image"
                        .into(),
                ));
            }
            (several, _) => {
                let names: Vec<&str> = several.iter().map(|(_, r)| r.as_str()).collect();
                return Err((
                    format!("they belong to several kernels: {}", names.join(", ")),
                    "add one kernel after the other".into(),
                ));
            }
        };
        if let Some(other) = images.iter().find(|image| **image != release) {
            return Err((
                format!("they belong to several kernels: {release}, {other}"),
                format!("give {} in its place", format.image(&release)),
            ));
        }
        let check = |e: Error| (e.to_string(), "check the packages".to_owned());
        relocate(dir, dir).map_err(check)?;
        if let Some(package) = other_half(dir, &build_dir) {
            return Err((
                format!("the headers of {release} need files of another package"),
                format!("give {package} too"),
            ));
        }
        relocate_makefile(dir, &build_dir)
            .and_then(|()| settle_headers(&build_dir))
            .map_err(check)?;
        let mut notes = Vec::new();
        if images.is_empty() {
            let image = format.image(&release);
            notes.push(format!(
                "the image is missing, so no guest can boot this kernel: give {image} too (after \
                 `koru kernel remove {release}`)"
            ));
        } else if !has_modules(dir, &release) {
            let modules = format.modules(&release);
            notes.push(format!(
                "the kernel's own modules are missing, which yours may need: give {modules} too \
                 (after `koru kernel remove {release}`)"
            ));
        }
        Ok(Found {
            build_dir: relative(dir, &build_dir),
            release,
            notes,
        })
    }
}

/// Returns the releases whose images are in a folder.
fn images(dir: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in fs::read_dir(dir.join("boot"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        found.extend(name.strip_prefix("vmlinuz-").map(str::to_owned));
    }
    for modules in ["lib/modules", "usr/lib/modules"] {
        let releases = fs::read_dir(dir.join(modules))
            .into_iter()
            .flatten()
            .flatten();
        let with_image = releases.filter(|e| e.path().join("vmlinuz").is_file());
        found.extend(with_image.map(|e| e.file_name().to_string_lossy().into_owned()));
    }
    found.sort();
    found.dedup();
    found
}

fn has_modules(dir: &Path, release: &str) -> bool {
    let mut places = ["lib/modules", "usr/lib/modules"].iter();
    places.any(|modules| dir.join(modules).join(release).join("kernel").is_dir())
}

/// Returns the package that a build directory leads to but that is not there: Debian's and
/// Ubuntu's headers consist of two parts, and Debian's tools are in a third one.
fn other_half(dir: &Path, build_dir: &Path) -> Option<String> {
    let links = fs::read_dir(build_dir).into_iter().flatten().flatten();
    let links = links.filter_map(|e| {
        let target = fs::read_link(e.path()).ok()?;
        // A link to documentation may lead nowhere in all packages.
        (!e.path().exists()).then(|| build_dir.join(target))
    });
    let makefile = fs::read_to_string(build_dir.join("Makefile")).unwrap_or_default();
    let included = makefile.lines().filter_map(|line| {
        let path = line.strip_prefix("include ")?.trim();
        let path = path.rsplit(')').next().unwrap_or(path);
        let path = match path.strip_prefix('/') {
            Some(inside) => dir.join(inside),
            None => build_dir.join(path),
        };
        (path.file_name().is_some_and(|f| f == "Makefile") && !path.exists()).then_some(path)
    });
    let mut missing = included.chain(links);
    missing.find_map(|path| {
        let package = path.components().rev().find_map(|part| match part {
            Component::Normal(part) => {
                let part = part.to_string_lossy();
                let begins = ["linux-headers-", "linux-kbuild-"];
                begins
                    .iter()
                    .any(|b| part.starts_with(b))
                    .then(|| part.into_owned())
            }
            _ => None,
        });
        package.filter(|package| !build_dir.ends_with(package))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes files, or links where the content begins with an arrow.
    fn lay(dir: &Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match content.strip_prefix("-> ") {
                Some(target) => symlink(target, &path).unwrap(),
                None => fs::write(&path, content).unwrap(),
            }
        }
    }

    fn of(format: Format, files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Found, String>) {
        let dir = tempfile::tempdir().unwrap();
        lay(dir.path(), files);
        let found = Found::of(dir.path(), format);
        (
            dir,
            found.map_err(|(message, help)| format!("{message}: {help}")),
        )
    }

    const HEADERS: [(&str, &str); 2] = [
        (
            "usr/src/linux-headers-6.8.0-1-generic/Makefile",
            "-> ../linux-headers-6.8.0-1/Makefile",
        ),
        (
            "usr/src/linux-headers-6.8.0-1-generic/include/generated/utsrelease.h",
            "#define UTS_RELEASE \"6.8.0-1-generic\"\n",
        ),
    ];
    const COMMON: (&str, &str) = ("usr/src/linux-headers-6.8.0-1/Makefile", "all:\n");
    const IMAGE: (&str, &str) = ("boot/vmlinuz-6.8.0-1-generic", "x");
    const MODULES: (&str, &str) = ("lib/modules/6.8.0-1-generic/kernel/fs/ext4.ko", "x");

    #[test]
    fn ubuntus_packages() {
        let [makefile, release] = HEADERS;
        let (_dir, found) = of(Format::Deb, &[makefile, release, COMMON, IMAGE, MODULES]);
        let found = found.unwrap();
        assert_eq!(found.release, "6.8.0-1-generic");
        assert_eq!(
            found.build_dir,
            Path::new("usr/src/linux-headers-6.8.0-1-generic")
        );
        assert!(found.notes.is_empty(), "{:?}", found.notes);
        for (files, said) in [
            (
                &[makefile, release, IMAGE][..],
                "give linux-headers-6.8.0-1 too",
            ),
            (&[IMAGE, MODULES], "give linux-headers-6.8.0-1-generic too"),
            (&[COMMON], "they contain no kernel"),
            (
                &[
                    makefile,
                    release,
                    COMMON,
                    ("boot/vmlinuz-6.8.0-2-generic", "x"),
                ],
                "several kernels: 6.8.0-1-generic, 6.8.0-2-generic",
            ),
        ] {
            let Err(message) = of(Format::Deb, files).1 else {
                panic!("{said}");
            };
            assert!(message.contains(said), "{message}");
        }
        for (files, note) in [
            (
                &[makefile, release, COMMON][..],
                "give linux-image-6.8.0-1-generic or linux-binary-6.8.0-1-generic too",
            ),
            (
                &[makefile, release, COMMON, IMAGE],
                "give linux-modules-6.8.0-1-generic too",
            ),
        ] {
            let notes = of(Format::Deb, files).1.unwrap().notes;
            assert!(notes[0].contains(note), "{notes:?}");
        }
    }

    #[test]
    fn debians_packages() {
        let headers = [
            (
                "usr/src/linux-headers-6.12.9+deb13-amd64/Makefile",
                "include /usr/src/linux-headers-6.12.9+deb13-common/Makefile\n",
            ),
            (
                "usr/src/linux-headers-6.12.9+deb13-amd64/include/generated/utsrelease.h",
                "#define UTS_RELEASE \"6.12.9+deb13-amd64\"\n",
            ),
            (
                "usr/src/linux-headers-6.12.9+deb13-amd64/scripts",
                "-> /usr/lib/linux-kbuild-6.12.9+deb13/scripts",
            ),
        ];
        let common = (
            "usr/src/linux-headers-6.12.9+deb13-common/Makefile",
            "all:\n",
        );
        let kbuild = ("usr/lib/linux-kbuild-6.12.9+deb13/scripts/mod/modpost", "x");
        let [makefile, release, scripts] = headers;
        let (dir, found) = of(Format::Deb, &[makefile, release, scripts, common, kbuild]);
        assert_eq!(found.unwrap().release, "6.12.9+deb13-amd64");
        let tree = dir.path().join("usr/src/linux-headers-6.12.9+deb13-amd64");
        assert!(tree.join("scripts/mod/modpost").is_file());
        let text = fs::read_to_string(tree.join("Makefile")).unwrap();
        assert!(!text.contains("/usr/src"), "{text}");
        for (files, said) in [
            (
                &[makefile, release, scripts, kbuild][..],
                "linux-headers-6.12.9+deb13-common too",
            ),
            (
                &[makefile, release, scripts, common],
                "linux-kbuild-6.12.9+deb13 too",
            ),
        ] {
            let Err(message) = of(Format::Deb, files).1 else {
                panic!("{said}");
            };
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn fedoras_packages() {
        let release = "6.19.2-300.fc44.x86_64";
        let of = |files: &[(&str, &str)]| {
            let files: Vec<(String, String)> = files
                .iter()
                .map(|(path, text)| (path.replace("R/", &format!("{release}/")), (*text).into()))
                .collect();
            let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&**a, &**b)).collect();
            of(Format::Rpm, &files)
        };
        let uts = format!("#define UTS_RELEASE \"{release}\"\n");
        let devel = [
            ("usr/src/kernels/R/Makefile", "all:\n"),
            ("usr/src/kernels/R/include/generated/utsrelease.h", &*uts),
        ];
        let core = ("lib/modules/R/vmlinuz", "x");
        let found = of(&[devel[0], devel[1], core, ("lib/modules/R/kernel/x.ko", "x")])
            .1
            .unwrap();
        assert_eq!(found.build_dir, Path::new("usr/src/kernels").join(release));
        assert!(found.notes.is_empty(), "{:?}", found.notes);
        let notes = of(&devel).1.unwrap().notes;
        assert!(
            notes[0].contains("give kernel-core-6.19.2-300.fc44 too"),
            "{notes:?}"
        );
        let message = of(&[core]).1.err().unwrap();
        assert!(
            message.contains("give kernel-devel-6.19.2-300.fc44 too"),
            "{message}"
        );
    }
}
