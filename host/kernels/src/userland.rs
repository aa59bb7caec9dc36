// SPDX-License-Identifier: MIT OR Apache-2.0

//! The programs of a kernel's own suite, for machines whose own do not build for that kernel.
//!
//! Kbuild needs the compiler that the kernel was built with, and runs tools that came with the
//! kernel (objtool, modpost, fixdep), which need a C library as new as theirs. Where this
//! machine lacks one of these, a compiler and everything around it are unpacked in the cache.
//! bubblewrap shows them to a command in the place of the machine's `/usr`, so no right is
//! needed, and nothing is installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{
    Apt, Archive, Cache, KernelTree, Key, Progress, merged::MERGED, output, write_atomically,
};

/// The folder of the cache.
const FOLDER: &str = "userlands";

/// The file in a kernel's folder with the name of its userland.
const MARK: &str = "userland";

/// The tools in a build directory that were compiled in the kernel's suite.
const TOOLS: [&str; 3] = [
    "scripts/basic/fixdep",
    "scripts/mod/modpost",
    "tools/objtool/objtool",
];

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

/// Folders of `/usr` that stay the machine's own.
const MACHINES: [&str; 2] = ["/usr/local", "/usr/src"];

const PATH: &str = "/usr/sbin:/usr/bin";

/// A folder with a suite's programs and libraries, in `usr`.
#[derive(Debug, Clone, PartialEq)]
pub struct Userland {
    root: PathBuf,
}

impl Userland {
    /// Returns the folder with the `usr` that takes the place of the machine's.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of a program, which is one only in the userland.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.root.join("usr/bin").join(name);
        // Links are absolute in the userland.
        path.symlink_metadata().is_ok().then_some(path)
    }

    /// Returns the command that runs another one in the userland, with everything else as it is.
    pub fn command(&self, command: &Command) -> Command {
        let usr = self.root.join("usr");
        let mut inside = Command::new("bwrap");
        inside.args(["--die-with-parent", "--dev-bind", "/", "/", "--ro-bind"]);
        inside.arg(&usr).arg("/usr");
        for folder in MACHINES {
            inside.args(["--dev-bind-try", folder, folder]);
        }
        for name in MERGED {
            let at = Path::new("/").join(name);
            if at.is_dir() && !at.is_symlink() {
                inside.arg("--ro-bind").arg(usr.join(name)).arg(at);
            }
        }
        inside
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            inside.current_dir(dir);
        }
        inside.env("PATH", PATH);
        inside
    }

    /// Returns the userland that was chosen for the kernel in this folder of the cache.
    pub(crate) fn chosen(cache: &Cache, kernel: &Path) -> Option<Userland> {
        let name = fs::read_to_string(kernel.join(MARK)).ok()?;
        let root = cache.root().join(FOLDER).join(name.trim());
        root.is_dir().then_some(Userland { root })
    }

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
        let mut wanted: Vec<String> = PROGRAMS.map(str::to_owned).into();
        wanted.push(compiler.clone());
        wanted.extend(libraries(archive.apt(), &apt, &tree.release)?);
        wanted.sort();
        wanted.dedup();
        let names = wanted.iter().map(String::as_str).chain(UNUSED);
        let key = names.fold(Key::default(), |key, name| key.with(name)).hex();
        let name = format!("{suite}-{compiler}-{}", &key[..8]);
        cache.entry(FOLDER, &name, progress, |dir| {
            let mut packages = apt.closure(&wanted)?;
            packages.retain(|package| is_used(package));
            let what = format!("the tools of {suite}");
            apt.unpack_merged(&packages, &what, dir, progress)?;
            complete(dir)
        })?;
        write_atomically(&kernel.join(MARK), name.as_bytes())?;
        Ok(Userland::chosen(cache, kernel))
    }
}

/// What this machine lacks to build for a kernel.
#[derive(Debug, PartialEq)]
pub struct Lacking {
    /// The kernel's compiler, such as `x86_64-linux-gnu-gcc-12`.
    compiler: String,
    has_compiler: bool,
    /// The first tool that does not start, and the reason.
    tool: Option<(String, String)>,
}

impl Lacking {
    /// Returns what this machine lacks, if anything.
    pub fn of(tree: &KernelTree) -> Option<Lacking> {
        let compiler = tree.compiler()?.to_owned();
        let tools = TOOLS.iter().map(|tool| tree.build_dir.join(tool));
        let mut tools = tools.filter(|tool| tool.is_file());
        let lacking = Lacking {
            has_compiler: is_on_path(&compiler),
            compiler,
            tool: tools.find_map(|tool| {
                let name = tool.file_name()?.to_string_lossy().into_owned();
                Some((name, cannot_start(&tool)?))
            }),
        };
        (!lacking.has_compiler || lacking.tool.is_some()).then_some(lacking)
    }

    /// Returns whether the compiler is all that is lacking.
    pub fn is_compiler_only(&self) -> bool {
        self.tool.is_none()
    }

    /// Returns the package of the compiler, if its name is that of one.
    pub fn package(&self) -> Option<String> {
        let name = self.compiler.strip_prefix("x86_64-linux-gnu-");
        let name = name.unwrap_or(&self.compiler);
        let version = name.strip_prefix("gcc-")?;
        let is_number = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| name.to_owned())
    }
}

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let compiler = format!("there is no `{}`", self.compiler);
        match (self.has_compiler, &self.tool) {
            (false, None) => write!(f, "{compiler} here, with which it was built"),
            (true, Some((tool, why))) => write!(f, "its {tool} does not start here: {why}"),
            (_, Some((tool, why))) => {
                write!(f, "{compiler} here, and its {tool} does not start: {why}")
            }
            (true, None) => Ok(()),
        }
    }
}

fn is_on_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Returns why a program cannot be started, in the dynamic linker's words. The program itself
/// is not run.
fn cannot_start(program: &Path) -> Option<String> {
    let mut trace = Command::new(program);
    trace
        .env("LD_TRACE_LOADED_OBJECTS", "1")
        .env("LD_WARN", "1")
        .env("LC_ALL", "C");
    match output(&mut trace, "looking at a tool") {
        Ok(said) => {
            let said = [said.stdout, said.stderr].concat();
            missing(&String::from_utf8_lossy(&said))
        }
        Err(e) => Some(e.message),
    }
}

/// Finds what is missing in the dynamic linker's list: `libelf.so.1 => not found`, or
/// `PROGRAM: LIBRARY: version `GLIBC_2.38' not found (required by PROGRAM)`.
fn missing(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains("not found"))?;
    let version = line
        .split_once("version `")
        .and_then(|(_, rest)| rest.split_once('\''));
    let name = match version {
        Some((version, _)) => version,
        None => line.split_whitespace().next()?,
    };
    Some(format!("{name} is missing"))
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
    for folder in MACHINES {
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
    use crate::{Config, merged::merge_folders};

    fn tree(dir: &Path, compiler: &str) -> KernelTree {
        KernelTree {
            release: "1.2.3".to_owned(),
            build_dir: dir.to_owned(),
            config: Config::parse(&format!("CONFIG_CC_VERSION_TEXT=\"{compiler} (x) 1\"\n")),
            image: None,
            modules_dir: None,
            userland: None,
        }
    }

    #[test]
    fn nothing_is_lacking_where_all_is_here() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Lacking::of(&tree(dir.path(), "sh")), None);
        fs::create_dir_all(dir.path().join("scripts/basic")).unwrap();
        let fixdep = dir.path().join("scripts/basic/fixdep");
        std::os::unix::fs::symlink("/bin/sh", &fixdep).unwrap();
        assert_eq!(Lacking::of(&tree(dir.path(), "sh")), None);
        // What is no program for this machine does not start.
        fs::remove_file(&fixdep).unwrap();
        fs::write(&fixdep, "no program").unwrap();
        let lacking = Lacking::of(&tree(dir.path(), "sh")).unwrap();
        assert!(!lacking.is_compiler_only());
        assert!(lacking.to_string().starts_with("its fixdep does not start"));
    }

    #[test]
    fn compilers_and_their_packages() {
        let dir = tempfile::tempdir().unwrap();
        for (compiler, package) in [
            ("gcc-1", Some("gcc-1")),
            ("x86_64-linux-gnu-gcc-99", Some("gcc-99")),
            ("gcc-none", None),
            ("clang-99", None),
        ] {
            let lacking = Lacking::of(&tree(dir.path(), compiler)).unwrap();
            assert!(lacking.is_compiler_only());
            assert_eq!(lacking.package().as_deref(), package);
            let said = lacking.to_string();
            assert!(
                said.contains(&format!("there is no `{compiler}` here")),
                "{said}"
            );
        }
    }

    #[test]
    fn missing_libraries() {
        let said = "\tlinux-vdso.so.1 (0x7)\n\tlibelf.so.1 => not found\n\tlibc.so.6 => /l (0x1)\n";
        assert_eq!(missing(said).as_deref(), Some("libelf.so.1 is missing"));
        let said = "./objtool: /lib/libc.so.6: version `GLIBC_2.38' not found (required by x)\n";
        assert_eq!(missing(said).as_deref(), Some("GLIBC_2.38 is missing"));
        assert_eq!(missing("\tlibc.so.6 => /lib/libc.so.6 (0x1)\n"), None);
    }

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

    #[test]
    fn chosen_userland_is_that_of_the_mark() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        let kernel = dir.path().join("kernels/1.2.3");
        fs::create_dir_all(&kernel).unwrap();
        assert_eq!(Userland::chosen(&cache, &kernel), None);
        fs::write(kernel.join(MARK), "some\n").unwrap();
        // It was removed.
        assert_eq!(Userland::chosen(&cache, &kernel), None);
        let root = dir.path().join("userlands/some");
        fs::create_dir_all(&root).unwrap();
        assert_eq!(Userland::chosen(&cache, &kernel), Some(Userland { root }));
    }

    #[test]
    fn command_keeps_its_folder_and_variables() {
        let userland = Userland { root: "/u".into() };
        let mut make = Command::new("make");
        make.arg("x")
            .current_dir("/tmp")
            .env("A", "b")
            .env_remove("C");
        let inside = userland.command(&make);
        assert_eq!(inside.get_current_dir(), Some(Path::new("/tmp")));
        let arguments: Vec<_> = inside.get_args().collect();
        assert!(arguments.ends_with(&["--".as_ref(), "make".as_ref(), "x".as_ref()]));
        let envs: Vec<_> = inside.get_envs().collect();
        assert!(envs.contains(&("A".as_ref(), Some("b".as_ref()))));
        assert!(envs.contains(&("C".as_ref(), None)));
    }
}
