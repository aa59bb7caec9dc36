// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru bench --quick`: a few rows of each module, compared with the recorded ratios.
//!
//! All modules run in one machine, beside one form in C, and each operation is done a few times
//! only: its median is that of the whole run.

use koru_error::Result;
use koru_kernels::KernelTree;

use super::{
    baseline::{Baseline, Key, Worse},
    functions::{Functions, SAMPLES, profiled},
    rows::measured_together,
    suite::{ModuleReport, Suite, koru, too_much},
};
use crate::{context::Context, ui};

/// The number of functions that are named of a row that has become worse.
const MOST_NAMED: usize = 8;

/// Counts the quick rows, prints them, and compares them with the recorded ones.
pub fn bench(suite: &Suite, context: &Context, tree: &KernelTree) -> Result<u8> {
    let mut baseline = Baseline::read(&suite.folder)?;
    let key = Key::of(context, tree)?;
    if baseline.of(&key).is_none() {
        let text = format!(
            "nothing is compared: there are no ratios of {key}, which `koru bench` records"
        );
        context.ui.say(&text);
        return Ok(0);
    }
    let mut groups = Vec::new();
    for module in &suite.modules {
        let operations = module.quick_operations(SAMPLES)?;
        let mut subjects = vec![koru(context, tree, module, &operations)?];
        if let Some(form) = suite.forms(&module.name)?.last() {
            subjects.push(suite.form(context, tree, module, form, &operations)?);
        }
        groups.push(subjects);
    }
    let reports = measured_together(context, tree, &groups)?;
    let mut worse = Vec::new();
    let mut results = Vec::new();
    for (module, report) in suite.modules.iter().zip(reports) {
        // The copy is not written: most rows are missing.
        worse.extend(baseline.compare(&key, &module.name, &report));
        let report = ModuleReport {
            module: module.name.clone(),
            // The fair form keeps its promises.
            broken: Vec::new(),
            report,
        };
        if !context.json {
            ui::out(&report.text());
        }
        results.push(report);
    }
    if context.json {
        ui::json(&results);
    }
    if worse.is_empty() {
        return Ok(u8::from(results.iter().any(|r| r.report.has_failures())));
    }
    Err(too_much(
        explained(suite, context, tree, &key, &worse)?.into_iter(),
    ))
}

/// Describes rows that have become worse, with the functions that have grown.
fn explained(
    suite: &Suite,
    context: &Context,
    tree: &KernelTree,
    key: &Key,
    worse: &[Worse],
) -> Result<Vec<String>> {
    let recorded = Functions::read(&suite.folder)?;
    let is_worse = |name: &str| worse.iter().any(|worse| worse.module == name);
    let modules = suite.modules.iter().filter(|module| is_worse(&module.name));
    let profiles = profiled(context, tree, &modules.collect::<Vec<_>>())?;
    let described = worse.iter().map(|worse| {
        let mut text = worse.text.clone();
        let place = (worse.module.clone(), worse.row.clone());
        if let Some(profile) = profiles.get(&place) {
            for grown in recorded.grown(key, &place, profile).iter().take(MOST_NAMED) {
                text.push_str(&format!("\n    {grown}"));
            }
        }
        text
    });
    Ok(described.collect())
}
