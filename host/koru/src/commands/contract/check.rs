// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks a contract: its solutions keep it, and its wrong modules break what they should.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_judge::{Contract, Seed, Verdict};
use koru_kernels::{KernelTree, nearest};
use serde::Serialize;

use crate::{
    cli::ContractCheckArgs,
    context::Context,
    judging::{
        findings::Findings,
        folders,
        judge::{Judging, build_and_judge},
    },
    ui::{self, json},
};

/// The file of a wrong module that names what it breaks, one name a line. Without it, a wrong
/// module breaks the promise of the folder's name.
const BREAKS: &str = "breaks";

/// What was found out about one module of the contract.
#[derive(Serialize)]
struct Checked {
    module: String,
    /// What it should break.
    breaks: Vec<String>,
    /// What is not as it should be.
    wrong: Vec<String>,
    points: f64,
    of: f64,
}

pub fn check(context: &Context, args: &ContractCheckArgs) -> Result<u8> {
    let contract = folders::contract(context, &args.contract, Seed(args.seed))?;
    let tree = context.tree(&args.kernel)?;
    let solutions = modules(&contract.folder.join("solution"))?;
    // A wrong name is found before anything is judged.
    let wrong = folders_in(&contract.folder.join("wrong"))?;
    let wrong = wrong.into_iter().map(|module| {
        let breaks = breaks(&contract, &module)?;
        Ok((module, breaks))
    });
    let wrong: Vec<(PathBuf, Vec<String>)> = wrong.collect::<Result<_>>()?;
    let mut checked = Vec::new();
    for solution in &solutions {
        checked.push(one(context, &contract, &tree, solution, Vec::new())?);
    }
    let count_wrong = wrong.len();
    for (module, breaks) in wrong {
        checked.push(one(context, &contract, &tree, &module, breaks)?);
    }
    context.ui.done();
    let is_good = checked.iter().all(|c| c.wrong.is_empty());
    if context.json {
        json(&serde_json::json!({
            "contract": contract.name,
            "kernel": tree.release,
            "modules": checked,
        }));
    } else {
        for one in &checked {
            let verdict = match (&one.wrong[..], &one.breaks[..]) {
                ([], []) => "keeps all promises".to_owned(),
                ([], breaks) => format!("breaks {}, as it should", breaks.join(", ")),
                (wrong, _) => format!("WRONG: {}", wrong.join("\n       ")),
            };
            ui::out(&format!("{}: {verdict}", one.module));
        }
        if solutions.is_empty() {
            ui::out("the contract has no solution: no module shows that it can be kept");
        }
        let count = contract.promises.len();
        ui::out(&format!(
            "{}: {count} promises, {} points, {} solutions, {} wrong modules, on {}",
            contract.name,
            contract.points(),
            solutions.len(),
            count_wrong,
            tree.release
        ));
    }
    Ok(u8::from(!is_good))
}

/// Judges one module of the contract.
fn one(
    context: &Context,
    contract: &Contract,
    tree: &KernelTree,
    source: &Path,
    breaks: Vec<String>,
) -> Result<Checked> {
    let judging = Judging {
        context,
        contract,
        filters: &[],
        limit: None,
        interrupted: Arc::default(),
    };
    let shown = source.strip_prefix(&contract.folder).unwrap_or(source);
    context.ui.say(&format!("{}:", shown.display()));
    let findings = build_and_judge(&judging, tree, source)?;
    Ok(Checked {
        module: shown.display().to_string(),
        wrong: differences(&findings, &breaks),
        points: findings.points,
        of: findings.of,
        breaks,
    })
}

/// Returns what a module breaks but should not, and what it should break but does not.
fn differences(findings: &Findings, breaks: &[String]) -> Vec<String> {
    if let Some(output) = &findings.build_output {
        return vec![format!("it does not build: {output}")];
    }
    let mut wrong = Vec::new();
    for result in &findings.promises {
        let should = breaks.contains(&result.name);
        match result.result {
            Verdict::Fail | Verdict::Crash if !should => {
                wrong.push(format!("breaks {}: {}", result.name, result.words()));
            }
            Verdict::Pass | Verdict::Undecided if should => {
                wrong.push(format!("does not break {}", result.name));
            }
            // What needs a promise that is broken is not tried.
            Verdict::Undecided | Verdict::NotTried if breaks.is_empty() => {
                wrong.push(format!("{}: {}", result.name, result.words()));
            }
            _ => {}
        }
    }
    wrong
}

/// Returns the promises and rules that a wrong module should break.
fn breaks(contract: &Contract, folder: &Path) -> Result<Vec<String>> {
    let file = folder.join(BREAKS);
    let promises = contract.promises.iter().map(|p| p.name.as_str());
    let known: Vec<&str> = promises
        .chain(contract.always.rules().map(|r| r.name))
        .collect();
    let names: Vec<String> = match file.is_file() {
        true => {
            let text = fs::read_to_string(&file).path_context("reading", &file)?;
            text.split_whitespace().map(str::to_owned).collect()
        }
        false => {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            vec![name.into_owned()]
        }
    };
    for name in &names {
        if !known.contains(&name.as_str()) {
            let near = nearest(name, known.iter().copied());
            let attempted = format!("reading what {} should break", folder.display());
            let message = format!("the contract has no promise `{name}`");
            let near = match &near[..] {
                [] => format!("there are {}", known.join(", ")),
                near => format!("did you mean {}?", near.join(" or ")),
            };
            let help = format!("{near}\na file `{BREAKS}` in the folder names other promises");
            return Err(Error::new(Kind::Usage, attempted, message).help(help));
        }
    }
    Ok(names)
}

/// Returns the solutions: the folder itself, or the folders in it if it has nothing else.
fn modules(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut entries = fs::read_dir(folder).path_context("reading", folder)?;
    match entries.any(|e| e.is_ok_and(|e| e.path().is_file())) {
        true => Ok(vec![folder.to_owned()]),
        false => folders_in(folder),
    }
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).path_context("reading", folder)?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}
