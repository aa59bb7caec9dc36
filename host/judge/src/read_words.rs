// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the words that several kinds of steps have.

use koru_error::Result;
use nix::errno::Errno;

use crate::{fields::Fields, step::OpenFlags};

/// Takes the flags of an open, with their words.
pub fn open_flags(fields: &mut Fields) -> Result<(OpenFlags, String)> {
    let flags = fields.string("flags")?.unwrap_or_else(|| "r".into());
    let parsed = OpenFlags::parse(&flags).map_err(|word| {
        let message = format!("`{word}` is no flag of open");
        let known = OpenFlags::names();
        fields.text.unknown(&fields.span, message, &word, known)
    })?;
    Ok((parsed, flags))
}

/// Takes the names of errors, with their numbers.
pub fn errors(fields: &mut Fields, key: &'static str) -> Result<Vec<(String, i32)>> {
    let named = (1..134).map(Errno::from_raw);
    let known: Vec<(String, i32)> = named
        .filter(|e| *e != Errno::UnknownErrno)
        .map(|e| (format!("{e:?}"), e as i32))
        .collect();
    let mut errors = Vec::new();
    for (name, span) in fields.strings(key)?.unwrap_or_default() {
        let found = known.iter().find(|(known, _)| *known == name);
        errors.push(found.cloned().ok_or_else(|| {
            let names = known.iter().map(|(name, _)| name.as_str());
            let message = format!("there is no error number called `{name}`");
            fields.text.unknown(&span, message, &name, names)
        })?);
    }
    Ok(errors)
}
