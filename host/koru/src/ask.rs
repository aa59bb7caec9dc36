// SPDX-License-Identifier: MIT OR Apache-2.0

//! Asks the user questions with two answers.

use std::io::{BufRead, Write};

/// The meaning of an empty answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
}

/// Asks a question on the terminal; an empty answer means `without`.
pub fn ask(question: &str, without: Answer) -> bool {
    let choice = match without {
        Answer::Yes => "[Y/n]",
        Answer::No => "[y/N]",
    };
    eprint!("{question} {choice} ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(0) | Err(_) => false,
        Ok(_) if answer.trim().is_empty() => without == Answer::Yes,
        Ok(_) => matches!(answer.trim(), "y" | "Y" | "yes"),
    }
}
