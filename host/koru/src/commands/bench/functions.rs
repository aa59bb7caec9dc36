// SPDX-License-Identifier: MIT OR Apache-2.0

//! The recorded instructions of each function in the quick rows of Koru's modules, by which a row
//! that has become worse is explained.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use koru_error::{IoContext, Result};
use koru_kernels::KernelTree;
use serde::Deserialize;

use super::{
    baseline::{Key, recorded},
    guest::{Plan, measure},
    profile::{Profile, profiles},
    suite::{ModuleRows, Suite, koru},
};
use crate::context::Context;

/// How often each quick operation is done.
pub const SAMPLES: u32 = 50;

/// A module and a row.
pub type RowOf = (String, String);

/// The instructions of functions, by their names.
type Counts = BTreeMap<String, u64>;

/// What is recorded, by key, and by module and row.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub struct Functions(BTreeMap<String, BTreeMap<String, Counts>>);

impl Functions {
    fn path(folder: &Path) -> PathBuf {
        folder.join("functions.json")
    }

    /// Reads what is recorded, which may be nothing.
    pub fn read(folder: &Path) -> Result<Functions> {
        recorded(&Functions::path(folder))
    }

    /// Writes a line for each row, so that changes can be read.
    fn write(&self, folder: &Path) -> Result<()> {
        let path = Functions::path(folder);
        fs::write(&path, self.text()).path_context("writing", &path)
    }

    fn text(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let keys = self.0.iter().map(|(key, rows)| {
            let rows = rows.iter().map(|(row, counts)| {
                let counts = serde_json::json!(counts);
                format!("    {}: {counts}", quoted(row))
            });
            let rows = rows.collect::<Vec<_>>().join(",\n");
            format!("  {}: {{\n{rows}\n  }}", quoted(key))
        });
        format!("{{\n{}\n}}\n", keys.collect::<Vec<_>>().join(",\n"))
    }

    fn record(&mut self, key: &Key, row: &RowOf, profile: Profile) {
        let rows = self.0.entry(key.to_string()).or_default();
        rows.insert(named(row), profile.functions);
    }

    /// Describes the functions of a row that take more than was recorded, the worst one first.
    pub fn grown(&self, key: &Key, row: &RowOf, now: &Profile) -> Vec<String> {
        let recorded = self.0.get(&key.to_string());
        let Some(recorded) = recorded.and_then(|rows| rows.get(&named(row))) else {
            return Vec::new();
        };
        let grown = now.functions.iter().filter_map(|(name, &now)| {
            let before = recorded.get(name).copied().unwrap_or(0);
            (now > before).then_some((now - before, name, before, now))
        });
        let mut grown: Vec<_> = grown.collect();
        grown.sort_by_key(|(more, ..)| Reverse(*more));
        let described = grown
            .into_iter()
            .map(|(_, name, before, now)| format!("{name}: {now} instructions, {before} before"));
        described.collect()
    }
}

fn named((module, row): &RowOf) -> String {
    format!("{module}, {row}")
}

/// Traces one sample of each quick row of these modules, as Koru builds them.
pub fn profiled(
    context: &Context,
    tree: &KernelTree,
    modules: &[&ModuleRows],
) -> Result<BTreeMap<RowOf, Profile>> {
    let mut subjects = Vec::new();
    for module in modules {
        let operations = module.quick_operations(SAMPLES)?;
        subjects.push(koru(context, tree, module, &operations)?);
    }
    let plan = Plan {
        floors: &[],
        loads: 1,
    };
    let results = measure(context, tree, &subjects, &plan)?;
    let traced = profiles(context, tree, &subjects, &results)?;
    let mut all = BTreeMap::new();
    for ((module, subject), traced) in modules.iter().zip(&subjects).zip(traced) {
        // The first one is that of the load.
        for (operation, profile) in subject.operations.iter().zip(traced.into_iter().skip(1)) {
            if let Some(profile) = profile {
                all.insert((module.name.clone(), operation.name.clone()), profile);
            }
        }
    }
    Ok(all)
}

/// Records the functions of the quick rows.
pub fn record(suite: &Suite, key: &Key, context: &Context, tree: &KernelTree) -> Result<()> {
    let mut functions = Functions::read(&suite.folder)?;
    let modules: Vec<_> = suite.modules.iter().collect();
    for (row, profile) in profiled(context, tree, &modules)? {
        functions.record(key, &row, profile);
    }
    functions.write(&suite.folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(functions: &[(&str, u64)]) -> Profile {
        let named = functions
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count));
        Profile {
            functions: named.collect(),
            ..Profile::default()
        }
    }

    #[test]
    fn functions_that_grew_are_named() {
        let key = Key::new("6.1, gcc 12");
        let row = ("hello".to_owned(), "read".to_owned());
        let mut functions = Functions::default();
        let before = profile(&[("copy", 10), ("lock \"a\"", 5), ("gone", 3)]);
        functions.record(&key, &row, before);
        let folder = tempfile::tempdir().unwrap();
        functions.write(folder.path()).unwrap();
        let functions = Functions::read(folder.path()).unwrap();
        let now = profile(&[("copy", 12), ("lock \"a\"", 5), ("memset", 100)]);
        let wanted = [
            "memset: 100 instructions, 0 before",
            "copy: 12 instructions, 10 before",
        ];
        assert_eq!(functions.grown(&key, &row, &now), wanted);
        assert!(functions.grown(&Key::new("6.12"), &row, &now).is_empty());
    }
}
