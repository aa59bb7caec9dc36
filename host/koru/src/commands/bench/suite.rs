// SPDX-License-Identifier: MIT OR Apache-2.0

//! Koru's own modules beside their forms in C.

use std::{fs, path::PathBuf};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::KernelTree;
use serde::{Deserialize, Serialize};

use super::{
    baseline::{Baseline, Key},
    operation::NamedOperation,
    report::Report,
    rows::{measured, subject},
};
use crate::{cli::BenchArgs, context::Context, ui};

/// The modules of a run, with what is counted of each.
pub struct Suite {
    /// The folder `bench` of the checkout.
    folder: PathBuf,
    modules: Vec<ModuleRows>,
}

/// The file `bench/rows.toml`.
#[derive(Deserialize)]
struct Rows {
    module: Vec<ModuleRows>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleRows {
    name: String,
    #[serde(default)]
    params: Vec<String>,
    /// The module's file. Opening it, closing it and each of `calls` are counted.
    file: Option<String>,
    /// The first words of operations that have a number of bytes.
    #[serde(default)]
    calls: Vec<String>,
    /// The names and texts of further operations.
    #[serde(default)]
    operations: Vec<(String, String)>,
}

/// The results of a module, as `--json` prints them.
#[derive(Serialize)]
struct ModuleReport {
    module: String,
    #[serde(flatten)]
    report: Report,
}

/// The form in C that promises the same as the module.
pub const FAIR: &str = "fair";

/// The numbers of bytes of the calls that are counted of each file.
const SIZES: [u32; 3] = [1, 64, 4096];

impl ModuleRows {
    /// Returns all operations that are counted of the module.
    fn operations(&self, samples: u32) -> Result<Vec<NamedOperation>> {
        let mut all = Vec::new();
        if let Some(file) = &self.file {
            for verb in ["open", "close"] {
                all.push((verb.to_owned(), format!("{verb} {file}")));
            }
            for (call, size) in self.calls.iter().flat_map(|c| SIZES.map(|size| (c, size))) {
                all.push((format!("{call} {size} B"), format!("{call} {file} {size}")));
            }
        }
        all.extend(self.operations.iter().cloned());
        let parsed = all.into_iter().map(|(name, text)| {
            let mut operation = NamedOperation::parse(&text, samples)?;
            operation.name = name;
            Ok(operation)
        });
        parsed.collect()
    }
}

impl Suite {
    /// Reads which rows there are: those of all modules, or of one of them.
    pub fn read(context: &Context, only: Option<&str>) -> Result<Suite> {
        let folder = context.home.root.join("bench");
        let path = folder.join("rows.toml");
        let text = fs::read_to_string(&path).path_context("reading", &path)?;
        let rows: Rows = toml::from_str(&text).map_err(|e| {
            let attempted = format!("reading {}", path.display());
            Error::new(Kind::System, attempted, e.to_string())
        })?;
        let mut modules = rows.module;
        modules.retain(|module| only.is_none_or(|only| only == module.name));
        Ok(Suite { folder, modules })
    }

    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// Measures the modules, prints the results, and compares them with the recorded ones.
    pub fn bench(&self, context: &Context, tree: &KernelTree, args: &BenchArgs) -> Result<u8> {
        let mut baseline = Baseline::read(&self.folder)?;
        let key = Key::of(context, tree)?;
        let mut reports = Vec::new();
        for module in &self.modules {
            let report = self.module(context, tree, module, args)?;
            if !context.json {
                ui::out(&format!("{}\n{}\n", module.name, report.text()));
            }
            reports.push(ModuleReport {
                module: module.name.clone(),
                report,
            });
        }
        let mut worse = Vec::new();
        for ModuleReport { module, report } in &reports {
            match args.record {
                true => baseline.record(&key, module, report),
                false => worse.extend(baseline.compare(&key, module, report)),
            }
        }
        if baseline.is_changed() {
            baseline.write(&self.folder)?;
            let path = Baseline::path(&self.folder);
            let text = format!("recorded the ratios of {key} in {}", path.display());
            context.ui.say(&text);
        }
        if context.json {
            ui::json(&reports);
        }
        let failed = reports.iter().any(|r| r.report.has_failures());
        if worse.is_empty() {
            return Ok(u8::from(failed));
        }
        let message = "these ratios have become worse by more than 2 %";
        Err(
            Error::new(Kind::System, "comparing with the recorded ratios", message)
                .output(worse.join("\n"))
                .help("if that has to be, `koru bench --record` records the new ones"),
        )
    }

    fn module(
        &self,
        context: &Context,
        tree: &KernelTree,
        module: &ModuleRows,
        args: &BenchArgs,
    ) -> Result<Report> {
        let build = |label: &str, source: &str| {
            let operations = module.operations(args.samples)?;
            subject(context, tree, label, source, &module.params, operations)
        };
        let mut subjects = vec![build("Koru", &module.name)?];
        for form in self.forms(&module.name)? {
            let source = self.folder.join("c").join(&module.name).join(&form);
            let source = source.display().to_string();
            subjects.push(build(&form, &source)?);
        }
        measured(context, tree, &subjects, args)
    }

    /// Returns the names of a module's forms in C, the fair one last.
    fn forms(&self, module: &str) -> Result<Vec<String>> {
        let folder = self.folder.join("c").join(module);
        let entries = fs::read_dir(&folder).path_context("reading", &folder)?;
        let mut forms: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        forms.sort_by_key(|form| (form == FAIR, std::cmp::Reverse(form.clone())));
        Ok(forms)
    }
}
