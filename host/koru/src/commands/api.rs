// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru api`: shows which kernels have which APIs of the `kernel` crate.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{Builder, Probe};
use koru_kernels::{KernelTree, short_names};
use serde::Serialize;

use crate::{
    cli::ApiArgs,
    context::Context,
    ui::{json, out, table},
};

/// What is known about one kernel: the probes that it passes, or why nothing is known.
struct Kernel {
    release: String,
    passed: Result<BTreeSet<String>, String>,
}

/// An API, or something else that only some kernels have.
#[derive(Serialize)]
struct Row {
    /// The path in the `kernel` crate, or the probe's name.
    name: String,
    /// The first release that has it, or the option of the config; `None` if every kernel has it.
    since: Option<String>,
    change: Option<String>,
    /// For each release, whether it has it; `None` if that is not known.
    kernels: BTreeMap<String, Option<bool>>,
}

impl Row {
    fn new(name: &str, probe: Option<&Probe>, kernels: &[Kernel]) -> Row {
        let has = |kernel: &Kernel| {
            let passed = kernel.passed.as_ref().ok()?;
            Some(probe.is_none_or(|probe| passed.contains(&probe.name)))
        };
        let has = kernels.iter().map(|k| (k.release.clone(), has(k)));
        Row {
            name: name.to_owned(),
            since: probe.map(|probe| probe.since.clone()),
            change: probe.map(|probe| probe.change.clone()),
            kernels: has.collect(),
        }
    }

    /// Returns the row's cells for the kernels in this order.
    fn cells(&self, kernels: &[Kernel]) -> Vec<String> {
        let of = |kernel: &Kernel| match self.kernels[&kernel.release] {
            Some(true) => "yes",
            Some(false) => "no",
            None => "?",
        };
        let since = self.since.clone().unwrap_or_else(|| "every kernel".into());
        let first = [self.name.clone(), since].into_iter();
        first
            .chain(kernels.iter().map(|k| of(k).to_owned()))
            .collect()
    }
}

pub fn api(context: &Context, args: &ApiArgs) -> Result<u8> {
    let kernels: Vec<Kernel> = trees(context, args)?
        .iter()
        .map(|tree| Kernel {
            release: tree.release.clone(),
            passed: Builder::passed(&context.home, tree, &*context.ui).map_err(|e| e.to_string()),
        })
        .collect();
    context.ui.done();
    let probes = Probe::all(&context.home)?;
    let word = args.word.as_deref().unwrap_or_default();
    let is_wanted = |row: &Row| {
        let change = row.change.as_deref().unwrap_or_default();
        row.name.contains(word) || change.contains(word)
    };
    let mut apis = rows(&modules(context)?, &probes, &kernels);
    apis.retain(is_wanted);
    let changes = probes.iter().filter(|probe| probe.apis.is_empty());
    let mut changes: Vec<Row> = changes
        .map(|probe| Row::new(&probe.name, Some(probe), &kernels))
        .collect();
    changes.retain(is_wanted);
    if apis.is_empty() && changes.is_empty() {
        return Err(Error::new(
            Kind::Usage,
            format!("looking for `{word}` in the APIs of the `kernel` crate"),
            "there is nothing of this name whose kernels are listed",
        )
        .help("`koru api` lists them all"));
    }
    let unknown = kernels
        .iter()
        .filter_map(|k| Some((k.release.clone(), k.passed.as_ref().err()?.clone())));
    let unknown: BTreeMap<String, String> = unknown.collect();
    if context.json {
        json(&serde_json::json!({ "apis": apis, "changes": changes, "unknown": unknown }));
        return Ok(0);
    }
    show(&kernels, &apis, &changes);
    for (release, why) in &unknown {
        out(&format!("\n{release} is not known: {why}"));
    }
    Ok(0)
}

fn show(kernels: &[Kernel], apis: &[Row], changes: &[Row]) {
    let releases: Vec<&str> = kernels.iter().map(|k| &*k.release).collect();
    let names = short_names(&releases);
    let print = |title: &str, rows: &[Row], last: Option<&str>| {
        let names = names.iter().map(String::as_str).chain(last);
        let header: Vec<&str> = [title, "SINCE"].into_iter().chain(names).collect();
        let line = |row: &Row| {
            let change = last.and(row.change.clone());
            row.cells(kernels).into_iter().chain(change).collect()
        };
        let lines: Vec<Vec<String>> = rows.iter().map(line).collect();
        out(&table(&header, &lines));
    };
    if !apis.is_empty() {
        print("API", apis, None);
    }
    if !changes.is_empty() {
        let between = if apis.is_empty() { "" } else { "\n" };
        out(&format!(
            "{between}What else differs, which modules do not notice:"
        ));
        print("CHANGE", changes, Some("WHAT CHANGED"));
    }
}

fn trees(context: &Context, args: &ApiArgs) -> Result<Vec<KernelTree>> {
    if args.kernels.is_empty() {
        let all = context.kernels.releases();
        if all.is_empty() {
            context.kernels.find(None)?;
        }
        let all = all.iter().filter_map(|r| context.kernels.exactly(r));
        return all.collect();
    }
    let named = args.kernels.iter();
    named.map(|name| context.kernels.find(Some(name))).collect()
}

/// Returns the paths of the public modules of the `kernel` crate.
fn modules(context: &Context) -> Result<Vec<String>> {
    let file = context.home.root.join("kernel/kernel/src/lib.rs");
    let text = fs::read_to_string(&file).path_context("reading", &file)?;
    let module = |line: &str| {
        let name = line.strip_prefix("pub mod ")?.strip_suffix(';')?;
        Some(format!("kernel::{name}"))
    };
    Ok(text.lines().filter_map(module).collect())
}

/// Returns a row for each module of the crate and each API that a probe is about, by name.
fn rows(modules: &[String], probes: &[Probe], kernels: &[Kernel]) -> Vec<Row> {
    let needed = probes
        .iter()
        .flat_map(|p| p.apis.iter().map(move |a| (a, p)));
    let needed: BTreeMap<&String, &Probe> = needed.collect();
    let names: BTreeSet<&String> = modules.iter().chain(needed.keys().copied()).collect();
    let row = |name: &String| Row::new(name, needed.get(name).copied(), kernels);
    names.into_iter().map(row).collect()
}
