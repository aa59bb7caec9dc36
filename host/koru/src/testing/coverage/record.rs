// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the record of a guest: from addresses to places in modules.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::PathBuf,
};

use koru_decode::{CodeLayout, module_name};

/// A module's file, which guests have loaded.
pub struct ModuleFile {
    pub name: String,
    pub path: PathBuf,
    /// How the kernel lays out its code, if it is a module.
    layout: Option<CodeLayout>,
}

/// The instructions that were executed: section and offset.
pub type Offsets = BTreeSet<(String, u64)>;

/// What was executed of each module, by its place in the list of modules.
pub type Executed = BTreeMap<usize, Offsets>;

/// Adds what a guest executed, and the modules that it loaded. Returns whether the record is
/// incomplete. `suites` says from which byte of the record on which suite of tests ran.
pub fn execute(
    record: &str,
    kos: &[(String, PathBuf)],
    suites: &[(usize, String)],
    modules: &mut Vec<ModuleFile>,
    executed: &mut BTreeMap<String, Executed>,
) -> bool {
    let mut placed: Vec<(Range<u64>, usize, String)> = Vec::new();
    let mut at = 0;
    for line in record.split_inclusive('\n') {
        let suite = suites.iter().rev().find(|(begin, _)| *begin <= at);
        at += line.len();
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("full"), None) => return true,
            (Some("load"), Some(_)) => {
                let Some((module, code)) = words.next().and_then(|h| loaded(h, kos, modules))
                else {
                    continue;
                };
                let (sections, addresses): (Vec<String>, Vec<Range<u64>>) =
                    code.into_iter().unzip();
                // What was there before is gone.
                let meets = |a: &Range<u64>, b: &Range<u64>| a.start < b.end && b.start < a.end;
                placed.retain(|(old, ..)| !addresses.iter().any(|new| meets(old, new)));
                let new = addresses.into_iter().zip(sections);
                placed.extend(new.map(|(addresses, section)| (addresses, module, section)));
            }
            (Some("run"), Some(address)) => {
                let Ok(address) = u64::from_str_radix(address, 16) else {
                    continue;
                };
                let found = placed.iter().find(|(range, ..)| range.contains(&address));
                if let (Some((range, module, section)), Some((_, suite))) = (found, suite) {
                    let of_suite = executed.entry(suite.clone()).or_default();
                    let offset = (section.clone(), address - range.start);
                    of_suite.entry(*module).or_default().insert(offset);
                }
            }
            _ => {}
        }
    }
    false
}

/// Returns the module whose `struct module` has these bytes, and where its code is.
fn loaded(
    hex: &str,
    kos: &[(String, PathBuf)],
    modules: &mut Vec<ModuleFile>,
) -> Option<(usize, koru_decode::PlacedCode)> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|c| c.to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|d| d[0] << 4 | d[1]).collect();
    let name = module_name(&bytes)?;
    let (_, path) = kos.iter().find(|(known, _)| *known == name)?;
    let known = modules.iter().position(|m| m.path == *path);
    let at = known.unwrap_or_else(|| {
        modules.push(ModuleFile {
            layout: CodeLayout::read(path).ok(),
            path: path.clone(),
            name,
        });
        modules.len() - 1
    });
    Some((at, modules[at].layout.as_ref()?.placed(&bytes)?))
}
