// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes a new module a member of the cargo workspace around it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::write_atomically;
use toml::{Table, Value};

/// The manifest of the workspace around a new module, with the module as a member.
pub struct Workspace {
    manifest: PathBuf,
    text: String,
}

impl Workspace {
    /// Finds the workspace around the folder of a new module, unless it excludes that folder, or
    /// is that of Koru itself.
    pub fn around(folder: &Path, koru: &Path) -> Result<Option<Workspace>> {
        for dir in folder.ancestors().skip(1).take_while(|dir| *dir != koru) {
            let manifest = dir.join("Cargo.toml");
            let Ok(text) = fs::read_to_string(&manifest) else {
                continue;
            };
            let table = text.parse::<Table>().map_err(|e| {
                let attempted = format!("reading {}", manifest.display());
                Error::new(Kind::Usage, attempted, e.to_string())
            })?;
            let Some(workspace) = table.get("workspace") else {
                continue;
            };
            let path = folder.strip_prefix(dir).unwrap_or(folder);
            let path = path.to_string_lossy().into_owned();
            let excluded = strings(workspace, "exclude");
            if excluded.iter().any(|e| Path::new(&path).starts_with(e)) {
                return Ok(None);
            }
            let members = strings(workspace, "members");
            let wanted = [path.clone(), format!("{path}/tests")];
            let missing = wanted
                .into_iter()
                .filter(|w| !members.iter().any(|m| fits(m, w)));
            let text = with_members(&text, &missing.collect::<Vec<_>>()).ok_or_else(|| {
                let attempted = format!("adding {path} to {}", manifest.display());
                Error::new(Kind::Usage, attempted, "its list of members is not found").help(
                    format!("add \"{path}\" and \"{path}/tests\" to `exclude` of its [workspace]"),
                )
            })?;
            return Ok(Some(Workspace { manifest, text }));
        }
        Ok(None)
    }

    /// Writes the manifest.
    pub fn write(&self) -> Result<()> {
        let old = fs::read_to_string(&self.manifest).path_context("reading", &self.manifest)?;
        match old == self.text {
            true => Ok(()),
            false => write_atomically(&self.manifest, self.text.as_bytes()),
        }
    }
}

/// Returns the strings of an array in a table.
fn strings(table: &Value, key: &str) -> Vec<String> {
    let array = table.get(key).and_then(Value::as_array);
    let strings = array.into_iter().flatten().filter_map(Value::as_str);
    strings
        .map(|s| s.trim_end_matches('/').to_owned())
        .collect()
}

/// Returns whether a member is `path`, or a pattern for it.
fn fits(member: &str, path: &str) -> bool {
    let (mut parts, mut wanted) = (member.split('/'), path.split('/'));
    loop {
        match (parts.next(), wanted.next()) {
            (None, None) => return true,
            (Some(part), Some(name)) if part == "*" || part == name => {}
            _ => return false,
        }
    }
}

/// Returns the text of a manifest with more members, or `None` if their list is not found.
fn with_members(text: &str, more: &[String]) -> Option<String> {
    if more.is_empty() {
        return Some(text.to_owned());
    }
    let quoted: Vec<String> = more.iter().map(|m| format!("{m:?}")).collect();
    let quoted = quoted.join(", ");
    let header = text.find("[workspace]")? + "[workspace]".len();
    let section = &text[header..];
    let end = section.find("\n[").unwrap_or(section.len());
    let list = section[..end]
        .find("\nmembers")
        .and_then(|at| Some(header + at + section[at..end].find('[')? + 1));
    let changed = match list {
        Some(at) => {
            let (before, after) = text.split_at(at);
            let comma = if after.trim_start().starts_with(']') {
                ""
            } else {
                ", "
            };
            format!("{before}{quoted}{comma}{after}")
        }
        None => {
            let (before, after) = text.split_at(header);
            format!("{before}\nmembers = [{quoted}]{after}")
        }
    };
    // The text may have been in a comment or a string.
    let workspace = changed.parse::<Table>().ok()?.remove("workspace")?;
    let members = strings(&workspace, "members");
    more.iter().all(|m| members.contains(m)).then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_added_in_any_form_of_the_list() {
        let more = ["b".to_owned(), "b/tests".to_owned()];
        for (text, wanted) in [
            (
                "[workspace]\n",
                "[workspace]\nmembers = [\"b\", \"b/tests\"]\n",
            ),
            (
                "[workspace]\nmembers = []\n",
                "[workspace]\nmembers = [\"b\", \"b/tests\"]\n",
            ),
            (
                "[workspace]\nresolver = \"2\"\nmembers = [\n  \"a\", # one\n]\n[profile.dev]\n",
                "[workspace]\nresolver = \"2\"\nmembers = [\"b\", \"b/tests\", \n  \"a\", # one\n]\n[profile.dev]\n",
            ),
        ] {
            assert_eq!(with_members(text, &more).as_deref(), Some(wanted));
            assert_eq!(with_members(text, &[]).as_deref(), Some(text));
        }
        assert_eq!(with_members("workspace = { members = [] }\n", &more), None);
        assert_eq!(
            with_members("# [workspace]\nworkspace.members = []\n", &more),
            None
        );
    }

    #[test]
    fn patterns_fit_whole_parts() {
        assert!(fits("modules/*", "modules/a") && fits("a", "a") && fits("*/tests", "a/tests"));
        assert!(!fits("modules/*", "modules/a/tests") && !fits("*", "a/tests") && !fits("ab", "a"));
    }
}
