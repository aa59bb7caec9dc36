// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a check found, and how it is shown.

use std::time::Duration;

use clap::ValueEnum;
use koru_error::Error;
use serde::{Serialize, Serializer};

use crate::{cli::Strength, context::Context, failure::ErrorObject, ui::out};

/// What one check led to.
pub enum Outcome {
    /// Nothing was found; the note says what was done.
    Passed(String),
    Found(Error),
    /// It was not done, for this reason.
    Skipped(String),
}

impl Outcome {
    pub fn skipped(why: &str) -> Outcome {
        Outcome::Skipped(why.to_owned())
    }

    fn word(&self) -> &'static str {
        match self {
            Outcome::Passed(_) => "pass",
            Outcome::Found(_) => "FOUND",
            Outcome::Skipped(_) => "skipped",
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (result, note, error) = match self {
            Outcome::Passed(note) => ("pass", Some(note), None),
            Outcome::Found(error) => ("found", None, Some(ErrorObject::from(error))),
            Outcome::Skipped(why) => ("skipped", Some(why), None),
        };
        serde_json::json!({ "result": result, "note": note, "error": error }).serialize(serializer)
    }
}

/// One check, as a line of the report.
#[derive(Serialize)]
pub struct Row {
    strength: Strength,
    #[serde(flatten)]
    outcome: Outcome,
    seconds: f64,
    /// The command that does it again.
    replay: String,
}

impl Row {
    pub fn new(strength: Strength, outcome: Outcome, took: Duration, replay: String) -> Row {
        Row {
            strength,
            outcome,
            seconds: took.as_secs_f64(),
            replay,
        }
    }

    pub fn is_found(&self) -> bool {
        matches!(self.outcome, Outcome::Found(_))
    }

    /// Returns what was found.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Found(error) => Some(error),
            _ => None,
        }
    }

    pub fn show(&self, context: &Context) {
        if context.json {
            return;
        }
        let name = self.strength.to_possible_value();
        let name = name.map_or(String::new(), |value| value.get_name().to_owned());
        let note = match &self.outcome {
            Outcome::Passed(note) | Outcome::Skipped(note) => note,
            Outcome::Found(error) => &error.message,
        };
        let word = self.outcome.word();
        out(&format!(
            "{name:8} {word:8} {note}  ({:.1} s)",
            self.seconds
        ));
    }
}

/// Says how the check of a module ended.
pub fn show_end(context: &Context, module: &str, rows: &[Row]) {
    let found = rows.iter().find(|row| row.is_found());
    match found {
        Some(row) => context.ui.say(&format!(
            "{module}: something was found; again: {}",
            row.replay
        )),
        None => context.ui.say(&format!("{module}: nothing was found")),
    }
}
