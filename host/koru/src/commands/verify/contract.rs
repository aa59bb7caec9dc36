// SPDX-License-Identifier: MIT OR Apache-2.0

//! A course's own version of a contract: a TOML file that overrides Koru's. The file is
//! checked here, so that no test starts with a wrong one.

use std::{fs, path::Path};

use koru_error::{Error, Kind, Result};
use koru_kernels::nearest;
use nix::errno::Errno;
use toml::{Table, Value};

/// Reads a course's file; `ours` is the contract that it overrides.
pub fn read(ours: &Path, theirs: &Path) -> Result<Vec<u8>> {
    let under = match ours.is_file() {
        true => parse(ours)?.1,
        false => Table::new(),
    };
    let (text, over) = parse(theirs)?;
    check(&under, &over).map_err(|(message, help)| {
        let attempted = format!("reading the contract {}", theirs.display());
        Error::new(Kind::Usage, attempted, message).help(help)
    })?;
    Ok(text.into_bytes())
}

fn parse(path: &Path) -> Result<(String, Table)> {
    let text = fs::read_to_string(path).map_err(|e| {
        let attempted = format!("reading the contract {}", path.display());
        Error::new(Kind::Usage, attempted, e.to_string())
    })?;
    let table = text.parse().map_err(|e: toml::de::Error| {
        let attempted = format!("reading the contract {}", path.display());
        Error::new(Kind::Usage, attempted, "it is not TOML").output(e.to_string())
    })?;
    Ok((text, table))
}

/// Checks a course's file against Koru's; the error is what is wrong, and what to do.
fn check(ours: &Table, theirs: &Table) -> std::result::Result<(), (String, String)> {
    let known = leaves(ours, "");
    for (key, value) in leaves(theirs, "") {
        let Some((_, wanted)) = known.iter().find(|(k, _)| *k == key) else {
            let names = || known.iter().map(|(k, _)| k.as_str());
            let near = nearest(&key, names());
            let help = match &near[..] {
                [] if known.is_empty() => {
                    "this contract has no values that a course may change".to_owned()
                }
                [] => format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
                near => format!("did you mean {}?", near.join(" or ")),
            };
            return Err((format!("there is no `{key}` in this contract"), help));
        };
        let ours = format!("Koru's contract says: {key} = {wanted}");
        if !value.same_type(wanted) {
            let message = format!(
                "`{key}` is of type {}, not {}",
                wanted.type_str(),
                value.type_str()
            );
            return Err((message, ours));
        }
        let (Some(is), Some(was)) = (value.as_str(), wanted.as_str()) else {
            continue;
        };
        let errors = errors();
        if errors.iter().any(|e| e == was) && !errors.iter().any(|e| e == is) {
            let near = nearest(is, errors.iter().map(String::as_str));
            let help = match &near[..] {
                [] => ours,
                near => format!("did you mean {}?", near.join(" or ")),
            };
            return Err((
                format!("`{key}` is an error number, and there is none called `{is}`"),
                help,
            ));
        }
    }
    Ok(())
}

/// Returns the values of a table with their dotted keys.
fn leaves<'a>(table: &'a Table, prefix: &str) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => found.extend(leaves(inner, &format!("{key}."))),
            value => found.push((key, value)),
        }
    }
    found
}

/// Returns the names of all errnos.
fn errors() -> Vec<String> {
    let named = (1..134).map(Errno::from_raw);
    named
        .filter(|e| *e != Errno::UnknownErrno)
        .map(|e| format!("{e:?}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(theirs: &str) -> std::result::Result<(), (String, String)> {
        let ours = "file = '/proc/x'\nlimit = 5\n[errors]\nfull = 'EACCES'\nempty = 'EACCES'\n";
        check(&ours.parse().unwrap(), &theirs.parse().unwrap())
    }

    #[test]
    fn what_is_known_may_differ() {
        assert_eq!(checked(""), Ok(()));
        assert_eq!(
            checked("file = '/proc/y'\nerrors.full = 'ENOSPC'\nlimit = 7"),
            Ok(())
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let (message, help) = checked("errors.ful = 'ENOSPC'").unwrap_err();
        assert_eq!(message, "there is no `errors.ful` in this contract");
        assert!(help.starts_with("did you mean errors.full"), "{help}");
        let (message, help) = checked("limit = '5'").unwrap_err();
        assert_eq!(message, "`limit` is of type integer, not string");
        assert_eq!(help, "Koru's contract says: limit = 5");
        let (message, help) = checked("errors.full = 'ENOSPACE'").unwrap_err();
        assert!(
            message.contains("there is none called `ENOSPACE`"),
            "{message}"
        );
        assert!(help.contains("ENOSPC"), "{help}");
        // These have a table where a value was, and a value where a table was.
        assert!(checked("[file]\nname = 'x'").is_err());
        assert!(checked("errors = 'EIO'").is_err());
    }
}
