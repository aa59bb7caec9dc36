// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru editor`: writes the settings that make rust-analyzer work on modules.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{Builder, find_modules};
use serde_json::{Map, Value, json};

use crate::{cli::EditorArgs, context::Context};

/// Runs `koru editor`, which makes rust-analyzer work on the modules of a folder.
pub fn editor(context: &Context, args: &EditorArgs) -> Result<u8> {
    let folder = match &args.folder {
        Some(folder) => context.cwd.join(folder),
        None => context.cwd.clone(),
    };
    let tree = context.tree(&args.kernel)?;
    let builder = Builder::new(&context.home, &tree, &*context.ui)?;
    let written = write(context, &folder, &builder)?;
    for path in &written {
        context.ui.say(&format!("wrote {}", path.display()));
    }
    if context.json {
        crate::ui::json(&json!({ "written": written }));
    }
    Ok(0)
}

/// Writes the settings, which name this machine's paths and so are for this machine only.
pub fn write(context: &Context, folder: &Path, builder: &Builder) -> Result<Vec<PathBuf>> {
    let mut written = vec![write_vscode(folder, builder)?];
    let outside = !context.belongs_to_checkout(folder);
    if outside && find_modules(&context.home, folder, &[]).is_ok() {
        written.push(write_cargo(context, folder)?);
    }
    Ok(written)
}

fn write_vscode(folder: &Path, builder: &Builder) -> Result<PathBuf> {
    let path = folder.join(".vscode/settings.json");
    let mut settings: Map<String, Value> = match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map_err(|e| {
            Error::new(
                Kind::Usage,
                format!("reading {}", path.display()),
                e.to_string(),
            )
            .help("remove its comments, or move it away, and run this again")
        })?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Map::new(),
        Err(e) => return Err(Error::path("reading", &path, e)),
    };
    let environment: Map<String, Value> = builder
        .environment()
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    // The macros are built by the rustc for ring 0, and only that toolchain's own expander can
    // read them. The editor may find another toolchain.
    let rustc = &builder.toolchain().rustc;
    let server = rustc
        .parent()
        .and_then(Path::parent)
        .map(|prefix| prefix.join("libexec/rust-analyzer-proc-macro-srv"))
        .filter(|server| server.is_file());
    if let Some(server) = server {
        settings.insert("rust-analyzer.procMacro.server".into(), json!(server));
    }
    for (name, value) in [
        ("cargo.extraEnv", Value::Object(environment)),
        ("cargo.sysrootSrc", json!(builder.toolchain().library)),
        ("cargo.target", json!(koru_kbuild::TARGET)),
        ("cargo.targetDir", json!(true)),
        // Ring 0 has no test harness.
        ("check.allTargets", json!(false)),
        ("check.workspace", json!(false)),
    ] {
        settings.insert(format!("rust-analyzer.{name}"), value);
    }
    put(&path, &format!("{:#}\n", Value::Object(settings)))?;
    Ok(path)
}

/// Writes where the kernel crate is, for plain cargo, which the editor calls.
fn write_cargo(context: &Context, folder: &Path) -> Result<PathBuf> {
    let path = folder.join(".cargo/config.toml");
    let root = &context.home.root;
    put(
        &path,
        &format!(
            "[patch.crates-io]\nkoru-kernel.path = {:?}\nkoru-testing.path = {:?}\n",
            root.join("kernel/kernel"),
            root.join("guest/testing")
        ),
    )?;
    Ok(path)
}

fn put(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .path_context("writing", path)
}
