// SPDX-License-Identifier: MIT OR Apache-2.0

//! Explains the errors of a build in C whose code is older or newer than the kernel.
//!
//! A [table] says what changed in the kernel's API and since when. Its entries are
//! matched against the compiler's errors, and the lines of the errors are rewritten where that
//! can be done mechanically. Each cause is explained once, however many errors it makes.

mod c_source;
mod change;
mod diagnostic;
mod rewrite;
mod sources;
mod symbols;
mod table;

use std::{collections::BTreeMap, path::Path};

use koru_error::{Edit, Hint, Place};
use koru_kernels::KernelTree;

use self::{
    c_source::{CSource, Replacement},
    change::{Change, Rename, Rewrite, Sign, Site, Version, When},
    diagnostic::{Diagnostic, Trouble, diagnostics},
    sources::Sources,
    table::{HEADERS, Header, RENAMES, changes, header_of},
};

pub use symbols::explain_symbol;
pub(crate) use symbols::{explain_missing, undefined_symbols};

/// Returns explanations of a failed build's output. `sources` is the folder of the module's
/// sources, whose paths the output contains.
pub fn explain(output: &str, sources: &Path, tree: &KernelTree) -> Vec<Hint> {
    let mut files = Sources::new(sources);
    let mut hints = explain_errors(output, &mut files, &tree.release);
    hints.extend(symbols::explain(output, &mut files, tree));
    hints
}

/// One cause of errors.
enum Cause {
    Change(&'static Change),
    /// The old name and the new one; whether the code has the old one.
    Rename(&'static Rename, bool),
    Header(&'static Header),
    /// A header that is not included.
    Include(&'static str),
}

impl Cause {
    fn of(diagnostic: &Diagnostic, source: Option<&CSource>, version: Version) -> Option<Cause> {
        let explains = |c: &&Change| {
            let mut signs = c.signs.iter().filter(|s| s.is_in(diagnostic, source));
            c.when.is_on(version) && signs.any(|sign| is_old_call(sign, c, diagnostic, source))
        };
        if let Some(change) = changes().find(explains) {
            return Some(Cause::Change(change));
        }
        match &diagnostic.trouble {
            Trouble::Name(name) => {
                let renamed = RENAMES.iter().find_map(|r| {
                    if r.old == name && r.removed.max(r.added) <= version {
                        Some(Cause::Rename(r, true))
                    } else if r.new == name && version < r.added.min(r.removed) {
                        Some(Cause::Rename(r, false))
                    } else {
                        None
                    }
                });
                let include = || {
                    let header = header_of(name)?;
                    let is_there = source.is_some_and(|s| s.includes(header));
                    (!is_there).then_some(Cause::Include(header))
                };
                renamed.or_else(include)
            }
            Trouble::Header(header) => {
                let mut headers = HEADERS.iter();
                let found = headers.find(|h| h.old == header && h.when.is_on(version));
                found.map(Cause::Header)
            }
            _ => None,
        }
    }

    /// Returns what is the same for all errors that this made.
    fn key(&self, file: &str) -> String {
        match self {
            Cause::Change(change) => format!("change {:p}", *change),
            Cause::Rename(rename, _) => format!("rename {:p}", *rename),
            Cause::Header(header) => format!("header {:p}", *header),
            Cause::Include(header) => format!("include {header} {file}"),
        }
    }

    fn message(&self, names: &[String], version: Version) -> String {
        let dated = |when: When, what: &str| match when {
            When::Since(since) => format!("since Linux {since}, {what}"),
            When::Before(before) => {
                format!("before Linux {before}, {what}; this kernel is {version}")
            }
            When::Always => what.to_owned(),
        };
        match self {
            Cause::Change(change) => dated(change.when, change.what),
            Cause::Rename(r, true) => {
                let what = format!("`{}` is called `{}`{}", r.old, r.new, r.note);
                dated(When::Since(r.removed), &what)
            }
            Cause::Rename(r, false) => {
                let what = format!("`{}` is called `{}`", r.new, r.old);
                dated(When::Before(r.added), &what)
            }
            Cause::Header(header) => match (header.new, header.is_library) {
                ("", false) => dated(header.when, &format!("there is no <{}>", header.old)),
                (new, false) => dated(header.when, &format!("<{}> is <{new}>", header.old)),
                ("", true) => format!(
                    "<{}> belongs to the C library, which a module does not have",
                    header.old
                ),
                (new, true) => format!(
                    "<{}> belongs to the C library, which a module does not have; <{new}> is the \
                     kernel's nearest to it",
                    header.old
                ),
            },
            Cause::Include(header) => {
                let list: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
                let (is, are) = match list.len() {
                    1 => ("is", list[0].clone()),
                    _ => ("are", list.join(", ")),
                };
                format!("{are} {is} declared in <{header}>, which is not included")
            }
        }
    }

    /// Returns what to replace in a line with an error.
    fn rewrite(&self, site: &Site<'_>) -> Vec<Replacement> {
        let source = site.source;
        let word = |old, new| Rewrite::words_on(site, old, new);
        match self {
            Cause::Change(change) => {
                let rewrites = change.rewrites.iter().map(|r| r.apply(site));
                let first = rewrites.into_iter().find(|r| !r.is_empty());
                first.unwrap_or_default()
            }
            Cause::Rename(r, true) => word(r.old, r.new),
            Cause::Rename(r, false) => word(r.new, r.old),
            Cause::Header(header) => {
                let range = source.line(site.line);
                // A header that is included already need not be so twice.
                let text = match header.new {
                    "" => String::new(),
                    new if source.includes(new) => String::new(),
                    new => source.text(range.clone()).replace(header.old, new),
                };
                vec![Replacement { range, text }]
            }
            Cause::Include(_) => Vec::new(),
        }
    }

    /// Returns the header that the new code needs, or nothing.
    fn include(&self) -> &'static str {
        match self {
            Cause::Change(change) => change.include,
            Cause::Rename(rename, true) => rename.include,
            Cause::Rename(_, false) | Cause::Header(_) => "",
            Cause::Include(header) => header,
        }
    }
}

/// Returns whether wrong arguments are those that a change made wrong: as many as before it.
fn is_old_call(
    sign: &Sign,
    change: &Change,
    diagnostic: &Diagnostic,
    source: Option<&CSource>,
) -> bool {
    let calls = change
        .rewrites
        .iter()
        .filter(|r| matches!(r, Rewrite::Call(..)));
    let calls: Vec<&Rewrite> = calls.collect();
    let (Sign::Arguments(_), false, Some(source)) = (sign, calls.is_empty(), source) else {
        return true;
    };
    let line = diagnostic.line;
    let site = Site { source, line };
    calls.iter().any(|call| !call.apply(&site).is_empty())
}

/// A cause, and where it made errors.
struct Finding {
    cause: Cause,
    names: Vec<String>,
    sites: Vec<(String, usize)>,
}

fn explain_errors(output: &str, sources: &mut Sources<'_>, release: &str) -> Vec<Hint> {
    let Some(version) = Version::of_release(release) else {
        return Vec::new();
    };
    let mut findings: Vec<(String, Finding)> = Vec::new();
    for diagnostic in diagnostics(output, sources.folder) {
        let source = sources.get(&diagnostic.file);
        let Some(cause) = Cause::of(&diagnostic, source, version) else {
            continue;
        };
        let key = cause.key(&diagnostic.file);
        let index = findings.iter().position(|(k, _)| *k == key);
        let index = index.unwrap_or_else(|| {
            let finding = Finding {
                cause,
                names: Vec::new(),
                sites: Vec::new(),
            };
            findings.push((key, finding));
            findings.len() - 1
        });
        let finding = &mut findings[index].1;
        match diagnostic.trouble {
            Trouble::Name(name) if !finding.names.contains(&name) => finding.names.push(name),
            _ => {}
        }
        let site = (diagnostic.file, diagnostic.line);
        if !finding.sites.contains(&site) {
            finding.sites.push(site);
        }
    }
    findings
        .into_iter()
        .map(|(_, finding)| hint(&finding, sources, version))
        .collect()
}

fn hint(finding: &Finding, sources: &mut Sources<'_>, version: Version) -> Hint {
    let cause = &finding.cause;
    let mut replacements: BTreeMap<&str, Vec<Replacement>> = BTreeMap::new();
    for (file, line) in &finding.sites {
        if let Some(source) = sources.get(file) {
            let site = Site {
                source,
                line: *line,
            };
            let found = cause.rewrite(&site);
            let is_include = matches!(cause, Cause::Include(_));
            if !found.is_empty() || is_include {
                replacements.entry(file).or_default().extend(found);
            }
        }
    }
    let mut edits: Vec<Edit> = Vec::new();
    for (file, mut replacements) in replacements {
        let Some(source) = sources.get(file) else {
            continue;
        };
        let include = cause.include();
        if !include.is_empty() && !source.includes(include) {
            let at = source.line(source.include_line()).start;
            replacements.push(Replacement {
                range: at..at,
                text: format!("#include <{include}>\n"),
            });
        }
        edits.extend(source.edits(replacements));
    }
    let place = finding.sites.first().and_then(|(file, line)| {
        let source = sources.get(file)?;
        Some(Place {
            file: file.clone(),
            line: *line,
            text: source.line_text(*line).to_owned(),
        })
    });
    let example = match cause {
        Cause::Change(change) if edits.is_empty() && !change.example.is_empty() => {
            Some(change.example.to_owned())
        }
        _ => None,
    };
    Hint {
        message: cause.message(&finding.names, version),
        place,
        edits,
        example,
    }
}

#[cfg(test)]
mod tests;
