// SPDX-License-Identifier: MIT OR Apache-2.0

//! From the executed instructions of modules to lines and functions of source files.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use koru_decode::{Sources, Symbols};

use super::record::{ModuleFile, Offsets};

/// The names of the suites of tests that executed something.
pub type Suites = BTreeSet<String>;

/// What was executed of a source file.
pub struct FileCoverage {
    pub path: PathBuf,
    pub shown: String,
    /// The lines that code was made from, and who executed them.
    pub lines: BTreeMap<u32, Suites>,
    /// The functions by their names.
    pub functions: BTreeMap<String, FunctionCoverage>,
}

/// What was executed of a function.
pub struct FunctionCoverage {
    /// The first line of its code.
    pub line: u32,
    pub suites: Suites,
}

impl FunctionCoverage {
    pub fn is_run(&self) -> bool {
        !self.suites.is_empty()
    }
}

/// The source files, by path.
#[derive(Default)]
pub struct Files(BTreeMap<PathBuf, FileCoverage>);

impl Files {
    pub fn iter(&self) -> impl Iterator<Item = &FileCoverage> {
        self.0.values()
    }
}

impl FileCoverage {
    /// Returns how many lines were executed, and how many there are.
    pub fn lines_run(&self) -> (usize, usize) {
        let run = self.lines.values().filter(|suites| !suites.is_empty());
        (run.count(), self.lines.len())
    }

    /// Returns how many functions were executed, and how many there are.
    pub fn functions_run(&self) -> (usize, usize) {
        let run = self.functions.values().filter(|f| f.is_run());
        (run.count(), self.functions.len())
    }

    /// Returns the lines that were not executed, as `3, 7-9`. A range goes on over lines without
    /// code.
    pub fn lines_not_run(&self) -> String {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut continues = false;
        for (line, suites) in &self.lines {
            if !suites.is_empty() {
                continues = false;
                continue;
            }
            match ranges.last_mut() {
                Some((_, last)) if continues => *last = *line,
                _ => ranges.push((*line, *line)),
            }
            continues = true;
        }
        let ranges = ranges.iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        });
        ranges.collect::<Vec<_>>().join(", ")
    }

    /// Returns the names of the functions that were not executed.
    pub fn functions_not_run(&self) -> Vec<&str> {
        let not_run = self.functions.iter().filter(|(_, f)| !f.is_run());
        not_run.map(|(name, _)| name.as_str()).collect()
    }
}

/// Adds the lines of a module, and what suites of tests executed of them. Returns `None` if the
/// module has no debug info. A function that is inlined counts where it is written and where it
/// is called.
pub fn add_lines(
    files: &mut Files,
    module: &ModuleFile,
    suites: &[(&str, Offsets)],
    sources: &Sources,
    with_kernel_crate: bool,
) -> Option<()> {
    let mut debug = module.path.clone().into_os_string();
    debug.push(".debug");
    let symbols = [PathBuf::from(debug), module.path.clone()]
        .iter()
        .find_map(|path| Symbols::read(path).ok())?;
    for piece in symbols.code() {
        let first = (piece.section.clone(), piece.range.start);
        let end = (piece.section.clone(), piece.range.end);
        let is_run = |offsets: &Offsets| offsets.range(first.clone()..end.clone()).next().is_some();
        let run = suites.iter().filter(|(_, offsets)| is_run(offsets));
        let run: Suites = run.map(|(name, _)| (*name).to_owned()).collect();
        for place in &piece.places {
            let (Some(file), Some(line)) = (&place.file, place.line) else {
                continue;
            };
            let Some((path, shown)) = sources.own_file(file, with_kernel_crate) else {
                continue;
            };
            let file = files.0.entry(path.clone()).or_insert_with(|| FileCoverage {
                path,
                shown,
                lines: BTreeMap::new(),
                functions: BTreeMap::new(),
            });
            file.lines
                .entry(line)
                .or_default()
                .extend(run.iter().cloned());
            let name = place.function.clone();
            let function = file
                .functions
                .entry(name)
                .or_insert_with(|| FunctionCoverage {
                    line,
                    suites: Suites::new(),
                });
            function.line = function.line.min(line);
            function.suites.extend(run.iter().cloned());
        }
    }
    Some(())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Returns a file in which some lines were executed by some tests.
    pub fn file(path: &str, lines: &[(u32, &[&str])], functions: &[(&str, u32, &[&str])]) -> Files {
        let suites = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        let functions = functions.iter().map(|(name, line, names)| {
            let (line, suites) = (*line, suites(names));
            ((*name).to_owned(), FunctionCoverage { line, suites })
        });
        let file = FileCoverage {
            path: path.into(),
            shown: path.into(),
            lines: lines
                .iter()
                .map(|(line, names)| (*line, suites(names)))
                .collect(),
            functions: functions.collect(),
        };
        Files(BTreeMap::from([(path.into(), file)]))
    }

    #[test]
    fn lines_that_did_not_run_are_ranges() {
        let run: &[&str] = &["a"];
        let lines = [
            (1, &[][..]),
            (2, run),
            (4, &[]),
            (5, &[]),
            (8, &[]),
            (9, run),
            (10, &[]),
        ];
        let files = file("x.c", &lines, &[]);
        let file = files.iter().next().unwrap();
        assert_eq!(file.lines_not_run(), "1, 4-8, 10");
        assert_eq!(file.lines_run(), (2, 7));
    }
}
