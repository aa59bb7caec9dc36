// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rewrites lines for the kernel's new API. Whatever is not as expected is left alone.

use std::ops::Range;

use super::{
    c_source::{CSource, Replacement},
    change::{Rewrite, Site},
};

pub(super) mod files;
pub(super) mod memory;
pub(super) mod timers;

impl Rewrite {
    /// Replaces a word on the line of an error.
    pub fn words_on(site: &Site<'_>, old: &str, new: &str) -> Vec<Replacement> {
        let Site { source, line } = site;
        let places = source.words(old, source.line(*line)).into_iter();
        // Together with a word that is removed, the blank after it goes.
        let is_blank = |end: usize| source.code(end..source.len()).starts_with(' ');
        let end = |end: usize| end + usize::from(new.is_empty() && is_blank(end));
        places
            .map(|at| replace(at..end(at + old.len()), new))
            .collect()
    }

    pub fn apply(&self, site: &Site<'_>) -> Vec<Replacement> {
        let Site { source, line } = site;
        match self {
            Rewrite::Words(pairs) => {
                let words = pairs
                    .iter()
                    .map(|(old, new)| Rewrite::words_on(site, old, new));
                words.flatten().collect()
            }
            Rewrite::Call(name, arguments, template) => {
                let Some(call) = source.call(name, source.statement(*line)) else {
                    return Vec::new();
                };
                if call.arguments.len() != *arguments {
                    return Vec::new();
                }
                let mut text = (*template).to_owned();
                for (i, argument) in call.arguments.iter().enumerate() {
                    text = text.replace(&format!("${}", i + 1), source.text(argument.clone()));
                }
                vec![replace(call.range, text)]
            }
            Rewrite::Member(old, new) => {
                let places = source.words(old, source.line(*line)).into_iter();
                let is_member = |at: &usize| source.code(0..*at).ends_with(['.', '>']);
                let replace = |at| replace(at..at + old.len(), *new);
                places.filter(is_member).map(replace).collect()
            }
            Rewrite::DropMember(name) => drop_member(source, source.line(*line), name),
            Rewrite::Custom(rewrite) => rewrite(site),
        }
    }
}

/// Returns a replacement.
fn replace(range: Range<usize>, text: impl Into<String>) -> Replacement {
    let text = text.into();
    Replacement { range, text }
}

/// Removes `.name = VALUE,` from an initialiser.
fn drop_member(source: &CSource, range: Range<usize>, name: &str) -> Vec<Replacement> {
    let words = source.words(name, range).into_iter();
    let is_member = |at: &usize| source.code(0..*at).ends_with('.');
    let drop = |at: usize| {
        let rest = source.code(at..source.len());
        let mut depth = 0_i32;
        let end = rest.char_indices().find(|(_, c)| {
            depth += i32::from(matches!(c, '(' | '{')) - i32::from(matches!(c, ')' | '}'));
            depth < 0 || (depth == 0 && *c == ',')
        });
        let (end, _) = end?;
        Some(replace(source.with_comma(at - 1..at + end), ""))
    };
    words.filter(is_member).filter_map(drop).collect()
}

/// Returns the value of the member `name` in an initialiser on this line, if it is a name.
fn member_value<'a>(source: &'a CSource, line: usize, name: &str) -> Option<&'a str> {
    let at = source.words(name, source.line(line)).into_iter().next()?;
    let rest = source.code(at + name.len()..source.len()).trim_start();
    let value = rest.strip_prefix('=')?.trim_start();
    let end = value.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some(&value[..end]).filter(|v| !v.is_empty())
}

/// Returns the name of a parameter: the last word of its declaration.
fn parameter_name<'a>(source: &'a CSource, parameter: &Range<usize>) -> &'a str {
    let code = source.code(parameter.clone()).trim_end();
    let start = code.rfind(|c: char| !c.is_alphanumeric() && c != '_');
    &code[start.map_or(0, |i| i + 1)..]
}

/// Makes the function that a member points to return nothing.
pub(super) fn return_nothing(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let Some(function) = ["remove"]
        .iter()
        .find_map(|member| member_value(source, *line, member))
        .and_then(|name| source.function(name))
    else {
        return Vec::new();
    };
    let [at] = source.words("int", function.before.clone())[..] else {
        return Vec::new();
    };
    let mut all = vec![replace(at..at + 3, "void")];
    for at in source.words("return", function.body.clone()) {
        let rest = source.code(at..function.body.end);
        let Some(end) = rest.find(';') else {
            return Vec::new();
        };
        // What is returned may be a call that has to stay.
        if rest["return".len()..end].contains('(') {
            return Vec::new();
        }
        let is_last = rest[end + 1..].trim() == "}";
        let text = if is_last { "" } else { "return;" };
        all.push(replace(at..at + end + 1, text));
    }
    all
}

/// Makes the argument of `MODULE_IMPORT_NS` a text.
pub(super) fn import_as_text(site: &Site<'_>) -> Vec<Replacement> {
    import(site, |name| format!("\"{name}\""))
}

fn import(site: &Site<'_>, write: impl Fn(&str) -> String) -> Vec<Replacement> {
    let Site { source, line } = site;
    let call = source.call("MODULE_IMPORT_NS", source.line(*line));
    let argument = call.and_then(|call| call.arguments.first().cloned());
    argument
        .map(|range| {
            let name = source.text(range.clone()).trim_matches('"');
            replace(range.clone(), write(name))
        })
        .into_iter()
        .collect()
}

/// Makes the argument of `MODULE_IMPORT_NS` a plain word.
pub(super) fn import_as_word(site: &Site<'_>) -> Vec<Replacement> {
    import(site, str::to_owned)
}
