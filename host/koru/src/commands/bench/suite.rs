// SPDX-License-Identifier: MIT OR Apache-2.0

//! Koru's own modules, their forms in C, and what is counted of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::KernelTree;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{guest::Subject, operation::NamedOperation, report::Report, rows::subject};
use crate::context::Context;

/// The modules of a run, with what is counted of each.
pub struct Suite {
    /// The folder `bench` of the checkout.
    pub folder: PathBuf,
    pub modules: Vec<ModuleRows>,
    broken: Vec<BrokenForm>,
}

/// The file `bench/rows.toml`.
#[derive(Deserialize)]
struct Rows {
    module: Vec<ModuleRows>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleRows {
    pub name: String,
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
    /// The names of the operations that `--quick` counts.
    #[serde(default)]
    quick: Vec<String>,
    /// The rows that are recorded, but not compared with what was recorded.
    #[serde(default)]
    pub not_compared: Vec<String>,
}

/// The file `bench/broken.toml`.
#[derive(Deserialize)]
struct Broken {
    form: Vec<BrokenForm>,
}

/// A form in C that does not keep the module's contract.
#[derive(Deserialize, Serialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct BrokenForm {
    #[serde(skip_serializing)]
    module: String,
    form: String,
    /// The tests of the contract that it fails.
    breaks: Vec<String>,
    /// Those that it fails if two threads meet.
    #[serde(default)]
    races: Vec<String>,
}

/// The results of a module, as `--json` prints them.
#[derive(Serialize)]
pub struct ModuleReport {
    pub module: String,
    /// The forms in C that promise less than the module.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<BrokenForm>,
    #[serde(flatten)]
    pub report: Report,
}

impl ModuleReport {
    /// Returns the module's table, with the promises that forms break below it.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.module, self.report.text());
        for broken in &self.broken {
            let promises: Vec<&str> = broken
                .breaks
                .iter()
                .chain(&broken.races)
                .map(String::as_str)
                .collect();
            text.push_str(&format!(
                "note: {} breaks promises of the contract: {}\n",
                broken.form,
                promises.join(", ")
            ));
        }
        text
    }
}

/// The form in C that promises the same as the module.
const FAIR: &str = "fair";

/// The numbers of bytes of the calls that are counted of each file.
const SIZES: [u32; 3] = [1, 64, 4096];

impl ModuleRows {
    /// Returns all operations that are counted of the module.
    pub fn operations(&self, samples: u32) -> Result<Vec<NamedOperation>> {
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

    /// Returns the operations that `--quick` counts.
    pub fn quick_operations(&self, samples: u32) -> Result<Vec<NamedOperation>> {
        let mut operations = self.operations(samples)?;
        operations.retain(|operation| self.quick.contains(&operation.name));
        Ok(operations)
    }
}

impl Suite {
    /// Reads which rows there are: those of all modules, or of one of them.
    pub fn read(context: &Context, only: Option<&str>) -> Result<Suite> {
        let folder = context.home.root.join("bench");
        let Rows {
            module: mut modules,
        } = read(&folder.join("rows.toml"))?;
        modules.retain(|module| only.is_none_or(|only| only == module.name));
        let Broken { form: broken } = read(&folder.join("broken.toml"))?;
        Ok(Suite {
            folder,
            modules,
            broken,
        })
    }

    /// Returns a module's forms in C that do not keep its contract.
    pub fn broken(&self, module: &str) -> Vec<BrokenForm> {
        let of_module = self.broken.iter().filter(|form| form.module == module);
        of_module.cloned().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// Builds a module's form in C.
    pub fn form(
        &self,
        context: &Context,
        tree: &KernelTree,
        module: &ModuleRows,
        form: &str,
        operations: &[NamedOperation],
    ) -> Result<Subject> {
        let source = self.folder.join("c").join(&module.name).join(form);
        let source = source.display().to_string();
        let operations = operations.to_vec();
        subject(context, tree, form, &source, &module.params, operations)
    }

    /// Returns the names of a module's forms in C, the fair one last.
    pub fn forms(&self, module: &str) -> Result<Vec<String>> {
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

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).path_context("reading", path)?;
    toml::from_str(&text).map_err(|e| {
        let attempted = format!("reading {}", path.display());
        Error::new(Kind::System, attempted, e.to_string())
    })
}

/// Builds Koru's form of a module.
pub fn koru(
    context: &Context,
    tree: &KernelTree,
    module: &ModuleRows,
    operations: &[NamedOperation],
) -> Result<Subject> {
    let (name, params) = (&module.name, &module.params);
    subject(context, tree, "Koru", name, params, operations.to_vec())
}

/// Returns the error about ratios that have become worse.
pub fn too_much(ratios: impl Iterator<Item = String>) -> Error {
    let message = "these ratios have become worse by more than 2 %";
    Error::new(Kind::System, "comparing with the recorded ratios", message)
        .output(ratios.collect::<Vec<_>>().join("\n"))
        .help("if that has to be, `koru bench --record` records the new ones")
}
