// SPDX-License-Identifier: MIT OR Apache-2.0

//! Says which of a project's settings for cargo do not count, because they can name programs.

use std::{fs, path::Path};

use koru_kbuild::{Module, PATCHED, make_real_folders, repository};
use koru_kernels::{Home, Progress, write_atomically};
use toml::Table;

/// Tables that make no difference to what is built.
const INDIFFERENT: [&str; 10] = [
    "alias",
    "cache",
    "cargo-new",
    "credential-alias",
    "doc",
    "future-incompat",
    "http",
    "install",
    "net",
    "term",
];

/// The settings of the table `build` that make a difference.
const BUILD: [&str; 4] = [
    "rustc",
    "rustc-wrapper",
    "rustc-workspace-wrapper",
    "rustflags",
];

/// Prints what does not count, unless that was printed for an earlier build. Returns the text.
pub fn tell(home: &Home, modules: &[Module], progress: &dyn Progress) -> Option<String> {
    let foreign = modules.iter().filter(|m| m.workspace != home.root);
    let ignored = |m| Some((m, ignored(home, m)?));
    let all: Vec<(&Module, String)> = foreign.filter_map(ignored).collect();
    for (module, text) in &all {
        let told = module.target_dir.join("koru/.settings-told");
        if fs::read_to_string(&told).ok().as_ref() == Some(text) {
            continue;
        }
        progress.print(&format!("note: {text}"));
        // If this fails, the next build says it again.
        let _ = make_real_folders(&module.target_dir, &["koru"])
            .and_then(|()| write_atomically(&told, text.as_bytes()));
    }
    all.into_iter().next().map(|(_, text)| text)
}

/// Returns what does not count of the settings of a module's project.
fn ignored(home: &Home, module: &Module) -> Option<String> {
    let top = repository(&module.dir).unwrap_or(&module.workspace);
    let folders = module.dir.ancestors();
    // A module may be in the checkout, which has settings of its own.
    let folders = folders.take_while(|dir| dir.starts_with(top) && *dir != home.root);
    let found: Vec<String> = folders.flat_map(in_folder).collect();
    (!found.is_empty()).then(|| {
        format!(
            "koru builds without {}; settings that it should use belong in the file \
             .cargo/config.toml of your home (docs/sandbox.md)",
            found.join(", ")
        )
    })
}

fn in_folder(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for name in [".cargo/config.toml", ".cargo/config"] {
        let file = dir.join(name);
        let text = fs::read_to_string(&file).unwrap_or_default();
        let keys = text.parse().map(|table: Table| relevant(&table));
        let keys = keys.unwrap_or_default();
        if !keys.is_empty() {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            found.push(format!("{} of {}", keys.join(" and "), file.display()));
        }
    }
    for name in ["rust-toolchain.toml", "rust-toolchain"] {
        let file = dir.join(name);
        found.extend(file.is_file().then(|| file.display().to_string()));
    }
    found
}

/// Returns the names of the settings that make a difference to what is built.
fn relevant(settings: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in settings {
        let inner = value.as_table().into_iter().flatten();
        match key.as_str() {
            key if INDIFFERENT.contains(&key) => {}
            "build" => {
                let inner = inner.filter(|(name, _)| BUILD.contains(&name.as_str()));
                found.extend(inner.map(|(name, _)| format!("build.{name}")));
            }
            "patch" => {
                let packages = inner.filter_map(|(_, p)| p.as_table()).flatten();
                let others =
                    packages.filter(|(name, _)| !PATCHED.iter().any(|(ours, _)| name == ours));
                found.extend(others.map(|(name, _)| format!("patch of {name}")));
            }
            key => found.push(key.to_owned()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_matter() {
        let of = |text: &str| relevant(&text.parse().unwrap()).join(" ");
        assert_eq!(of(""), "");
        assert_eq!(of("[alias]\nb = \"build\"\n[build]\njobs = 2\n"), "");
        assert_eq!(
            of("[patch.crates-io]\nkoru-kernel.path = \"/k\"\nkoru-testing.path = \"/t\"\n"),
            ""
        );
        assert_eq!(
            of("[patch.crates-io]\nkoru-kernel.path = \"/k\"\nitoa.path = \"/i\"\n"),
            "patch of itoa"
        );
        assert_eq!(
            of(
                "[build]\nrustc-wrapper = \"w\"\n[env]\nX = \"1\"\n[source.crates-io]\n\
                replace-with = \"v\"\n[target.x86_64-unknown-linux-gnu]\nlinker = \"l\"\n"
            ),
            "build.rustc-wrapper env source target"
        );
    }
}
