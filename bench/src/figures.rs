// SPDX-License-Identifier: MIT OR Apache-2.0

//! Collects the figures of several rounds, and computes their medians.

use std::{collections::BTreeMap, fmt};

/// The seconds of each round, by the name of what was measured.
#[derive(Default)]
pub struct Figures {
    names: Vec<String>,
    rounds: BTreeMap<String, Vec<f64>>,
    ratios: Vec<(String, String)>,
}

impl Figures {
    pub fn add(&mut self, name: &str, seconds: f64) {
        if !self.rounds.contains_key(name) {
            self.names.push(name.to_owned());
        }
        self.rounds
            .entry(name.to_owned())
            .or_default()
            .push(seconds);
    }

    /// Shows one median as a ratio of another.
    pub fn compare(&mut self, name: &str, with: &str) {
        let ratio = (name.to_owned(), with.to_owned());
        if !self.ratios.contains(&ratio) {
            self.ratios.push(ratio);
        }
    }

    pub fn rounds(&self) -> &BTreeMap<String, Vec<f64>> {
        &self.rounds
    }

    fn median(&self, name: &str) -> f64 {
        median(self.rounds.get(name).map_or(&[], Vec::as_slice))
    }
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => f64::NAN,
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.names.iter().map(String::len).max().unwrap_or(0);
        for name in &self.names {
            let all = &self.rounds[name];
            let least = all.iter().copied().fold(f64::INFINITY, f64::min);
            let most = all.iter().copied().fold(0.0, f64::max);
            let median = self.median(name);
            writeln!(
                f,
                "  {name:width$}  {median:7.2} s  ({least:.2} to {most:.2})"
            )?;
        }
        for (name, with) in &self.ratios {
            let ratio = self.median(name) / self.median(with);
            writeln!(f, "  {name} / {with}: {ratio:.2}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn table_has_medians_and_ratios() {
        let mut figures = Figures::default();
        for (cold, warm) in [(2.0, 0.2), (4.0, 0.3), (3.0, 0.9)] {
            figures.add("cold", cold);
            figures.add("warm", warm);
        }
        figures.compare("warm", "cold");
        let text = figures.to_string();
        assert!(text.contains("cold     3.00 s  (2.00 to 4.00)"), "{text}");
        assert!(text.contains("warm / cold: 0.10"), "{text}");
    }
}
