// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru bench` on Koru's own modules: all rows, compared with the recorded ratios.

use std::fs;

use koru_error::{IoContext, Result};
use koru_kernels::KernelTree;

use super::{
    baseline::{Baseline, Key, Worse},
    functions, plot,
    report::Report,
    rows::measured,
    suite::{ModuleReport, ModuleRows, Suite, koru, too_much},
};
use crate::{cli::BenchArgs, context::Context, ui};

/// Measures the modules, prints the results, and compares them with the recorded ones.
pub fn bench(suite: &Suite, context: &Context, tree: &KernelTree, args: &BenchArgs) -> Result<u8> {
    let mut baseline = Baseline::read(&suite.folder)?;
    let key = Key::of(context, tree)?;
    let mut reports = Vec::new();
    for module in &suite.modules {
        let report = ModuleReport {
            module: module.name.clone(),
            broken: suite.broken(&module.name),
            report: measured_module(suite, context, tree, module, args)?,
        };
        if !context.json {
            ui::out(&report.text());
        }
        reports.push(report);
    }
    if args.record {
        functions::record(suite, &key, context, tree)?;
    }
    let mut worse = Vec::new();
    for (rows, ModuleReport { module, report, .. }) in suite.modules.iter().zip(&reports) {
        if args.record {
            baseline.record(&key, module, report);
            continue;
        }
        let compared = |worse: &Worse| !rows.not_compared.contains(&worse.row);
        let of_module = baseline.compare(&key, module, report);
        worse.extend(of_module.into_iter().filter(compared));
    }
    if baseline.is_changed() {
        baseline.write(&suite.folder)?;
        let path = Baseline::path(&suite.folder);
        let text = format!("recorded the ratios of {key} in {}", path.display());
        context.ui.say(&text);
    }
    if let (Some(file), Some(ratios)) = (&args.plot, baseline.of(&key)) {
        let file = context.cwd.join(file);
        fs::write(&file, plot::svg(&key.to_string(), ratios)).path_context("writing", &file)?;
    }
    if context.json {
        ui::json(&reports);
    }
    let failed = reports.iter().any(|r| r.report.has_failures());
    if worse.is_empty() {
        return Ok(u8::from(failed));
    }
    Err(too_much(worse.iter().map(|worse| worse.text.clone())))
}

fn measured_module(
    suite: &Suite,
    context: &Context,
    tree: &KernelTree,
    module: &ModuleRows,
    args: &BenchArgs,
) -> Result<Report> {
    let operations = module.operations(args.samples)?;
    let mut subjects = vec![koru(context, tree, module, &operations)?];
    for form in suite.forms(&module.name)? {
        subjects.push(suite.form(context, tree, module, &form, &operations)?);
    }
    measured(context, tree, &subjects, args)
}
