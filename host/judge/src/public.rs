// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a student gets of a contract, to be judged by at home: everything but the secret promises.

use std::path::{Path, PathBuf};

use koru_error::Result;
use toml::{Table, Value};

use crate::{contract::Contract, names::Seed, read::chain, read::read};

/// A contract without its secret promises.
pub struct Public {
    /// The text of contract.toml. It extends no other contract.
    pub text: String,
    /// The files and folders that it names: where they are, and their names in its folder.
    pub files: Vec<(PathBuf, String)>,
}

/// Returns the public part of the contract in a folder.
///
/// # Errors
///
/// What is wrong with the contract, by its line.
pub fn public(folder: &Path, shipped: &Path) -> Result<Public> {
    let contract = read(folder, shipped, Seed::default())?;
    let mut merged = Table::new();
    let mut files = Vec::new();
    for text in chain(folder, shipped)? {
        // `read` has found it to be good.
        let table: Table = text.text.parse().unwrap_or_default();
        let here = text.path.parent().unwrap_or(Path::new("."));
        note_files(&table, here, &mut files);
        merge(&mut merged, table);
    }
    let secret: Vec<String> = secret_names(&contract);
    if let Some(Value::Array(promises)) = merged.get_mut("promise") {
        promises.retain(|p| !name_of(p).is_some_and(|name| secret.iter().any(|s| s == name)));
    }
    for kind in ["group", "promise"] {
        let tables = merged.get_mut(kind).and_then(Value::as_array_mut);
        for table in tables.into_iter().flatten() {
            forget(table, &secret);
        }
    }
    if let Some(Value::Array(groups)) = merged.get_mut("group") {
        groups.retain(|g| !name_of(g).is_some_and(|name| secret.iter().any(|s| s == name)));
    }
    forget_unused_names(&mut merged);
    let text = toml::to_string_pretty(&merged).unwrap_or_default();
    files.retain(|(_, name)| {
        text.contains(&format!("{name:?}")) || text.contains(&format!("'{name}'"))
    });
    Ok(Public { text, files })
}

/// Returns the names of secret promises, and of groups that have no other ones.
fn secret_names(contract: &Contract) -> Vec<String> {
    let of_group = |name: &str| {
        let mut inside = contract.promises.iter();
        inside.all(|p| p.secret || p.group.as_deref() != Some(name))
    };
    let groups = contract.groups.iter().filter(|g| of_group(&g.name));
    let groups: Vec<String> = groups.map(|g| g.name.clone()).collect();
    let secret = contract.promises.iter().filter(|p| p.secret);
    secret.map(|p| p.name.clone()).chain(groups).collect()
}

fn name_of(table: &Value) -> Option<&str> {
    table.get("name")?.as_str()
}

/// Notes the files that a text names, which are in its own folder.
fn note_files(table: &Table, folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    let promises = table.get("promise").and_then(Value::as_array);
    let checks = promises
        .into_iter()
        .flatten()
        .filter_map(|p| p.get("check"));
    for value in checks.chain(table.get("helpers")) {
        let names = match value {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            value => value.as_str().into_iter().collect::<Vec<_>>(),
        };
        files.extend(names.into_iter().map(|n| (folder.join(n), n.to_owned())));
    }
}

/// Puts a text over those before.
fn merge(under: &mut Table, over: Table) {
    let without = over.get("without").cloned();
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            _ if key == "extends" || key == "without" => {}
            (Some(Value::Table(old)), Value::Table(new)) => old.extend(new),
            (Some(Value::Array(old)), Value::Array(new)) if key == "promise" || key == "group" => {
                for table in new {
                    let at = old.iter().position(|o| name_of(o) == name_of(&table));
                    match (at.and_then(|at| old.get_mut(at)), table) {
                        (Some(Value::Table(old)), Value::Table(new)) => old.extend(new),
                        (_, table) => old.push(table),
                    }
                }
            }
            (_, value) => _ = under.insert(key, value),
        }
    }
    let gone: Vec<String> = match without {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|n| Some(n.as_str()?.to_owned()))
            .collect(),
        Some(Value::String(name)) => vec![name],
        _ => Vec::new(),
    };
    if let Some(Value::Array(promises)) = under.get_mut("promise") {
        promises.retain(|p| !name_of(p).is_some_and(|name| gone.iter().any(|g| g == name)));
    }
}

/// Removes names from what a promise or a group needs.
fn forget(table: &mut Value, names: &[String]) {
    let Some(table) = table.as_table_mut() else {
        return;
    };
    let is_gone = |need: &Value| need.as_str().is_some_and(|n| names.iter().any(|s| s == n));
    match table.get_mut("needs") {
        Some(Value::Array(needs)) => needs.retain(|need| !is_gone(need)),
        Some(need) if is_gone(need) => _ = table.remove("needs"),
        _ => {}
    }
}

/// Removes the names that only secret promises have: a contract must use all of its names.
fn forget_unused_names(contract: &mut Table) {
    let Some(Value::Table(names)) = contract.remove("names") else {
        return;
    };
    let text = toml::to_string(contract).unwrap_or_default();
    let has_program = text.lines().any(|line| line.starts_with("check = "));
    let used = names.into_iter();
    let used = used.filter(|(name, _)| has_program || text.contains(&format!("${{{name}}}")));
    let used: Table = used.collect();
    if !used.is_empty() {
        contract.insert("names".to_owned(), Value::Table(used));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn public_part_has_no_secret_and_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let promise = |name: &str, more: &str| {
            format!("[[promise]]\nname = '{name}'\ntitle = 'Of {name}.'\n{more}\n")
        };
        let steps = |path: &str| format!("steps = [{{ open = '{path}' }}]");
        let base = [
            "helpers = 'service'\n[names]\nfile = '/x'\nhidden = ['a', 'b']\n".to_owned(),
            "[[group]]\nname = 'dark'\n[[group]]\nname = 'light'\nneeds = ['first', 'quiet']\n"
                .into(),
            promise("first", &steps("${file}")),
            promise("quiet", &format!("secret = true\n{}", steps("/${hidden}"))),
            promise(
                "night",
                &format!("group = 'dark'\nsecret = true\n{}", steps("/n")),
            ),
            promise("gone", &steps("/g")),
            promise(
                "day",
                &format!("group = 'light'\nneeds = 'dark'\n{}", steps("/d")),
            ),
        ];
        write("base/contract.toml", &base.concat());
        write("base/service/Kbuild", "obj-m := service.o\n");
        let over =
            "extends = '../base'\nwithout = 'gone'\n[[promise]]\nname = 'first'\npoints = 7\n";
        write("lab/contract.toml", over);
        let public = public(&dir.path().join("lab"), dir.path()).unwrap();
        for secret in ["quiet", "night", "dark", "hidden", "gone"] {
            assert!(!public.text.contains(secret), "{secret}\n{}", public.text);
        }
        assert_eq!(public.files.len(), 1, "{:?}", public.files);
        write("student/contract.toml", &public.text);
        write("student/service/Kbuild", "obj-m := service.o\n");
        let read = read(&dir.path().join("student"), dir.path(), Seed::default());
        let read = read.unwrap_or_else(|e| panic!("{e}\n{}", public.text));
        let names: Vec<_> = read.promises.iter().map(|p| (&*p.name, p.points)).collect();
        assert_eq!(names, [("first", 7.0), ("day", 1.0)]);
        assert_eq!(read.promises[1].needs, ["first"]);
    }
}
