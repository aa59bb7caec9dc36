// SPDX-License-Identifier: MIT OR Apache-2.0

//! Explanations of what a compiler or a linker complained about.

use std::fmt;

use serde::Serialize;

/// An explanation of one cause of a failed build, which may have made many errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// What is wrong, and since when, in one or two sentences.
    pub message: String,
    /// The user's line that the hint is about, if there is one.
    pub place: Option<Place>,
    /// The user's lines as they would be written.
    pub edits: Vec<Edit>,
    /// How it would be written, where the user's own lines cannot be rewritten.
    pub example: Option<String>,
}

/// A line of a source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file's path, relative to the folder of the sources.
    pub file: String,
    pub line: usize,
    pub text: String,
}

/// Lines of a source file, and what to write in their place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The file's path, relative to the folder of the sources.
    pub file: String,
    /// The number of the first line that is replaced. Without old lines, the new ones go before
    /// this line.
    pub line: usize,
    pub old: Vec<String>,
    pub new: Vec<String>,
}

/// The number of edits that are shown in full.
const SHOWN: usize = 8;

impl fmt::Display for Hint {
    /// Formats the hint as rustc formats its suggestions, without the word `help` before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        let numbers = self.edits.iter().map(|e| e.line + e.old.len().max(1));
        let largest = numbers.chain(self.place.iter().map(|p| p.line)).max();
        let width = largest.unwrap_or(0).to_string().len();
        let mut shown = None;
        let is_edited = |p: &Place| {
            let mut edits = self.edits.iter().filter(|e| e.file == p.file);
            edits.any(|e| (e.line..e.line + e.old.len()).contains(&p.line))
        };
        if let Some(place) = self.place.as_ref().filter(|p| !is_edited(p)) {
            write!(f, "\n{:width$}--> {}:{}", "", place.file, place.line)?;
            write!(f, "\n{:width$} |", "")?;
            write!(f, "\n{:>width$} | {}", place.line, place.text.trim_end())?;
            shown = Some(&place.file);
        }
        for edit in self.edits.iter().take(SHOWN) {
            if shown == Some(&edit.file) {
                write!(f, "\n{:width$} |", "")?;
            } else {
                write!(f, "\n{:width$}--> {}:{}", "", edit.file, edit.line)?;
                write!(f, "\n{:width$} |", "")?;
                shown = Some(&edit.file);
            }
            for (sign, lines) in [('-', &edit.old), ('+', &edit.new)] {
                for (i, line) in lines.iter().enumerate() {
                    let number = edit.line + i;
                    write!(f, "\n{number:>width$} {sign} {}", line.trim_end())?;
                }
            }
        }
        if let Some(more) = self.edits.get(SHOWN..).filter(|more| !more.is_empty()) {
            let lines: Vec<String> = more.iter().map(|e| e.line.to_string()).collect();
            write!(
                f,
                "\n{:width$} = and likewise in line {}",
                "",
                lines.join(", ")
            )?;
        }
        if let Some(example) = &self.example {
            write!(f, "\n{:width$} = write: ", "")?;
            let indent = width + " = write: ".len();
            for (i, line) in example.lines().enumerate() {
                match i {
                    0 => write!(f, "{line}")?,
                    _ => write!(f, "\n{:indent$}{line}", "")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(line: usize, old: &[&str], new: &[&str]) -> Edit {
        let owned = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect();
        Edit {
            file: "a.c".into(),
            line,
            old: owned(old),
            new: owned(new),
        }
    }

    #[test]
    fn line_and_its_rewriting_are_shown_below_each_other() {
        let hint = Hint {
            message: "the name changed in Linux 6.15".into(),
            place: Some(Place {
                file: "a.c".into(),
                line: 12,
                text: "\tdel_timer(&t);".into(),
            }),
            edits: vec![edit(12, &["\tdel_timer(&t);"], &["\ttimer_delete(&t);"])],
            example: None,
        };
        let wanted = "the name changed in Linux 6.15\n  --> a.c:12\n   |\n\
                      12 - \tdel_timer(&t);\n12 + \ttimer_delete(&t);";
        assert_eq!(hint.to_string(), wanted);
    }

    #[test]
    fn place_without_edit_is_shown_with_the_example() {
        let hint = Hint {
            message: "gone".into(),
            place: Some(Place {
                file: "a.c".into(),
                line: 3,
                text: "f();".into(),
            }),
            edits: vec![edit(2, &[], &["#include <linux/g.h>"])],
            example: Some("g();\nh();".into()),
        };
        let wanted = "gone\n --> a.c:3\n  |\n3 | f();\n  |\n2 + #include <linux/g.h>\n  \
                      = write: g();\n           h();";
        assert_eq!(hint.to_string(), wanted);
    }
}
