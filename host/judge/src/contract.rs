// SPDX-License-Identifier: MIT OR Apache-2.0

//! A contract: what a module promises, and what each promise is worth.

use std::{path::PathBuf, time::Duration};

use crate::step::Step;

/// A contract, as its folder says it.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The name of the folder.
    pub name: String,
    pub folder: PathBuf,
    pub title: String,
    /// What students read about the whole.
    pub text: String,
    /// The name that the module has to have, if the contract says.
    pub module: Option<String>,
    /// Modules that are loaded before the module, by their files or folders.
    pub helpers: Vec<PathBuf>,
    /// Symbols of the kernel that are no reason to look at a module.
    pub usual: Vec<String>,
    /// How long a promise may take, with all of its steps.
    pub limit: Duration,
    /// The names of the contract, with what they stand for.
    pub names: Vec<(String, String)>,
    /// What a promise costs that is not tried because another one is not kept.
    pub untried: Untried,
    pub groups: Vec<Group>,
    /// The promises, in their order.
    pub promises: Vec<Promise>,
    pub always: Always,
}

/// What a promise costs that is not tried, because one that it needs is not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Untried {
    /// Nothing: its points do not count.
    #[default]
    Free,
    /// All of its points.
    Lost,
}

/// Promises that belong together.
#[derive(Debug, Clone)]
pub struct Group {
    pub name: String,
    pub title: String,
    /// What the student reads.
    pub text: String,
    /// The promises without which none of the group is tried.
    pub needs: Vec<String>,
}

/// Something that the module promises.
#[derive(Debug, Clone)]
pub struct Promise {
    pub name: String,
    pub title: String,
    /// What the student reads.
    pub text: String,
    pub points: f64,
    /// Whether students do not read about it before their work is judged.
    pub secret: bool,
    /// The name of the group that it belongs to.
    pub group: Option<String>,
    /// The promises without which this one is not tried, also those that its group needs.
    pub needs: Vec<String>,
    pub judged: Judged,
}

/// How a promise is judged.
#[derive(Debug, Clone)]
pub enum Judged {
    Steps(Vec<Step>),
    /// A program, source or script of the folder, while the module is loaded with these
    /// parameters.
    Program {
        file: PathBuf,
        parameters: Vec<String>,
    },
}

/// What holds whatever a module is for.
#[derive(Debug, Clone)]
pub struct Always {
    pub no_crash: Rule,
    pub no_report: Rule,
    pub nothing_left: Rule,
}

/// One rule of [`Always`].
#[derive(Debug, Clone)]
pub struct Rule {
    /// Whether the contract has the rule.
    pub on: bool,
    pub points: f64,
    pub name: &'static str,
    pub title: String,
}

impl Rule {
    fn new(name: &'static str, title: &str) -> Rule {
        Rule {
            on: true,
            points: 1.0,
            name,
            title: title.to_owned(),
        }
    }
}

impl Default for Always {
    fn default() -> Always {
        Always {
            no_crash: Rule::new(
                "no-crash",
                "The kernel never crashes or hangs because of the module.",
            ),
            no_report: Rule::new(
                "no-report",
                "The kernel never finds anything wrong: no warning, no misuse of memory or locks.",
            ),
            nothing_left: Rule::new(
                "nothing-left",
                "When the module is unloaded, nothing of it is left in the kernel.",
            ),
        }
    }
}

impl Always {
    /// Returns the rules that the contract has.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let all = [&self.no_crash, &self.no_report, &self.nothing_left];
        all.into_iter().filter(|rule| rule.on)
    }
}

impl Contract {
    /// Returns the group of a promise.
    pub fn group_of(&self, promise: &Promise) -> Option<&Group> {
        let name = promise.group.as_ref()?;
        self.groups.iter().find(|group| group.name == *name)
    }

    /// Returns all points that a module can have.
    pub fn points(&self) -> f64 {
        let promises = self.promises.iter().map(|p| p.points);
        let rules = self.always.rules().map(|r| r.points);
        promises.chain(rules).sum()
    }
}
