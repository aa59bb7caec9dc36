// SPDX-License-Identifier: MIT OR Apache-2.0

//! The results, as a table for people and as JSON.

use serde::Serialize;

use super::profile::{self, Profile};
use crate::ui;

/// The results of one measurement.
#[derive(Serialize)]
pub struct Report {
    pub kernel: String,
    /// The modules, in the order of the values of each row.
    pub modules: Vec<String>,
    /// What the kernel itself takes for calls that reach no module.
    pub floors: Vec<Row>,
    pub rows: Vec<Row>,
}

/// One row: what each module takes for the same thing.
#[derive(Serialize)]
pub struct Row {
    pub name: String,
    pub unit: Unit,
    pub values: Vec<Value>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Instructions,
    Bytes,
}

/// A value of a row. The numbers other than `median` belong to operations only.
#[derive(Serialize, Default)]
pub struct Value {
    pub median: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// The result of the last counted call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The first module's value divided by this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

impl Value {
    pub fn number(median: u64) -> Value {
        Value {
            median: Some(median),
            ..Value::default()
        }
    }
}

impl Row {
    pub fn new(name: &str, unit: Unit, mut values: Vec<Value>) -> Row {
        let first = values.first().and_then(|value| value.median);
        for value in values.iter_mut().skip(1) {
            let ratio = first.zip(value.median).filter(|(_, other)| *other > 0);
            value.ratio = ratio.map(|(first, other)| round(first as f64 / other as f64));
        }
        Row {
            name: name.to_owned(),
            unit,
            values,
        }
    }

    /// Returns whether the modules' calls had different results.
    fn differs(&self) -> bool {
        let returned = self.values.iter().map(|v| v.returned);
        let mut returned: Vec<u64> = returned.flatten().collect();
        returned.dedup();
        returned.len() > 1
    }
}

/// Rounds to four decimals, which are more than a reader needs.
fn round(ratio: f64) -> f64 {
    (ratio * 10_000.0).round() / 10_000.0
}

impl Report {
    /// Returns the table, with what is to be known of its rows below it.
    pub fn table(&self) -> String {
        let mut header = vec![String::new()];
        for (n, module) in self.modules.iter().enumerate() {
            header.push(module.clone());
            if n > 0 {
                header.push("ratio".into());
            }
        }
        let mut notes = Vec::new();
        let mut lines: Vec<Vec<String>> = Vec::new();
        for row in &self.rows {
            let mut line = vec![row.name.clone()];
            for (n, value) in row.values.iter().enumerate() {
                line.push(value.median.map_or("-".into(), |n| n.to_string()));
                if n > 0 {
                    line.push(value.ratio.map_or("-".into(), |r| format!("{r:.2}")));
                }
                if let Some(error) = &value.error {
                    notes.push(format!("{}, {}: {error}", row.name, self.modules[n]));
                }
            }
            if row.differs() {
                let results = row.values.iter().map(|v| match v.returned {
                    Some(returned) => returned.to_string(),
                    None => "-".into(),
                });
                let results: Vec<String> = results.collect();
                notes.push(format!(
                    "{}: the calls returned {}",
                    row.name,
                    results.join(", ")
                ));
            }
            lines.push(line);
        }
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let mut text = ui::table(&header, &lines);
        if !self.floors.is_empty() {
            let floors = self.floors.iter().filter_map(|row| {
                let median = row.values.first()?.median?;
                Some(format!("{} {median}", row.name))
            });
            let floors: Vec<String> = floors.collect();
            text.push_str(&format!("\n\nThe kernel alone: {}", floors.join(", ")));
        }
        for note in notes {
            text.push_str(&format!("\nnote: {note}"));
        }
        text
    }

    /// Returns a table for each row that has profiles.
    pub fn profiles(&self) -> Vec<String> {
        let rows = self.rows.iter().filter_map(|row| {
            let profiles = row.values.iter().map(|value| value.profile.as_ref());
            let profiles: Option<Vec<&Profile>> = profiles.collect();
            let table = profile::table(&self.modules, &profiles?);
            Some(format!("\n{}\n{table}", row.name))
        });
        rows.collect()
    }

    /// Returns everything as text.
    pub fn text(&self) -> String {
        let mut parts = vec![self.table()];
        parts.extend(self.profiles());
        parts.join("\n")
    }

    /// Returns whether an operation failed in a module.
    pub fn has_failures(&self) -> bool {
        let values = self.rows.iter().flat_map(|row| &row.values);
        values.into_iter().any(|value| value.error.is_some())
    }
}
