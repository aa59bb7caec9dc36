use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
};

use cargo_metadata::{Message, diagnostic::DiagnosticLevel};

use crate::{
    Codegen, Error, Home, KernelTree, Kind, Module, Report, Result, Sysroot, Toolchain,
    codegen::TARGET, module::patch_options, process::spawn_error, shim::Shim,
};

/// What cargo is given besides the crates: one kernel's compiler settings.
pub(crate) struct Cargo<'a> {
    pub home: &'a Home,
    pub tree: &'a KernelTree,
    pub toolchain: &'a Toolchain,
    pub codegen: &'a Codegen,
    pub sysroot: &'a Sysroot,
    pub shim: &'a Shim,
}

/// The archives that one module's object is linked from.
#[derive(Debug)]
pub(crate) struct RustObject {
    pub own: PathBuf,
    pub dependencies: Vec<PathBuf>,
}

impl Cargo<'_> {
    /// The environment in which cargo builds ring-0 crates for this kernel.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut flags = vec![
            "--sysroot".to_owned(),
            self.sysroot.path.display().to_string(),
            "--cfg=MODULE".to_owned(),
            // Every CONFIG_* may be asked about, also those that are off.
            "-Aunexpected_cfgs".to_owned(),
        ];
        flags.extend(self.codegen.for_crates().cloned());
        if let Some(cfg) = self.tree.rustc_cfg() {
            flags.push(format!("@{}", cfg.display()));
        }
        let path = |p: &Path| p.display().to_string();
        vec![
            ("RUSTC".into(), path(&self.toolchain.rustc)),
            ("RUSTC_BOOTSTRAP".into(), "1".into()),
            ("CARGO_ENCODED_RUSTFLAGS".into(), flags.join("\u{1f}")),
            ("CARGO_BUILD_TARGET".into(), TARGET.into()),
            ("KORU_LAYOUT".into(), path(&self.shim.layout)),
        ]
    }

    /// Options that every cargo call on `workspace` needs.
    pub fn options(&self, workspace: &Path) -> Vec<String> {
        // Koru's own workspace names the kernel crate by its path.
        if workspace == self.home.root {
            Vec::new()
        } else {
            patch_options(self.home)
        }
    }

    /// Compiles `modules`, all of one workspace, in one cargo run.
    pub fn build(
        &self,
        modules: &[&Module],
        target_dir: &Path,
        colour: bool,
        report: &dyn Report,
    ) -> Result<Vec<RustObject>> {
        let workspace = &modules[0].workspace;
        let mut command = Command::new("cargo");
        command
            .arg("build")
            .arg("--release")
            .arg("--manifest-path")
            .arg(workspace.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(target_dir)
            .arg(if colour {
                "--message-format=json-diagnostic-rendered-ansi"
            } else {
                "--message-format=json"
            })
            .args(self.options(workspace))
            .envs(self.environment())
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("RUSTFLAGS")
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for module in modules {
            command.arg("--package").arg(&module.package);
        }
        let mut child = command
            .spawn()
            .map_err(|e| spawn_error(&command, "compiling", e))?;
        let stderr = child.stderr.take().expect("piped");
        let stdout = child.stdout.take().expect("piped");
        let said = Mutex::new(String::new());
        let mut rlibs: Vec<(String, PathBuf)> = Vec::new();
        let mut compile_error = false;
        std::thread::scope(|s| {
            s.spawn(|| {
                for line in BufReader::new(stderr).lines().map_while(|l| l.ok()) {
                    if line.trim_start().starts_with("Compiling") {
                        report.status(line.trim());
                    }
                    let mut said = said.lock().expect("no panic while held");
                    said.push_str(&line);
                    said.push('\n');
                }
            });
            for message in Message::parse_stream(BufReader::new(stdout)).map_while(|m| m.ok()) {
                match message {
                    Message::CompilerMessage(m) if is_about_flags(&m.message) => {}
                    Message::CompilerMessage(m) => {
                        compile_error |= matches!(
                            m.message.level,
                            DiagnosticLevel::Error | DiagnosticLevel::Ice
                        );
                        if let Some(text) = m.message.rendered {
                            report.print(text.trim_end());
                        }
                    }
                    Message::CompilerArtifact(a) => {
                        let rlib = a.filenames.iter().find(|f| {
                            f.extension() == Some("rlib")
                                && f.components().any(|c| c.as_str() == TARGET)
                        });
                        if let Some(rlib) = rlib {
                            rlibs.push((a.target.name.replace('-', "_"), rlib.clone().into()));
                        }
                    }
                    _ => {}
                }
            }
        });
        let status = child
            .wait()
            .map_err(|e| spawn_error(&command, "compiling", e))?;
        let names: Vec<&str> = modules.iter().map(|m| m.name.as_str()).collect();
        if !status.success() {
            let mut error = Error::new(
                Kind::Compile,
                format!("compiling {}", names.join(", ")),
                "the code does not compile",
            );
            if !compile_error {
                // Not rustc's word on the code: cargo could not get that far.
                error.kind = Kind::System;
                error.wrong = format!("cargo failed ({status})");
                error = error.output(said.into_inner().expect("no panic while held"));
            }
            return Err(error);
        }
        modules
            .iter()
            .map(|module| {
                let own = rlibs.iter().find(|(n, _)| *n == module.name);
                let (_, own) = own.ok_or_else(|| {
                    Error::new(
                        Kind::Link,
                        format!("compiling {}", module.name),
                        "cargo built no library of this name",
                    )
                    .todo("a module's library has its package's name: remove `name` from [lib]")
                })?;
                Ok(RustObject {
                    own: own.clone(),
                    dependencies: rlibs
                        .iter()
                        .filter(|(n, _)| !modules.iter().any(|m| m.name == *n))
                        .map(|(_, p)| p.clone())
                        .collect(),
                })
            })
            .collect()
    }
}

/// rustc warns of every LLVM feature that it has no name for yet, such as the
/// straight-line-speculation ones; they are ours, not the user's.
fn is_about_flags(diagnostic: &cargo_metadata::diagnostic::Diagnostic) -> bool {
    diagnostic.level == DiagnosticLevel::Warning
        && diagnostic.spans.is_empty()
        && diagnostic.message.contains("`-Ctarget-feature`")
}
