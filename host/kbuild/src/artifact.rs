// SPDX-License-Identifier: MIT OR Apache-2.0

//! The archives that cargo makes of crates.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{TARGET, dependency::Dependency};

/// What an archive begins with that contains its members.
const MAGIC: &[u8; 8] = b"!<arch>\n";

/// A crate that cargo has compiled for the kernel.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// The crate's package.
    pub dependency: Dependency,
    /// The name of the library.
    pub name: String,
    pub rlib: PathBuf,
    /// The source file of the crate's root.
    pub root: PathBuf,
}

impl Artifact {
    pub fn of(artifact: cargo_metadata::Artifact) -> Option<Artifact> {
        let rlib = artifact.filenames.iter().find(|f| {
            f.extension() == Some("rlib") && f.components().any(|c| c.as_str() == TARGET)
        })?;
        Some(Artifact {
            dependency: package(&artifact.package_id.repr)?,
            name: artifact.target.name.replace('-', "_"),
            rlib: rlib.clone().into(),
            root: artifact.target.src_path.into(),
        })
    }

    /// Checks that the archive is one, and in the target folder. A build script could have put
    /// anything in its place, and the linker would follow the instructions in a text file.
    pub fn check(&self, target_dir: &Path) -> Result<()> {
        let is_inside = || {
            let target = target_dir.canonicalize().ok()?;
            let file = self.rlib.canonicalize().ok()?;
            (file.starts_with(target) && file.is_file()).then_some(file)
        };
        let begins_as_archive = |file: PathBuf| {
            let mut begin = [0; MAGIC.len()];
            let read = File::open(file).and_then(|mut file| file.read_exact(&mut begin));
            read.is_ok() && begin == *MAGIC
        };
        match is_inside().is_some_and(begins_as_archive) {
            true => Ok(()),
            false => {
                let message = format!("{} is not an archive of rustc", self.rlib.display());
                Err(
                    Error::new(Kind::Link, format!("linking {}", self.name), message)
                        .help("`koru clean` removes what was built"),
                )
            }
        }
    }

    /// Returns the files that the crate was compiled from.
    pub fn sources(&self, workspace: &Path) -> Result<Vec<PathBuf>> {
        // `NAME-HASH.d` is next to `libNAME-HASH.rlib`.
        let stem = self.rlib.file_stem().and_then(|n| n.to_str());
        let stem = stem.and_then(|n| n.strip_prefix("lib")).unwrap_or_default();
        let info = self.rlib.with_file_name(format!("{stem}.d"));
        let text = fs::read_to_string(&info).path_context("reading", &info)?;
        let files = sources_in(&text).into_iter();
        Ok(files.map(|file| workspace.join(file)).collect())
    }
}

/// Parses a package id: `SOURCE#NAME@VERSION`, or `SOURCE/NAME#VERSION`.
pub(crate) fn package(id: &str) -> Option<Dependency> {
    let (source, rest) = id.rsplit_once('#')?;
    let (name, version) = rest
        .split_once('@')
        .unwrap_or((source.rsplit('/').next()?, rest));
    Some(Dependency {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// Returns the sources in a dep-info file of rustc, which has make's form: `OUTPUT: SOURCE
/// SOURCE ..`, with a line for each output.
fn sources_in(dep_info: &str) -> Vec<String> {
    let first = dep_info.lines().next().unwrap_or_default();
    let files = first.split_once(": ").map_or("", |(_, files)| files);
    // A blank in a path is preceded by a backslash.
    let files = files.replace("\\ ", "\0");
    let files = files.split(' ').filter(|f| !f.is_empty());
    files.map(|f| f.replace('\0', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_in_all_forms() {
        let of = |id: &str| package(id).map(|p| format!("{} {}", p.name, p.version));
        for (id, wanted) in [
            ("path+file:///w/modules/hello#0.1.0", "hello 0.1.0"),
            (
                "path+file:///w/kernel/kernel#koru-kernel@0.1.0",
                "koru-kernel 0.1.0",
            ),
            (
                "registry+https://index#itoa@1.0.18+meta",
                "itoa 1.0.18+meta",
            ),
        ] {
            assert_eq!(of(id).as_deref(), Some(wanted));
        }
        assert_eq!(of("hello"), None);
    }

    #[test]
    fn archives_are_in_the_target_folder() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        fs::create_dir(&target).unwrap();
        let is_good = |path: &Path| {
            let artifact = Artifact {
                dependency: package("path+file:///w/hello#0.1.0").unwrap(),
                name: "hello".into(),
                rlib: path.to_owned(),
                root: PathBuf::new(),
            };
            artifact.check(&target).is_ok()
        };
        let [good, outside] = [target.join("good"), dir.path().join("outside")];
        for file in [&good, &outside] {
            fs::write(file, "!<arch>\nmembers").unwrap();
        }
        assert!(is_good(&good));
        assert!(!is_good(&outside));
        let link = target.join("link");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        assert!(!is_good(&link));
        for text in ["INPUT(/etc/passwd)", "!<thin>\nnames", ""] {
            fs::write(&good, text).unwrap();
            assert!(!is_good(&good), "{text}");
        }
        assert!(!is_good(&target));
        assert!(!is_good(&target.join("none")));
    }

    #[test]
    fn sources_of_a_crate() {
        let text = "/t/a.d: src/lib.rs /r/with\\ blank/b.rs\n\n/t/a.rlib: src/lib.rs x.rs\n";
        assert_eq!(sources_in(text), ["src/lib.rs", "/r/with blank/b.rs"]);
        assert!(sources_in("").is_empty());
        assert!(sources_in("/t/a.d: \n").is_empty());
    }
}
