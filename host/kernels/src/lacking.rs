// SPDX-License-Identifier: MIT OR Apache-2.0

//! What this machine lacks to build for a kernel.

use std::{path::Path, process::Command};

use crate::{KernelTree, output};

/// The tools in a build directory that were compiled in the kernel's suite.
const TOOLS: [&str; 3] = [
    "scripts/basic/fixdep",
    "scripts/mod/modpost",
    "tools/objtool/objtool",
];

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

    /// Returns whether the output of a failed build is about what is lacking. Another compiler may
    /// have built the module, and found an error in it.
    pub fn explains(&self, said: &str) -> bool {
        let of_compiler = |line: &str| {
            let ends = ["not found", "No such file or directory"];
            line.contains(&self.compiler) && ends.iter().any(|end| line.trim_end().ends_with(end))
        };
        let of_linker = [
            "version `GLIBC",
            "while loading shared libraries",
            "Exec format error",
        ];
        (!self.has_compiler && said.lines().any(of_compiler))
            || (self.tool.is_some() && of_linker.iter().any(|words| said.contains(words)))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Config;

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
    fn failed_builds_are_explained_by_what_they_say() {
        let compiler = Lacking {
            compiler: "gcc-10".into(),
            has_compiler: false,
            tool: None,
        };
        assert!(compiler.explains("/bin/sh: 1: x86_64-linux-gnu-gcc-10: not found\n"));
        assert!(compiler.explains("make[2]: gcc-10: No such file or directory\nmake: Error 2"));
        assert!(!compiler.explains("a.c:1:10: error: `x' undeclared\nmake: gcc-12 failed"));
        let tool = Lacking {
            has_compiler: true,
            tool: Some(("objtool".into(), "GLIBC_2.38 is missing".into())),
            ..compiler
        };
        assert!(tool.explains("objtool: libc.so.6: version `GLIBC_2.38' not found"));
        assert!(!tool.explains("a.c:1:10: fatal error: x.h: No such file or directory"));
    }

    #[test]
    fn missing_libraries() {
        let said = "\tlinux-vdso.so.1 (0x7)\n\tlibelf.so.1 => not found\n\tlibc.so.6 => /l (0x1)\n";
        assert_eq!(missing(said).as_deref(), Some("libelf.so.1 is missing"));
        let said = "./objtool: /lib/libc.so.6: version `GLIBC_2.38' not found (required by x)\n";
        assert_eq!(missing(said).as_deref(), Some("GLIBC_2.38 is missing"));
        assert_eq!(missing("\tlibc.so.6 => /lib/libc.so.6 (0x1)\n"), None);
    }
}
