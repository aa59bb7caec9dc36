// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds pairs of students whose sources share much, by the fingerprints of their tokens
//! (winnowing). A pair is a hint: somebody has to look.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use serde::Serialize;

/// The number of tokens in a row that count as the same code.
const RUN: usize = 16;

/// The number of neighbouring runs of which one is a fingerprint.
const WINDOW: usize = 8;

/// The part of the smaller work's fingerprints from which on a pair is told.
const MUCH: f64 = 0.5;

/// Two students whose sources share much.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    pub students: (String, String),
    /// The part of the smaller work that is in the other one as well.
    pub shared: f64,
}

/// Returns the pairs that share much, the most similar first. What more than half of the class
/// has was probably given to all.
pub fn pairs(works: &[(String, String)]) -> Vec<Pair> {
    let all: Vec<BTreeSet<u64>> = works.iter().map(|(_, text)| fingerprints(text)).collect();
    let mut owners: BTreeMap<u64, usize> = BTreeMap::new();
    for print in all.iter().flatten() {
        *owners.entry(*print).or_default() += 1;
    }
    let is_common = |print: &u64| works.len() > 3 && owners[print] * 2 > works.len();
    let own: Vec<BTreeSet<u64>> = all
        .into_iter()
        .map(|prints| prints.into_iter().filter(|p| !is_common(p)).collect())
        .collect();
    let mut pairs = Vec::new();
    for (i, a) in own.iter().enumerate() {
        for (j, b) in own.iter().enumerate().skip(i + 1) {
            let smaller = a.len().min(b.len());
            // A few lines are alike by chance.
            if smaller < 8 {
                continue;
            }
            let shared = a.intersection(b).count() as f64 / smaller as f64;
            if shared >= MUCH {
                let students = (works[i].0.clone(), works[j].0.clone());
                pairs.push(Pair { students, shared });
            }
        }
    }
    pairs.sort_by(|a, b| b.shared.total_cmp(&a.shared));
    pairs
}

/// Returns the text of all sources in a folder.
pub fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.map(|e| e.path()).collect();
    entries.sort();
    let mut text = String::new();
    for entry in entries {
        if entry.is_dir() {
            text += &sources(&entry);
        } else if let Some("c" | "h" | "rs") = entry.extension().and_then(|e| e.to_str()) {
            let bytes = fs::read(&entry).unwrap_or_default();
            text += &String::from_utf8_lossy(&bytes);
            text.push('\n');
        }
    }
    text
}

fn fingerprints(text: &str) -> BTreeSet<u64> {
    let tokens = tokens(text);
    let hash = |run: &[String]| {
        let mut hasher = DefaultHasher::new();
        run.hash(&mut hasher);
        hasher.finish()
    };
    let runs: Vec<u64> = tokens.windows(RUN).map(hash).collect();
    let windows = runs.windows(WINDOW);
    windows.filter_map(|w| w.iter().min().copied()).collect()
}

/// Returns the tokens of a source. All names are alike, and so are all numbers and texts; comments
/// and includes do not count.
fn tokens(text: &str) -> Vec<String> {
    const WORDS: [&str; 24] = [
        "if", "else", "for", "while", "do", "return", "switch", "case", "break", "continue",
        "static", "struct", "const", "goto", "sizeof", "fn", "let", "mut", "match", "loop", "impl",
        "pub", "use", "mod",
    ];
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") || rest.starts_with("#include") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            tokens.push("text".to_owned());
            end_of_text(rest)
        } else if c.is_alphabetic() || c == '_' {
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let word = &rest[..length];
            let is_word = WORDS.contains(&word);
            tokens.push(if is_word { word } else { "name" }.to_owned());
            length
        } else if c.is_ascii_digit() {
            tokens.push("number".to_owned());
            let is_part = |c: char| c.is_ascii_alphanumeric();
            rest.find(|c| !is_part(c)).unwrap_or(rest.len())
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

fn end_of_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str =
        include_str!("../../../../../contracts/byte_queue/solution/c/byte_queue.c");
    const OTHER: &str = include_str!("../../../../../contracts/proc_timer/solution/c/proc_timer.c");

    fn work(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn renamed_copy_is_found_and_other_work_is_not() {
        let copy = MODULE
            .replace("queue", "buffer")
            .replace("count", "n")
            .replace("/*", "// mine\n/*");
        let found = pairs(&[work("a", MODULE), work("b", OTHER), work("c", &copy)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].students, ("a".into(), "c".into()));
        assert!(found[0].shared > 0.9, "{found:?}");
    }

    #[test]
    fn what_all_were_given_does_not_count() {
        let class = ["a", "b", "c", "d"].map(|name| work(name, MODULE));
        assert_eq!(pairs(&class), []);
        assert_eq!(pairs(&[work("a", "\"\\\""), work("b", "/*")]), []);
    }

    #[test]
    fn tokens_have_neither_names_nor_comments() {
        let all = tokens("#include <x>\nif (a1 /* b */ == 0x1f) // c\n s = \"x \\\" y\";");
        let expected = "if ( name = = number ) name = text ;";
        assert_eq!(all.join(" "), expected);
    }
}
