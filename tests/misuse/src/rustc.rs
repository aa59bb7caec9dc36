// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs rustc with a kernel's flags and the kernel crate that is built for that kernel.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cargo_metadata::Message;
use koru_kbuild::Builder;
use koru_kernels::{Cache, Home, Kernels, NoProgress};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget};

/// One error of rustc.
#[derive(Debug)]
pub struct Diagnostic {
    pub code: Option<String>,
    pub message: String,
    /// The lines of the file that the error is about, including those of macro calls.
    pub lines: Vec<usize>,
    pub rendered: String,
}

/// The result of one compilation.
pub struct Compiled {
    pub errors: Vec<Diagnostic>,
    /// The functions that reach `build_error!`.
    pub build_errors: Vec<String>,
}

/// A compiler for ring-0 code.
pub struct Rustc {
    program: PathBuf,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Rustc {
    /// Creates a compiler for the kernel of `KORU_KERNEL`, or for the default kernel without it.
    /// Builds the kernel crate for that kernel first.
    pub fn new() -> Result<Rustc, String> {
        let say = |e: koru_error::Error| e.to_string();
        let home = Home::find().map_err(say)?;
        let kernels = Kernels::new(&Cache::new(&home.cache));
        let wanted = env::var("KORU_KERNEL").ok();
        let tree = kernels.find(wanted.as_deref()).map_err(say)?;
        let builder = Builder::new(&home, &tree, &NoProgress).map_err(say)?;
        let environment = builder.environment();
        let target = home
            .root
            .join("target/koru")
            .join(&tree.release)
            .join("cargo");
        let libraries = build(&home.root, &target, &environment)?;
        let mut flags: Vec<String> = environment
            .iter()
            .filter(|(name, _)| name == "CARGO_ENCODED_RUSTFLAGS")
            .flat_map(|(_, flags)| flags.split('\u{1f}').map(str::to_owned))
            .collect();
        // These are the flags for a module's own crate.
        let fixed = "--edition=2021 --crate-type=rlib --error-format=json -Copt-level=2 -Aunused";
        flags.extend(fixed.split(' ').map(str::to_owned));
        flags.push(format!("--target={}", koru_kbuild::TARGET));
        for library in libraries {
            let (name, file) = library;
            if name == "kernel" {
                flags.push(format!("--extern=kernel={}", file.display()));
            }
            if let Some(folder) = file.parent() {
                flags.push(format!("-Ldependency={}", folder.display()));
            }
        }
        // Procedural macros are built for the host.
        flags.push(format!(
            "-Ldependency={}",
            target.join("release/deps").display()
        ));
        Ok(Rustc {
            program: builder.toolchain().rustc.clone(),
            flags,
            environment,
        })
    }

    /// Compiles a file, with or without `cfg(misuse)`.
    pub fn compile(&self, file: &Path, misuse: bool, codegen: bool) -> Result<Compiled, String> {
        let wrong = |what: &dyn std::fmt::Display| format!("compiling {}: {what}", file.display());
        let out = tempfile::tempdir().map_err(|e| wrong(&e))?;
        let object = out.path().join("out");
        let mut rustc = Command::new(&self.program);
        rustc
            .args(&self.flags)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .arg(match codegen {
                true => format!("--emit=obj={}", object.display()),
                false => format!("--emit=metadata={}", object.display()),
            })
            .args(["-Ccodegen-units=1", "--check-cfg=cfg(misuse)"])
            .arg(file)
            // rustc writes types that are too long for a message to a file in this folder.
            .current_dir(out.path());
        if misuse {
            rustc.arg("--cfg=misuse");
        }
        let output = rustc.stdin(Stdio::null()).output().map_err(|e| wrong(&e))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let errors = errors(&said, file)?;
        if output.status.success() == errors.is_empty() {
            let build_errors = match codegen && output.status.success() {
                true => build_errors(&object)?,
                false => Vec::new(),
            };
            return Ok(Compiled {
                errors,
                build_errors,
            });
        }
        Err(wrong(&format!(
            "rustc ended with {}:\n{said}",
            output.status
        )))
    }
}

/// Builds the kernel crate, and returns the libraries by name.
fn build(
    root: &Path,
    target: &Path,
    environment: &[(String, String)],
) -> Result<Vec<(String, PathBuf)>, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("building the kernel crate: {what}");
    let output = Command::new("cargo")
        .args([
            "build",
            "--locked",
            "--release",
            "-p",
            "koru-kernel",
            "--message-format=json-render-diagnostics",
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(root)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .stdin(Stdio::null())
        .output()
        .map_err(|e| wrong(&e))?;
    if !output.status.success() {
        return Err(wrong(&String::from_utf8_lossy(&output.stderr)));
    }
    let mut libraries = Vec::new();
    for message in Message::parse_stream(&*output.stdout).map_while(|m| m.ok()) {
        if let Message::CompilerArtifact(artifact) = message {
            let rlib = artifact
                .filenames
                .iter()
                .find(|f| f.extension() == Some("rlib"));
            if let Some(rlib) = rlib.filter(|f| f.as_str().contains(koru_kbuild::TARGET)) {
                libraries.push((artifact.target.name.clone(), rlib.clone().into()));
            }
        }
    }
    match libraries.iter().any(|(name, _)| name == "kernel") {
        true => Ok(libraries),
        false => Err(wrong(&"cargo names no library `kernel`")),
    }
}

/// Returns the errors about `file` in rustc's JSON output.
fn errors(said: &str, file: &Path) -> Result<Vec<Diagnostic>, String> {
    let mut errors = Vec::new();
    for line in said.lines() {
        let Ok(message) = serde_json::from_str::<Json>(line) else {
            continue;
        };
        // The summary at the end has no place and no code.
        let sums_up = message.spans.is_empty() && message.code.is_none();
        if !message.level.starts_with("error")
            || (sums_up && message.message.starts_with("aborting"))
        {
            continue;
        }
        let mut lines = BTreeSet::new();
        for span in message.spans.iter().filter(|span| span.is_primary) {
            lines.extend(span.lines_in(file));
        }
        errors.push(Diagnostic {
            code: message.code.map(|code| code.code),
            message: message.message,
            lines: lines.into_iter().collect(),
            rendered: message.rendered.unwrap_or_default(),
        });
    }
    Ok(errors)
}

#[derive(serde::Deserialize)]
struct Json {
    message: String,
    level: String,
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
    rendered: Option<String>,
}

#[derive(serde::Deserialize)]
struct Code {
    code: String,
}

#[derive(serde::Deserialize)]
struct Span {
    file_name: PathBuf,
    line_start: usize,
    is_primary: bool,
    expansion: Option<Box<Expansion>>,
}

#[derive(serde::Deserialize)]
struct Expansion {
    span: Span,
}

impl Span {
    /// Returns the innermost line in `file`: that of the code itself, or that of the macro's call.
    fn lines_in(&self, file: &Path) -> Option<usize> {
        if self.file_name == file {
            return Some(self.line_start);
        }
        self.expansion.as_ref()?.span.lines_in(file)
    }
}

/// Returns the functions of an object that refer to the function behind `build_error!`.
fn build_errors(object: &Path) -> Result<Vec<String>, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("reading {}: {what}", object.display());
    let bytes = fs::read(object).map_err(|e| wrong(&e))?;
    let file = object::File::parse(&*bytes).map_err(|e| wrong(&e))?;
    let mut functions = BTreeSet::new();
    for section in file.sections() {
        for (offset, relocation) in section.relocations() {
            let RelocationTarget::Symbol(target) = relocation.target() else {
                continue;
            };
            let target = file.symbol_by_index(target).map_err(|e| wrong(&e))?;
            if target.name() != Ok("rust_build_error") {
                continue;
            }
            let of = file.symbols().find(|s| {
                s.section_index() == Some(section.index())
                    && (s.address()..s.address() + s.size()).contains(&offset)
            });
            let name = of.and_then(|s| s.name().ok().map(str::to_owned));
            functions.insert(name.unwrap_or_else(|| "a nameless function".into()));
        }
    }
    Ok(functions.into_iter().collect())
}
