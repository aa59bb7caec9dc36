// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru kernel`: lists, adds, removes and chooses kernels.

use std::path::PathBuf;

use koru_error::{Error, Kind, Result};
use koru_kbuild::Builder;
use koru_kernels::{
    Archive, DebugFlavour, Installed, KernelTree, Lacking, Offered, Progress, is_package, today,
};

use crate::{
    cli::KernelCommand,
    context::Context,
    ui::{json, out, table},
};

pub fn kernel(context: &Context, command: &KernelCommand) -> Result<u8> {
    match command {
        KernelCommand::List => list(context)?,
        KernelCommand::Search { what } => search(context, what.as_deref().unwrap_or_default())?,
        KernelCommand::Add { what, default } => add(context, what, *default)?,
        KernelCommand::Remove { kernel } => {
            let release = context.kernels.remove(kernel, &*context.ui)?;
            if context.json {
                json(&serde_json::json!({ "removed": release }));
            }
            context.ui.say(&format!("removed {release}"));
        }
        KernelCommand::Default { kernel: None } => {
            let release = context.kernels.find(None)?.release;
            match context.json {
                true => json(&serde_json::json!({ "default": release })),
                false => out(&release),
            }
        }
        KernelCommand::Default {
            kernel: Some(kernel),
        } => {
            let release = make_default(context, kernel)?;
            if context.json {
                json(&serde_json::json!({ "default": release }));
            }
        }
    }
    Ok(0)
}

/// One line of what can be added.
#[derive(serde::Serialize)]
struct Found {
    #[serde(flatten)]
    offered: Offered,
    installed: bool,
}

fn search(context: &Context, what: &str) -> Result<()> {
    let archive = Archive::open(&context.cache, what, &*context.ui)?;
    context.ui.status("asking apt for kernels");
    let offered = archive.offered(what)?;
    let missing = archive.missing(what)?;
    context.ui.done();
    let here = context.kernels.releases();
    let rows: Vec<Found> = offered
        .into_iter()
        .map(|offered| Found {
            installed: here.contains(&offered.release),
            offered,
        })
        .collect();
    if context.json {
        json(&serde_json::json!({ "kernels": rows, "missing_suites": missing }));
        return Ok(());
    }
    for suite in missing {
        context.ui.say(&format!(
            "note: the suite {suite} is not to be had ({}): the archive no longer has it, or its \
             package lists could not be fetched",
            today()
        ));
    }
    if rows.is_empty() {
        return Err(Error::new(
            Kind::Usage,
            format!("searching for kernels `{what}`"),
            "the archive has none",
        )
        .help("`koru kernel search` lists them all"));
    }
    let lines: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let installed = if row.installed { "added" } else { "" };
            let suites = row.offered.suites.join(", ");
            vec![row.offered.release, suites, installed.into()]
        })
        .collect();
    out(&table(&["KERNEL", "SUITE", ""], &lines));
    Ok(())
}

fn make_default(context: &Context, kernel: &str) -> Result<String> {
    let release = context.kernels.set_default(kernel)?;
    context.ui.say(&format!("{release} is the default now"));
    Ok(release)
}

fn add(context: &Context, what: &[String], default: bool) -> Result<()> {
    let tree = match what {
        [one] if !is_package(one) => match DebugFlavour::of(one) {
            Some(flavour) => context.kernels.add_debug(one, flavour, &*context.ui)?,
            None => context.kernels.add(one, &*context.ui)?,
        },
        // Only package files come in numbers.
        files => {
            let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            context.kernels.add_files(&files, &*context.ui)?
        }
    };
    let refusal = try_out(context, &tree)?;
    context.ui.done();
    if default {
        make_default(context, &tree.release)?;
    }
    let current = context.kernels.default_release();
    if context.json {
        json(&serde_json::json!({
            "release": tree.release,
            "default": current.as_ref() == Some(&tree.release),
            "refusal": refusal,
        }));
        return Ok(());
    }
    let note = match tree.image {
        Some(_) => "",
        None => "  (build only: no kernel image to boot)",
    };
    out(&format!("{}{note}", tree.release));
    if let Some(refusal) = refusal {
        context.ui.say(&format!(
            "note: Koru cannot build for this kernel: {refusal}"
        ));
    }
    if let Some(lacking) = Lacking::of(&tree).filter(|_| tree.userland.is_none()) {
        context.ui.say(&format!(
            "note: this machine cannot build for this kernel: {lacking}"
        ));
    }
    if let Some(current) = current.filter(|current| *current != tree.release) {
        context.ui.say(&format!(
            "the default is still {current}; `koru kernel default {}` changes that",
            tree.release
        ));
    }
    Ok(())
}

/// Builds what all modules have in common, so that an error in it is reported now.
fn try_out(context: &Context, tree: &KernelTree) -> Result<Option<String>> {
    match Builder::new(&context.home, tree, &*context.ui) {
        Ok(_) => Ok(None),
        // Something that is not set up yet is not this kernel's fault.
        Err(Error {
            kind: Kind::Missing,
            ..
        }) => Ok(None),
        Err(e) if e.kind == Kind::Link => Ok(Some(e.message)),
        Err(e) => Err(e),
    }
}

/// One line of the list.
#[derive(serde::Serialize)]
struct Row {
    #[serde(flatten)]
    installed: Installed,
    /// The reason why nothing can be built for this kernel, if known.
    refusal: Option<String>,
}

fn list(context: &Context) -> Result<()> {
    let rows: Vec<Row> = context
        .kernels
        .list()?
        .into_iter()
        .map(|installed| Row {
            refusal: refusal(context, &installed),
            installed,
        })
        .collect();
    if context.json {
        json(&rows);
        return Ok(());
    }
    if rows.is_empty() {
        context.ui.say(
            "no kernels yet: `koru setup` downloads Debian's 6.1 and 6.12, `koru kernel add` adds \
             others",
        );
        return Ok(());
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|Row { installed, refusal }| {
            let support = match (installed.supported, refusal) {
                (_, Some(_)) => "does not build",
                (Some(_), None) => "tested",
                (None, None) => "not tested",
            };
            let from = match installed.downloaded {
                true => "downloaded".into(),
                false => installed.build_dir.display().to_string(),
            };
            let default = if installed.default { "default" } else { "" };
            let guest = if installed.bootable {
                "boots"
            } else {
                "build only"
            };
            vec![
                installed.release.clone(),
                default.into(),
                support.into(),
                guest.into(),
                from,
            ]
        })
        .collect();
    out(&table(&["KERNEL", "", "KORU", "GUEST", "FROM"], &lines));
    for Row { installed, refusal } in &rows {
        if let Some(refusal) = refusal {
            out(&format!("\n{}: {refusal}", installed.release));
        }
    }
    Ok(())
}

fn refusal(context: &Context, installed: &Installed) -> Option<String> {
    let tree = context.kernels.exactly(&installed.release)?.ok()?;
    Builder::known_refusal(&context.home, &tree)
}
