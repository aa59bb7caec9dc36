// SPDX-License-Identifier: MIT OR Apache-2.0

//! The text that students get: a contract without its secret promises.

use std::fmt::Write;

use crate::contract::{Contract, Judged};

/// Returns what students read, in Markdown.
pub fn handout(contract: &Contract) -> String {
    let mut text = format!("# {}\n", line(&contract.title));
    if !contract.text.trim().is_empty() {
        _ = write!(text, "\n{}\n", contract.text.trim());
    }
    if let Some(module) = &contract.module {
        _ = write!(text, "\nThe module's name is `{module}`.\n");
    }
    text += "\n## What the module promises\n";
    let public = contract.promises.iter().filter(|p| !p.secret);
    for promise in public {
        let points = points(promise.points);
        _ = write!(text, "\n### {} ({points})\n", line(&promise.title));
        if !promise.text.trim().is_empty() {
            _ = write!(text, "\n{}\n", promise.text.trim());
        }
        let needed = contract.promises.iter().filter(|p| !p.secret);
        let needed = needed.filter(|p| promise.needs.contains(&p.name));
        let titles: Vec<String> = needed.map(|p| line(&p.title)).collect();
        if !titles.is_empty() {
            _ = write!(
                text,
                "\nIt is judged only if this holds: {}\n",
                titles.join(" ")
            );
        }
        if let Judged::Program { .. } = promise.judged {
            text += "\nA program checks this.\n";
        }
    }
    let rules: Vec<_> = contract.always.rules().collect();
    if !rules.is_empty() {
        text += "\n## What always holds\n\n";
        for rule in rules {
            _ = writeln!(text, "- {} ({})", line(&rule.title), points(rule.points));
        }
    }
    let secret = contract.promises.iter().filter(|p| p.secret);
    let secret: Vec<f64> = secret.map(|p| p.points).collect();
    if !secret.is_empty() {
        let sum = points(secret.iter().sum());
        let what = match secret.len() {
            1 => "One more promise is".to_owned(),
            n => format!("{n} more promises are"),
        };
        _ = write!(
            text,
            "\n{what} judged that follow from the text above ({sum}).\n"
        );
    }
    text
}

fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

fn points(points: f64) -> String {
    let rounded = (points * 100.0).round() / 100.0;
    match rounded {
        1.0 => "1 point".to_owned(),
        n => format!("{n} points"),
    }
}
