// SPDX-License-Identifier: MIT OR Apache-2.0

//! The text that students get: a contract without its secret promises.

use std::fmt::Write;

use crate::contract::{Contract, Group, Judged, Untried};

/// Returns what students read, in Markdown.
pub fn handout(contract: &Contract) -> String {
    let mut text = format!("# {}\n", line(&contract.title));
    if !contract.text.trim().is_empty() {
        _ = write!(text, "\n{}\n", contract.text.trim());
    }
    if let Some(module) = &contract.module {
        _ = write!(text, "\nThe module's name is `{module}`.\n");
    }
    let first = contract.promises.iter().find(|p| !p.secret);
    if first.is_none_or(|p| p.group.is_none()) {
        text += "\n## What the module promises\n";
    }
    let public = contract.promises.iter().filter(|p| !p.secret);
    let mut inside = None;
    for promise in public {
        let group = contract.group_of(promise);
        let name = group.map(|group| &group.name);
        if name != inside {
            text += &match group {
                Some(group) => heading(contract, group),
                None => "\n## What else the module promises\n".to_owned(),
            };
            inside = name;
        }
        let points = points(promise.points);
        _ = write!(text, "\n### {} ({points})\n", line(&promise.title));
        if !promise.text.trim().is_empty() {
            _ = write!(text, "\n{}\n", promise.text.trim());
        }
        let of_group = group.map_or(&[][..], |group| &group.needs);
        let own = promise.needs.iter().filter(|n| !of_group.contains(n));
        text += &needed(contract, &own.collect::<Vec<_>>(), "It is");
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

/// Returns the heading of a group, with all that is said about it.
fn heading(contract: &Contract, group: &Group) -> String {
    let inside = contract.promises.iter();
    let inside = inside.filter(|p| !p.secret && p.group.as_ref() == Some(&group.name));
    let sum = points(inside.map(|p| p.points).sum());
    let mut text = format!("\n## {} ({sum})\n", line(&group.title));
    if !group.text.trim().is_empty() {
        _ = write!(text, "\n{}\n", group.text.trim());
    }
    text + &needed(contract, &group.needs.iter().collect::<Vec<_>>(), "This is")
}

/// Returns a sentence about the public promises that something needs.
fn needed(contract: &Contract, needs: &[&String], what: &str) -> String {
    let needed = contract.promises.iter().filter(|p| !p.secret);
    let needed = needed.filter(|p| needs.contains(&&p.name));
    let titles: Vec<String> = needed.map(|p| line(&p.title)).collect();
    if titles.is_empty() {
        return String::new();
    }
    let cost = match contract.untried {
        Untried::Free => ", and costs nothing otherwise",
        Untried::Lost => "",
    };
    format!(
        "\n{what} judged only if this holds{cost}: {}\n",
        titles.join(" ")
    )
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
