// SPDX-License-Identifier: MIT OR Apache-2.0

//! A kernel's build directory and its configuration.

use std::{
    collections::HashMap,
    fs,
    path::{Component, Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{cache::Key, symvers::Symvers, userland::Userland, x86};

/// A kernel's `.config`.
#[derive(Debug, Clone, Default)]
pub struct Config(HashMap<String, String>);

impl Config {
    pub fn parse(text: &str) -> Config {
        let mut map = HashMap::new();
        for line in text.lines() {
            if let Some((key, value)) = line.strip_prefix("CONFIG_").and_then(|l| l.split_once('='))
            {
                map.insert(key.to_owned(), value.trim_matches('"').to_owned());
            }
        }
        Config(map)
    }

    /// Returns the value of `CONFIG_<name>`, without quotes.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns rustc's options that tell code what is configured, a line each, as kernels since
    /// 6.1 have them in `include/generated/rustc_cfg`.
    pub fn rustc_options(&self) -> String {
        let mut options: Vec<(&String, &String)> = self.0.iter().collect();
        options.sort();
        let mut text = String::new();
        for (name, value) in options {
            if matches!(&**value, "y" | "m") {
                text += &format!("--cfg=CONFIG_{name}\n");
            }
            let value = value.replace('\\', r"\\").replace('"', r#"\""#);
            text += &format!("--cfg=CONFIG_{name}=\"{value}\"\n");
        }
        text
    }

    /// Returns whether `CONFIG_<name>` is built in.
    pub fn yes(&self, name: &str) -> bool {
        self.get(name) == Some("y")
    }
}

/// A kernel's build directory, as Kbuild needs it, and what boots that kernel, if known.
#[derive(Debug, Clone)]
pub struct KernelTree {
    /// The release, such as `6.12.117+deb12-cloud-amd64`.
    pub release: String,
    /// The directory that `make -C` takes.
    pub build_dir: PathBuf,
    pub config: Config,
    /// The bootable image, for a guest.
    pub image: Option<PathBuf>,
    /// The folder of the kernel's own modules, `lib/modules/RELEASE`.
    pub modules_dir: Option<PathBuf>,
    /// The tools of the kernel's own suite, if this machine's do not build for this kernel.
    pub userland: Option<Userland>,
}

impl KernelTree {
    /// Reads a build directory: any `KDIR`.
    pub fn open(build_dir: &Path) -> Result<KernelTree> {
        let attempted = format!("reading the kernel build directory {}", build_dir.display());
        let fail = |message: String| {
            Error::new(Kind::Usage, attempted.clone(), message).help(
                "give the directory that `make -C` would take, such as \
                 /lib/modules/$(uname -r)/build of a kernel whose headers are installed",
            )
        };
        let build_dir = build_dir.canonicalize().map_err(|e| fail(e.to_string()))?;
        for needed in ["Makefile", ".config", "include/generated/autoconf.h"] {
            if !build_dir.join(needed).is_file() {
                let error = fail(format!("it has no {needed}"));
                return Err(match build_dir.join("Kconfig").is_file() {
                    true => error.help(
                        "these are sources that are not built: there, `make olddefconfig` and \
                         `make bzImage modules`",
                    ),
                    false => error,
                });
            }
        }
        let config_path = build_dir.join(".config");
        let config =
            Config::parse(&fs::read_to_string(&config_path).path_context("reading", &config_path)?);
        if !config.yes(x86::CONFIG) {
            return Err(fail("it is not for x86_64, the only one supported".into()));
        }
        if !config.yes("MODULES") {
            return Err(fail("this kernel takes no modules (CONFIG_MODULES)".into()));
        }
        let release = release(&build_dir).ok_or_else(|| {
            fail("neither include/config/kernel.release nor utsrelease.h names its release".into())
        })?;
        // A tree that was built in place contains its image.
        let image = [
            build_dir.join(x86::IMAGE),
            PathBuf::from(format!("/boot/vmlinuz-{release}")),
        ]
        .into_iter()
        .find(|i| fs::File::open(i).is_ok());
        let modules = PathBuf::from(format!("/lib/modules/{release}"));
        Ok(KernelTree {
            image,
            modules_dir: modules.join("modules.dep").is_file().then_some(modules),
            release,
            build_dir,
            config,
            userland: None,
        })
    }

    /// Returns the name of the compiler that the kernel was built with.
    pub fn compiler(&self) -> Option<&str> {
        self.config
            .get("CC_VERSION_TEXT")?
            .split_whitespace()
            .next()
    }

    /// Returns the folders that a build for this kernel reads: the build directory, and those
    /// that its links and its Makefile lead to.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.build_dir.clone()];
        let mut next = 0;
        while let Some(folder) = folders.get(next).cloned() {
            next += 1;
            let makefile = fs::read_to_string(folder.join("Makefile")).unwrap_or_default();
            let included = included_folders(&makefile).map(|f| folder.join(f));
            let links = fs::read_dir(&folder).into_iter().flatten().flatten();
            let links = links.filter_map(|e| fs::read_link(e.path()).ok());
            let links = links.map(|target| folder.join(target));
            for found in included.chain(links) {
                let Ok(real) = found.canonicalize() else {
                    continue;
                };
                // The way to it may be a link that is in none of the folders.
                for path in [real, without_dots(&found)] {
                    if path.is_dir() && !folders.iter().any(|f| path.starts_with(f)) {
                        folders.push(path);
                    }
                }
            }
        }
        folders
    }

    /// Returns the file of `--cfg CONFIG_*` flags, which Kbuild writes for Rust even where
    /// Rust is turned off.
    pub fn rustc_cfg(&self) -> Option<PathBuf> {
        Some(self.build_dir.join("include/generated/rustc_cfg")).filter(|p| p.is_file())
    }

    /// Returns the file of one of the kernel's own modules, which may be compressed.
    pub fn own_module(&self, name: &str) -> Option<PathBuf> {
        let dir = self.modules_dir.as_ref()?;
        // The kernel's build lists its modules, uncompressed, as `kernel/fs/ext4/ext4.ko`.
        let list = fs::read_to_string(dir.join("modules.order")).ok()?;
        let is_it = |line: &&str| {
            let file = line.rsplit('/').next().unwrap_or_default();
            let stem = file.split('.').next().unwrap_or_default();
            stem.replace('-', "_") == name
        };
        let file = dir.join(list.lines().find(is_it)?);
        ["", ".xz", ".zst", ".gz"].iter().find_map(|ending| {
            let mut path = file.clone().into_os_string();
            path.push(ending);
            Some(PathBuf::from(path)).filter(|path| path.is_file())
        })
    }

    /// Returns whether modules can use this symbol of the kernel, according to
    /// `Module.symvers`.
    pub fn exports(&self, symbol: &str) -> bool {
        Symvers::read(&self.build_dir).export(symbol).is_some()
    }

    /// Returns the largest stack frame, in bytes, that a function may have without a warning,
    /// or `None` if the config has no limit.
    pub fn frame_limit(&self) -> Option<u64> {
        frame_limit(&self.config)
    }

    /// Returns a hash of everything in the tree that a built object depends on.
    pub fn key(&self) -> Result<Key> {
        let mut key = Key::default()
            .with(&self.release)
            .with(self.build_dir.as_os_str().as_encoded_bytes())
            .add_file(&self.build_dir.join("include/generated/autoconf.h"))?;
        if let Some(userland) = &self.userland {
            key = key.with(userland.root().as_os_str().as_encoded_bytes());
        }
        for name in ["Module.symvers", ".kernelvariables"] {
            let path = self.build_dir.join(name);
            if path.is_file() {
                key = key.add_file(&path)?;
            }
        }
        Ok(key)
    }
}

/// Returns the folders of the other Makefiles that a Makefile includes. A path after make's
/// functions is relative to the Makefile's folder.
fn included_folders(makefile: &str) -> impl Iterator<Item = &Path> {
    makefile
        .lines()
        .filter_map(|line| line.strip_prefix("include "))
        .filter_map(|rest| rest.trim().strip_suffix("/Makefile"))
        .map(|path| Path::new(path.rsplit(')').next().unwrap_or(path)))
}

/// Resolves `..` by the names in a path, links or not.
fn without_dots(path: &Path) -> PathBuf {
    path.components()
        .fold(PathBuf::new(), |mut plain, component| {
            match component {
                Component::ParentDir => drop(plain.pop()),
                other => plain.push(other),
            }
            plain
        })
}

fn frame_limit(config: &Config) -> Option<u64> {
    let limit = config.get("FRAME_WARN")?.parse().ok()?;
    (limit > 0).then_some(limit)
}

/// Returns the release that modules of this tree are built for. Debian's `kernel.release` is
/// the upstream version, so the header, which vermagic is made from, comes first.
fn release(build_dir: &Path) -> Option<String> {
    header_release(build_dir).or_else(|| {
        let text = fs::read_to_string(build_dir.join("include/config/kernel.release")).ok()?;
        Some(text.trim().to_owned())
    })
}

/// Returns the release in the header from which vermagic is made.
pub(crate) fn header_release(build_dir: &Path) -> Option<String> {
    let header = build_dir.join("include/generated/utsrelease.h");
    let text = fs::read_to_string(header).ok()?;
    let (_, rest) = text.split_once("UTS_RELEASE \"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_for_rustc_are_those_of_the_kernel() {
        let config = Config::parse(
            "CONFIG_COMPAT=y\nCONFIG_EXT4_FS=m\n# CONFIG_KASAN is not set\nCONFIG_HZ=250\n\
             CONFIG_CC_VERSION_TEXT=\"gcc-10 (Debian)\"\n",
        );
        let options = "--cfg=CONFIG_CC_VERSION_TEXT=\"gcc-10 (Debian)\"\n\
                       --cfg=CONFIG_COMPAT\n--cfg=CONFIG_COMPAT=\"y\"\n\
                       --cfg=CONFIG_EXT4_FS\n--cfg=CONFIG_EXT4_FS=\"m\"\n\
                       --cfg=CONFIG_HZ=\"250\"\n";
        assert_eq!(config.rustc_options(), options);
    }

    #[test]
    fn makefiles_of_other_folders() {
        let makefile = "# include x/Makefile\ninclude $(dir $(abspath $(lastword \
                        $(MAKEFILE_LIST))))../common/Makefile\ninclude /src/linux 6/Makefile\n\
                        include $(srctree)/scripts/Kbuild.include\n";
        let folders: Vec<_> = included_folders(makefile).collect();
        assert_eq!(folders, [Path::new("../common"), Path::new("/src/linux 6")]);
    }

    #[test]
    fn folders_that_a_build_reads() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["build/include", "common", "lib/scripts", "other"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("build/Makefile"), "include ../common/Makefile\n").unwrap();
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, root.join(at)).unwrap();
        link("include", "build/near");
        link("nowhere", "build/gone");
        // A folder that leads back.
        link("../build", "common/source");
        link("../lib/scripts", "common/scripts");
        let tree = KernelTree {
            release: String::new(),
            build_dir: root.join("build"),
            config: Config::default(),
            image: None,
            modules_dir: None,
            userland: None,
        };
        let folders = ["build", "common", "lib/scripts"].map(|f| root.join(f));
        assert_eq!(tree.folders(), folders);
        // The common folder is elsewhere.
        fs::rename(root.join("common"), root.join("other/common")).unwrap();
        fs::remove_file(root.join("other/common/scripts")).unwrap();
        link("other/common", "common");
        let folders = ["build", "other/common", "common"].map(|f| root.join(f));
        assert_eq!(tree.folders(), folders);
    }

    #[test]
    fn limits_of_stack_frames() {
        let of = |config: &str| frame_limit(&Config::parse(config));
        assert_eq!(of("CONFIG_FRAME_WARN=1024\n"), Some(1024));
        assert_eq!(of("CONFIG_FRAME_WARN=0\n"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn config_values() {
        let c = Config::parse(
            "# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=\"gcc 12\"\nCONFIG_D=16\nCONFIG_E=m\n",
        );
        assert!(!c.yes("A") && c.yes("B") && !c.yes("E"));
        assert_eq!(c.get("C"), Some("gcc 12"));
        assert_eq!(c.get("D"), Some("16"));
    }

    #[test]
    fn a_folder_that_is_no_tree() {
        let dir = tempfile::tempdir().unwrap();
        let e = KernelTree::open(dir.path()).unwrap_err();
        assert_eq!(e.kind, Kind::Usage);
        assert!(e.message.contains("Makefile"), "{e}");
        for file in ["Makefile", "Kconfig"] {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let e = KernelTree::open(dir.path()).unwrap_err();
        assert!(e.message.contains(".config"), "{e}");
        assert!(e.help.unwrap().contains("make olddefconfig"));
    }
}
