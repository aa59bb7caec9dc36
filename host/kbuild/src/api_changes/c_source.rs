// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds words, calls and definitions in a C file, and rewrites them.

use std::ops::Range;

use koru_error::Edit;

/// A file of the module's sources.
pub(super) struct CSource {
    /// The path, relative to the folder of the sources.
    pub file: String,
    text: String,
    /// The text with blanks in place of comments and literals.
    mask: String,
    /// Where each line begins.
    starts: Vec<usize>,
}

/// A change of some bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replacement {
    pub range: Range<usize>,
    pub text: String,
}

/// A call, or what looks like one.
pub(super) struct Call {
    /// From the name to the closing parenthesis.
    pub range: Range<usize>,
    pub arguments: Vec<Range<usize>>,
}

/// The definition of a function.
pub(super) struct Function {
    /// The words before the name: `static int `.
    pub before: Range<usize>,
    pub parameters: Vec<Range<usize>>,
    /// The body, with its braces.
    pub body: Range<usize>,
}

impl CSource {
    pub fn new(file: &str, text: String) -> CSource {
        let line_ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let starts = std::iter::once(0).chain(line_ends.map(|(i, _)| i + 1));
        CSource {
            file: file.to_owned(),
            mask: masked(&text),
            starts: starts.collect(),
            text,
        }
    }

    pub fn text(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Returns the text without comments and literals.
    pub fn code(&self, range: Range<usize>) -> &str {
        self.mask.get(range).unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Returns the bytes of a line, whose number begins with 1, with its end.
    pub fn line(&self, number: usize) -> Range<usize> {
        let start = |n: usize| self.starts.get(n).copied().unwrap_or(self.text.len());
        start(number.saturating_sub(1))..start(number)
    }

    pub fn line_text(&self, number: usize) -> &str {
        self.text(self.line(number)).trim_end_matches('\n')
    }

    pub fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// Returns the statement or initialiser that a line is part of, up to eight lines back.
    pub fn statement(&self, number: usize) -> Range<usize> {
        let mut first = number;
        while first > 1 && number - first < 8 {
            let before = self.code(self.line(first - 1)).trim_end();
            let code = self.code(self.line(first).start..self.line(number).end);
            let is_inside = code.matches(')').count() > code.matches('(').count();
            let is_end = before.is_empty() || before.ends_with([';', '{', '}', ',']);
            if !is_inside && is_end && !is_open(before) {
                break;
            }
            first -= 1;
        }
        let rest = self.code(self.line(number).start..self.text.len());
        let end = rest.find(';').map_or(rest.len(), |end| end + 1);
        let line = self.line(number);
        self.line(first).start..(line.start + end).max(line.end)
    }

    /// Returns where a word is in a part of the code.
    pub fn words(&self, word: &str, range: Range<usize>) -> Vec<usize> {
        let code = self.code(range.clone());
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        code.match_indices(word)
            .filter(|(at, _)| {
                !is_part(code[..*at].chars().next_back())
                    && !is_part(code[at + word.len()..].chars().next())
            })
            .map(|(at, _)| range.start + at)
            .collect()
    }

    /// Returns the first call of a function in a part of the code.
    pub fn call(&self, name: &str, range: Range<usize>) -> Option<Call> {
        let mut places = self.words(name, range).into_iter();
        places.find_map(|at| self.call_at(name, at))
    }

    fn call_at(&self, name: &str, at: usize) -> Option<Call> {
        let after = self.code(at + name.len()..self.text.len());
        let open = at + name.len() + (after.len() - after.trim_start().len());
        let close = self.closing(open, ('(', ')'))?;
        Some(Call {
            range: at..close + 1,
            arguments: self.list(open + 1..close),
        })
    }

    /// Splits a list at its commas, and removes the blanks around its elements.
    fn list(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut elements = Vec::new();
        let mut depth = 0_i32;
        let mut start = range.start;
        for (i, c) in self.code(range.clone()).char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => {
                    elements.push(start..range.start + i);
                    start = range.start + i + 1;
                }
                _ => {}
            }
        }
        elements.push(start..range.end);
        let trim = |r: Range<usize>| {
            let text = self.text(r.clone());
            let from = r.start + (text.len() - text.trim_start().len());
            from..(r.end - (text.len() - text.trim_end().len())).max(from)
        };
        elements.into_iter().map(trim).collect()
    }

    fn closing(&self, open: usize, (opens, closes): (char, char)) -> Option<usize> {
        let mut depth = 0;
        for (i, c) in self.code(open..self.text.len()).char_indices() {
            if c == opens {
                depth += 1;
            } else if c == closes {
                depth -= 1;
            }
            if depth == 0 {
                return (c == closes).then_some(open + i);
            }
        }
        None
    }

    /// Returns the function of this name that the file defines.
    pub fn function(&self, name: &str) -> Option<Function> {
        let all = 0..self.text.len();
        self.words(name, all).into_iter().find_map(|at| {
            let call = self.call_at(name, at)?;
            let rest = self.code(call.range.end..self.text.len());
            let open = call.range.end + (rest.len() - rest.trim_start().len());
            if !self.code(open..self.text.len()).starts_with('{') {
                return None;
            }
            let close = self.closing(open, ('{', '}'))?;
            let before = self.code(0..at).rfind([';', '}', '\n', '#']);
            let before = before.map_or(0, |i| i + 1)..at;
            // A call in an `if` has no type before it.
            let is_type = !self.code(before.clone()).trim().is_empty()
                && !self.code(before.clone()).contains(['(', '=']);
            is_type.then_some(Function {
                before,
                parameters: call.arguments,
                body: open..close + 1,
            })
        })
    }

    /// Returns the initialiser of a variable with this type, with its braces, and where the
    /// type is.
    pub fn initializer(&self, of: &str, variable: &str) -> Option<(usize, Range<usize>)> {
        self.words(variable, 0..self.text.len())
            .into_iter()
            .find_map(|at| {
                let before = self.code(0..at);
                let tag = before.rfind(of)?;
                if !before[tag + of.len()..].trim().is_empty() {
                    return None;
                }
                let rest = self.code(at + variable.len()..self.text.len());
                let rest = rest.trim_start().strip_prefix('=')?.trim_start();
                let open = self.text.len() - rest.len();
                let close = self.closing(open, ('{', '}'))?;
                Some((tag, open..close + 1))
            })
    }

    /// Returns the elements of an initialiser, without its braces.
    pub fn elements(&self, braces: &Range<usize>) -> Vec<Range<usize>> {
        self.list(braces.start + 1..braces.end - 1)
    }

    /// Returns an element of a list with the comma, if there is one, and the blanks after it.
    pub fn with_comma(&self, element: Range<usize>) -> Range<usize> {
        let rest = self.code(element.end..self.text.len());
        let Some(after) = rest.trim_start().strip_prefix(',') else {
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            return element.start..element.end + blanks;
        };
        let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
        element.start..self.text.len() - after.len() + blanks
    }

    /// Returns the line above which an `#include` is added: below the last one.
    pub fn include_line(&self) -> usize {
        let is_include = |n: &usize| {
            self.code(self.line(*n))
                .trim_start()
                .starts_with("#include")
        };
        let last = (1..=self.starts.len()).rev().find(is_include);
        last.map_or(1, |n| n + 1)
    }

    pub fn includes(&self, header: &str) -> bool {
        let wanted = format!("<{header}>");
        (1..=self.starts.len()).any(|n| {
            let line = self.text(self.line(n)).trim_start();
            line.starts_with("#include") && line.contains(&wanted)
        })
    }

    /// Returns the lines that these replacements change. Lines of which nothing is left are
    /// removed.
    pub fn edits(&self, mut replacements: Vec<Replacement>) -> Vec<Edit> {
        replacements.sort_by_key(|r| (r.range.start, r.range.end));
        replacements.dedup();
        let mut edits: Vec<(Range<usize>, Vec<Replacement>)> = Vec::new();
        for replacement in replacements {
            let first = self.line_of(replacement.range.start);
            let is_insertion =
                replacement.range.is_empty() && replacement.range.start == self.line(first).start;
            let lines = match is_insertion {
                true => first..first,
                false => first..self.line_of(replacement.range.end.max(1) - 1).max(first) + 1,
            };
            match edits.last_mut() {
                Some((last, parts)) if lines.start < last.end => {
                    last.end = last.end.max(lines.end);
                    // Overlapping changes cannot both be made.
                    if parts
                        .last()
                        .is_none_or(|p| p.range.end <= replacement.range.start)
                    {
                        parts.push(replacement);
                    }
                }
                _ => edits.push((lines, vec![replacement])),
            }
        }
        edits
            .into_iter()
            .map(|(lines, parts)| self.edit(lines, parts))
            .collect()
    }

    fn edit(&self, lines: Range<usize>, parts: Vec<Replacement>) -> Edit {
        let whole = match lines.is_empty() {
            true => self.line(lines.start).start..self.line(lines.start).start,
            false => self.line(lines.start).start..self.line(lines.end - 1).end,
        };
        let mut new = String::new();
        let mut at = whole.start;
        for part in &parts {
            new.push_str(self.text(at..part.range.start));
            new.push_str(&part.text);
            at = part.range.end;
        }
        new.push_str(self.text(at..whole.end.max(at)));
        let old: Vec<String> = lines.map(|n| self.line_text(n).to_owned()).collect();
        let is_left =
            |line: &&str| !line.trim().is_empty() || old.iter().any(|o| o.trim().is_empty());
        Edit {
            file: self.file.clone(),
            line: self.line_of(whole.start),
            new: new.lines().filter(is_left).map(str::to_owned).collect(),
            old,
        }
    }
}

/// Returns whether a line ends in the middle of a call's arguments.
fn is_open(code: &str) -> bool {
    code.ends_with(',') && code.matches('(').count() > code.matches(')').count()
}

/// Replaces comments and literals by blanks, byte for byte.
fn masked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut mask = bytes.to_vec();
    let mut i = 0;
    while i < bytes.len() {
        let rest = &bytes[i..];
        let end = if rest.starts_with(b"/*") {
            find(rest, b"*/", 2).map(|e| e + 2)
        } else if rest.starts_with(b"//") {
            find(rest, b"\n", 2)
        } else if rest[0] == b'"' || rest[0] == b'\'' {
            literal_end(rest)
        } else {
            i += 1;
            continue;
        };
        let end = i + end.unwrap_or(rest.len());
        for byte in &mut mask[i..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        // An argument that is a text must not look like nothing at all.
        if rest[0] != b'/' {
            mask[i] = b'"';
        }
        i = end;
    }
    // Other bytes than ASCII are in comments and literals only, or the file is not C.
    let ascii = mask
        .into_iter()
        .map(|b| if b.is_ascii() { b } else { b' ' });
    ascii.map(char::from).collect()
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let at = rest.windows(wanted.len()).position(|w| w == wanted)?;
    Some(from + at)
}

fn literal_end(bytes: &[u8]) -> Option<usize> {
    let mut i = 1;
    while i < bytes.len() && bytes[i] != b'\n' {
        match bytes[i] {
            b'\\' => i += 2,
            b if b == bytes[0] => return Some(i + 1),
            _ => i += 1,
        }
    }
    Some(i.min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> CSource {
        CSource::new("a.c", text.to_owned())
    }

    #[test]
    fn calls_have_their_arguments() {
        let s = source("x = f(a, g(b, c), \"d, e\" /* , */);\n");
        let call = s.call("f", 0..s.len()).expect("a call");
        let arguments: Vec<&str> = call.arguments.iter().map(|a| s.text(a.clone())).collect();
        assert_eq!(arguments[..2], ["a", "g(b, c)"]);
        assert!(arguments[2].starts_with("\"d, e\"") && arguments.len() == 3);
        assert!(s.call("ff", 0..s.len()).is_none());
        assert!(source("// f(a)\n").call("f", 0..7).is_none());
    }

    #[test]
    fn definitions_are_told_from_calls_and_declarations() {
        let s = source("int f(int a);\nstatic int f(int a)\n{\n\treturn f(a);\n}\n");
        let f = s.function("f").expect("a definition");
        assert_eq!(s.text(f.before), "static int ");
        assert_eq!(s.text(f.body), "{\n\treturn f(a);\n}");
    }

    #[test]
    fn edits_keep_other_lines_and_drop_empty_ones() {
        let s = source("a\n\tb = 1;\nc d\n");
        let at = |word: &str| s.words(word, 0..s.len())[0];
        let edits = s.edits(vec![
            Replacement {
                range: at("b")..at("b") + 6,
                text: String::new(),
            },
            Replacement {
                range: at("d")..at("d") + 1,
                text: "e".into(),
            },
            Replacement {
                range: 0..0,
                text: "#include <x>\n".into(),
            },
        ]);
        let shown: Vec<_> = edits
            .iter()
            .map(|e| (e.line, &e.old[..], &e.new[..]))
            .collect();
        let text = |t: &str| vec![t.to_owned()];
        assert_eq!(shown.len(), 3);
        assert_eq!(shown[0], (1, &[][..], &text("#include <x>")[..]));
        assert_eq!(shown[1], (2, &text("\tb = 1;")[..], &[][..]));
        assert_eq!(shown[2], (3, &text("c d")[..], &text("c e")[..]));
    }
}
