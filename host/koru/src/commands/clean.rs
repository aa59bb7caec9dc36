// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru clean`: removes what was built, and with `--cache` what was downloaded.

use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use indicatif::HumanBytes;
use koru_error::{Error, Result};
use koru_kbuild::{Module, Source, find_modules};

use crate::{cache_usage, cli::CleanArgs, context::Context, ui::json};

const DAY: Duration = Duration::from_secs(24 * 3600);

pub fn clean(context: &Context, args: &CleanArgs) -> Result<u8> {
    let removed = Removed::default();
    let status = clean_all(context, args, &removed)?;
    if context.json {
        json(&serde_json::json!({ "removed": removed.take() }));
    }
    Ok(status)
}

/// The paths that were removed.
type Removed = RefCell<Vec<PathBuf>>;

fn clean_all(context: &Context, args: &CleanArgs, removed: &Removed) -> Result<u8> {
    let remove = |context: &Context, path: &Path| remove(context, path, removed);
    if args.unused_for.is_some() || args.max_size.is_some() {
        trim_cache(context, args, removed)?;
        if args.modules.is_empty() {
            return Ok(0);
        }
    } else if args.cache {
        // The folder itself stays: it may be a mount, or chosen by the user.
        for kind in [
            "kernels",
            "sysroots",
            "shims",
            "crates",
            "tools",
            "guest",
            "targets",
            "modules",
            "unpacked",
            "tests",
            "loaded",
            "archive",
            "userlands",
        ] {
            remove(context, &context.home.cache.join(kind))?;
        }
        if args.modules.is_empty() {
            return Ok(0);
        }
    }
    let mut crates = Vec::new();
    for source in context.sources(&args.modules)? {
        match source {
            Source::Crate(module) => crates.push(module),
            Source::Kbuild(source) => remove(context, &source.home(&context.cache)?)?,
            Source::RustFile(file) => {
                let home = file.home(&context.cache)?;
                remove_module(context, &file.package(&context.cache)?, removed)?;
                remove(context, &home)?;
            }
            Source::Prebuilt(_) => {}
        }
    }
    for module in &crates {
        match crates.len() == find_modules(&context.home, &module.workspace, &[])?.len() {
            true => remove(context, &module.target_dir.join("koru"))?,
            false => remove_module(context, module, removed)?,
        }
    }
    Ok(0)
}

/// Removes what the cache has too much of.
fn trim_cache(context: &Context, args: &CleanArgs, removed: &Removed) -> Result<()> {
    let unused_for = args.unused_for.map(|days| days * DAY);
    let max_bytes = args.max_size.map(|mib| mib.saturating_mul(1 << 20));
    let entries = cache_usage::entries(&context.cache);
    let before: u64 = entries.iter().map(|entry| entry.bytes).sum();
    let superfluous = cache_usage::superfluous(entries, unused_for, max_bytes);
    let freed: u64 = superfluous.iter().map(|entry| entry.bytes).sum();
    for entry in &superfluous {
        remove(context, &entry.path, removed)?;
    }
    let left = before - freed;
    context.ui.say(&format!(
        "freed {}; the cache takes {}",
        HumanBytes(freed),
        HumanBytes(left)
    ));
    if max_bytes.is_some_and(|max| left > max) {
        context.ui.say(
            "note: the rest are downloads: `koru kernel remove` removes a kernel, and \
             `koru clean --cache` everything",
        );
    }
    Ok(())
}

/// Removes the output of one module for every kernel, and leaves what it shares with others.
fn remove_module(context: &Context, module: &Module, removed: &Removed) -> Result<()> {
    let remove = |context: &Context, path: &Path| remove(context, path, removed);
    let output = module.target_dir.join("koru");
    for kernel in fs::read_dir(&output).into_iter().flatten().flatten() {
        let dir = kernel.path();
        for file in [
            format!("{}.ko", module.name),
            format!("{}.ko.debug", module.name),
            format!(".{}.stamp", module.name),
        ] {
            remove(context, &dir.join(file))?;
        }
        remove(context, &dir.join("kbuild").join(&module.name))?;
    }
    Ok(())
}

fn remove(context: &Context, path: &Path, list: &Removed) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Ok(()) => {
            context.ui.say(&format!("removed {}", path.display()));
            list.borrow_mut().push(path.to_owned());
            Ok(())
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::path("removing", path, e)),
    }
}
