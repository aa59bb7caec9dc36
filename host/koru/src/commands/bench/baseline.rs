// SPDX-License-Identifier: MIT OR Apache-2.0

//! The recorded ratios, with which later ones are compared.
//!
//! Numbers of instructions are exact, but depend on the kernel and on what compiles the modules.
//! So each combination of these has ratios of its own.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::KernelTree;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::report::Report;
use crate::context::Context;

/// How much worse a ratio may become.
const ALLOWED: f64 = 1.02;

/// What the ratios depend on.
pub struct Key(String);

/// A ratio that has become worse.
#[derive(PartialEq, Eq, Debug)]
pub struct Worse {
    pub module: String,
    pub row: String,
    /// How much worse.
    pub text: String,
}

/// The ratios of the module to each of its forms in C, by row and form.
pub type Ratios = BTreeMap<String, BTreeMap<String, f64>>;

/// The recorded ratios, by key and module.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline {
    keys: BTreeMap<String, BTreeMap<String, Ratios>>,
    #[serde(skip)]
    changed: bool,
}

impl Key {
    #[cfg(test)]
    pub fn new(key: &str) -> Key {
        Key(key.to_owned())
    }

    /// Returns the key of a kernel with this machine's compilers and emulator.
    pub fn of(context: &Context, tree: &KernelTree) -> Result<Key> {
        let version = |program: &str, argument: &str| {
            let mut command = Command::new(program);
            command.arg(argument).current_dir(&context.home.root);
            let said = koru_kernels::run(&mut command, &format!("running {program}"))?;
            let line = said.stdout.lines().next().unwrap_or_default().to_owned();
            // `QEMU emulator version 7.2.22 (Debian ..)`, `rustc 1.95.0 (..)`, `12.2.0`
            let digits = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
            let word = line.split_whitespace().find(digits).unwrap_or_default();
            Ok::<_, Error>(word.to_owned())
        };
        Ok(Key(format!(
            "{}, rustc {}, gcc {}, QEMU {}",
            tree.release,
            version("rustc", "--version")?,
            version("gcc", "-dumpfullversion")?,
            version(koru_qemu::PROGRAM, "--version")?
        )))
    }
}

/// Reads a file of what is recorded. There may be none.
pub fn recorded<T: Default + DeserializeOwned>(path: &Path) -> Result<T> {
    if !path.exists() {
        return Ok(T::default());
    }
    let text = fs::read_to_string(path).path_context("reading", path)?;
    serde_json::from_str(&text).map_err(|e| {
        let attempted = format!("reading {}", path.display());
        Error::new(Kind::System, attempted, e.to_string())
    })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Baseline {
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("baseline.json")
    }

    /// Reads the recorded ratios. There may be none.
    pub fn read(folder: &Path) -> Result<Baseline> {
        recorded(&Baseline::path(folder))
    }

    pub fn is_changed(&self) -> bool {
        self.changed
    }

    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = Baseline::path(folder);
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::from);
        let text = text.path_context("writing", &path)?;
        fs::write(&path, text + "\n").path_context("writing", &path)
    }

    /// Records a module's ratios.
    pub fn record(&mut self, key: &Key, module: &str, report: &Report) {
        let modules = self.keys.entry(key.0.clone()).or_default();
        modules.insert(module.to_owned(), ratios(report));
        self.changed = true;
    }

    /// Returns what is recorded of this kernel, compilers and emulator, by module.
    pub fn of(&self, key: &Key) -> Option<&BTreeMap<String, Ratios>> {
        self.keys.get(&key.0)
    }

    /// Compares a module's ratios with the recorded ones, and returns those that have become
    /// worse. What is not recorded yet is recorded.
    pub fn compare(&mut self, key: &Key, module: &str, report: &Report) -> Vec<Worse> {
        let modules = self.keys.entry(key.0.clone()).or_default();
        let recorded = modules.entry(module.to_owned()).or_default();
        let mut worse = Vec::new();
        for (row, forms) in ratios(report) {
            let recorded = recorded.entry(row.clone()).or_default();
            for (form, now) in forms {
                match recorded.get(&form) {
                    Some(before) if now > before * ALLOWED => worse.push(Worse {
                        module: module.to_owned(),
                        row: row.clone(),
                        text: format!(
                            "{module}, {row}: {now:.3} of {form}, and it was {before:.3}"
                        ),
                    }),
                    Some(_) => {}
                    None => {
                        recorded.insert(form, now);
                        self.changed = true;
                    }
                }
            }
        }
        worse
    }
}

fn ratios(report: &Report) -> Ratios {
    let rows = report.rows.iter().map(|row| {
        let values = report.modules.iter().zip(&row.values);
        let ratios = values.filter_map(|(form, value)| Some((form.clone(), value.ratio?)));
        (row.name.clone(), ratios.collect())
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::bench::report::{Row, Unit, Value};

    fn report(koru: u64) -> Report {
        let values = vec![Value::number(koru), Value::number(1000)];
        Report {
            kernel: "6.1".into(),
            modules: vec!["Koru".into(), "fair".into()],
            floors: Vec::new(),
            rows: vec![Row::new("read", Unit::Instructions, values)],
        }
    }

    #[test]
    fn worse_ratios_are_named() {
        let key = Key::new("6.1, gcc 12");
        let mut baseline = Baseline::default();
        // What is new is recorded.
        assert!(baseline.compare(&key, "hello", &report(1000)).is_empty());
        assert!(baseline.is_changed());
        assert!(baseline.compare(&key, "hello", &report(1019)).is_empty());
        assert!(baseline.compare(&key, "hello", &report(900)).is_empty());
        let worse = baseline.compare(&key, "hello", &report(1021));
        let text = "hello, read: 1.021 of fair, and it was 1.000";
        assert_eq!(worse[0].text, text);
        assert_eq!((&*worse[0].module, &*worse[0].row), ("hello", "read"));
        // Another compiler is another key.
        let other = Key::new("6.1, gcc 13");
        assert!(baseline.compare(&other, "hello", &report(5000)).is_empty());
        baseline.record(&key, "hello", &report(1021));
        assert!(baseline.compare(&key, "hello", &report(1021)).is_empty());
    }

    #[test]
    fn file_keeps_ratios() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::new("6.1, gcc 12");
        let mut baseline = Baseline::read(folder.path()).unwrap();
        baseline.record(&key, "hello", &report(1000));
        baseline.write(folder.path()).unwrap();
        let mut again = Baseline::read(folder.path()).unwrap();
        assert_eq!(again.compare(&key, "hello", &report(1100)).len(), 1);
        assert!(!again.is_changed());
    }
}
