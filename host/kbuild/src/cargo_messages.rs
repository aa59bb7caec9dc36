// SPDX-License-Identifier: MIT OR Apache-2.0

//! Takes what cargo and rustc report while they compile modules.

use std::{collections::BTreeMap, fs, path::Path, process::ExitStatus};

use cargo_metadata::{
    CompilerMessage, Message,
    diagnostic::{Diagnostic, DiagnosticLevel},
};
use koru_error::{Error, Hint, Kind};
use koru_kernels::Progress;

use crate::{
    artifact::{Artifact, package},
    dependency::Dependency,
    lacking_apis::LackingApis,
    rust_hints::{Hints, missing_library},
};

/// What cargo reported about the compilation of modules.
#[derive(Default)]
pub(crate) struct Heard {
    pub status: Option<ExitStatus>,
    pub rlibs: Vec<Artifact>,
    pub compile_error: bool,
    pub unfit: Unfit,
    /// What cargo said to people.
    pub said: String,
    hints: Hints,
    lacking: LackingApis,
    colour: bool,
}

impl Heard {
    pub fn new(colour: bool, lacking: LackingApis) -> Heard {
        Heard {
            colour,
            lacking,
            ..Heard::default()
        }
    }

    pub fn success(&self) -> bool {
        self.status.is_some_and(|s| s.success())
    }

    /// Takes a line of cargo's JSON.
    pub fn message(&mut self, line: &str, progress: &dyn Progress) {
        let Some(Ok(message)) = Message::parse_stream(line.as_bytes()).next() else {
            return;
        };
        match message {
            Message::CompilerMessage(m) if is_about_flags(&m.message) => {}
            // One missing library makes many errors in a dependency.
            Message::CompilerMessage(m) if self.unfit.is_about(&m) => {}
            Message::CompilerMessage(m) => {
                let lacking = self.lacking.once(&m.message);
                let hint = lacking.or_else(|| self.hints.once(&m.message).map(str::to_owned));
                self.compile_error |= matches!(
                    m.message.level,
                    DiagnosticLevel::Error | DiagnosticLevel::Ice
                );
                if let Some(text) = m.message.rendered {
                    progress.print(text.trim_end());
                }
                if let Some(hint) = hint {
                    let (bold, plain) = match self.colour {
                        true => ("\x1b[1m", "\x1b[0m"),
                        false => ("", ""),
                    };
                    progress.print(&format!("{bold}help{plain}: {hint}\n"));
                }
            }
            Message::CompilerArtifact(a) => self.rlibs.extend(Artifact::of(a)),
            _ => {}
        }
    }

    /// Returns what was said about APIs that the kernel lacks.
    pub fn lacking_hints(&self) -> Vec<Hint> {
        let told = self.lacking.told().into_iter();
        let hint = |message| Hint {
            message,
            place: None,
            edits: Vec::new(),
            example: None,
        };
        told.map(hint).collect()
    }

    /// Takes a line for people.
    pub fn text(&mut self, line: &str, progress: &dyn Progress) {
        let line_start = line.trim_start();
        if ["Compiling", "Blocking"]
            .iter()
            .any(|begin| line_start.starts_with(begin))
        {
            progress.status(line.trim());
        }
        self.said.push_str(line);
        self.said.push('\n');
    }
}

/// The dependencies that need a library which modules do not have.
#[derive(Default)]
pub(crate) struct Unfit(BTreeMap<String, (Dependency, &'static str, bool)>);

impl Unfit {
    /// Returns whether a message is an error of a dependency that needs `std` or `alloc`.
    fn is_about(&mut self, message: &CompilerMessage) -> bool {
        let id = &message.package_id.repr;
        // Packages in folders are the user's own, and Koru's.
        if id.starts_with("path+") || message.message.level == DiagnosticLevel::Warning {
            return false;
        }
        if self.0.contains_key(id) {
            return true;
        }
        let (Some(library), Some(package)) = (missing_library(&message.message), package(id))
        else {
            return false;
        };
        let has_feature = has_std_feature(message.target.src_path.as_std_path());
        self.0.insert(id.clone(), (package, library, has_feature));
        true
    }

    pub fn error(&self, modules: &str) -> Option<Error> {
        let (first, library, has_feature) = self.0.values().next()?;
        let needs = self.0.values().map(|(package, library, _)| {
            format!("`{} v{}` needs `{library}`", package.name, package.version)
        });
        let needs: Vec<String> = needs.collect();
        let help = match has_feature {
            true => format!(
                "it has a feature for that, which is on by default: {} = {{ version = \"{}\", \
                 default-features = false }}",
                first.name, first.version
            ),
            false => format!(
                "`cargo tree --invert {}` says what depends on it; look for a crate without \
                 `{library}`, or for its functions in the `kernel` crate",
                first.name
            ),
        };
        let dependency = if needs.len() == 1 {
            "dependency"
        } else {
            "dependencies"
        };
        Some(
            Error::new(
                Kind::Link,
                format!("compiling {modules}"),
                format!(
                    "the {dependency} {}, which a module does not have",
                    needs.join(", ")
                ),
            )
            .help(help),
        )
    }
}

/// Returns whether the crate with this root has `std` or `alloc` among its default features.
fn has_std_feature(root: &Path) -> bool {
    let mut manifests = root.ancestors().map(|dir| dir.join("Cargo.toml"));
    let text = manifests.find_map(|manifest| fs::read_to_string(manifest).ok());
    let text = text.unwrap_or_default();
    let default = text
        .split_once("\ndefault = [")
        .and_then(|(_, rest)| rest.split_once(']'));
    default.is_some_and(|(list, _)| list.contains("\"std\"") || list.contains("\"alloc\""))
}

/// Returns whether a warning is about the compiler's flags. rustc warns about every LLVM
/// feature for which it has no name yet, such as those against straight-line speculation; Koru
/// sets these flags, not the user.
fn is_about_flags(diagnostic: &Diagnostic) -> bool {
    diagnostic.level == DiagnosticLevel::Warning
        && diagnostic.spans.is_empty()
        && diagnostic.message.contains("`-Ctarget-feature`")
}
