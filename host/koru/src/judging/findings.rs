// SPDX-License-Identifier: MIT OR Apache-2.0

//! What was found out about a module.

use koru_decode::Decoded;
use koru_judge::{Contract, Promise, Rule, Score, Untried, Verdict, score};
use koru_klog::escape_control_chars;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::log::oops::Log;

/// The result of judging one promise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PromiseResult {
    pub name: String,
    pub title: String,
    pub secret: bool,
    /// Whether it is a rule that holds for every module.
    pub always: bool,
    /// The title of the group that it belongs to.
    pub group: Option<String>,
    /// What it needs and was not kept, so that it was not tried.
    pub unmet: Option<String>,
    #[serde(serialize_with = "name_of", deserialize_with = "verdict")]
    pub result: Verdict,
    pub points: f64,
    /// The points that it is worth.
    pub of: f64,
    /// The number of the step that was not kept, from 1 on, and its line in the contract.
    pub step: Option<usize>,
    pub line: Option<usize>,
    /// What was done.
    pub done: Option<String>,
    /// What had to happen then.
    pub promised: Option<String>,
    /// What happened instead.
    pub seen: Option<String>,
    /// The kernel's log of that time, if the promise was not kept.
    pub log: Vec<String>,
    #[serde(skip_deserializing)]
    pub decoded: Vec<Decoded>,
    /// The log with its oopses decoded.
    pub shown_log: String,
    pub seconds: f64,
}

fn name_of<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(verdict.name())
}

fn verdict<'de, D: Deserializer<'de>>(from: D) -> Result<Verdict, D::Error> {
    let name = String::deserialize(from)?;
    let all = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Crash,
        Verdict::Undecided,
        Verdict::NotTried,
    ];
    let found = all.into_iter().find(|v| v.name() == name);
    found.ok_or_else(|| serde::de::Error::custom(format!("there is no verdict {name}")))
}

impl PromiseResult {
    /// Returns the result of a promise that was kept.
    pub fn kept(contract: &Contract, promise: &Promise) -> PromiseResult {
        PromiseResult {
            secret: promise.secret,
            group: contract.group_of(promise).map(|group| group.title.clone()),
            ..PromiseResult::pass(&promise.name, &promise.title, promise.points)
        }
    }

    /// Returns the result of a rule that was kept.
    pub fn of_rule(rule: &Rule) -> PromiseResult {
        PromiseResult {
            always: true,
            ..PromiseResult::pass(rule.name, &rule.title, rule.points)
        }
    }

    fn pass(name: &str, title: &str, points: f64) -> PromiseResult {
        PromiseResult {
            name: name.to_owned(),
            title: title.to_owned(),
            secret: false,
            always: false,
            group: None,
            unmet: None,
            result: Verdict::Pass,
            points,
            of: points,
            step: None,
            line: None,
            done: None,
            promised: None,
            seen: None,
            log: Vec::new(),
            decoded: Vec::new(),
            shown_log: String::new(),
            seconds: 0.0,
        }
    }

    /// Returns the result with a verdict without points, and what was seen.
    pub fn broken(self, result: Verdict, seen: impl Into<String>) -> PromiseResult {
        PromiseResult {
            result,
            points: 0.0,
            seen: Some(escape_control_chars(&seen.into())),
            ..self
        }
    }

    /// Returns the result of a promise that was neither kept nor broken. It counts neither way.
    pub fn undecided(self, why: &str) -> PromiseResult {
        PromiseResult {
            of: 0.0,
            ..self.broken(Verdict::Undecided, why)
        }
    }

    /// Returns the result of a promise that was not tried, because it needs another one.
    pub fn unmet(self, need: &str, cost: Untried) -> PromiseResult {
        let (of, words) = match cost {
            Untried::Free => (0.0, "; it costs nothing"),
            Untried::Lost => (self.of, ""),
        };
        let why = format!("not tried, because this is not kept: {need}{words}");
        PromiseResult {
            of,
            unmet: Some(escape_control_chars(need)),
            ..self.broken(Verdict::NotTried, why)
        }
    }

    /// Returns whether it was found out that the promise is kept or broken, or that nothing of
    /// the module can be tried.
    pub fn is_decided(&self) -> bool {
        self.result != Verdict::Undecided && self.unmet.is_none()
    }

    pub fn with_log(self, log: &Log) -> PromiseResult {
        PromiseResult {
            log: log.lines.clone(),
            decoded: log.decoded.clone(),
            shown_log: log.shown.clone(),
            ..self
        }
    }

    /// Returns what was done, promised and seen, as lines.
    pub fn words(&self) -> String {
        let step = self.step.map(|n| format!("step {n}: "));
        let part = |head: &str, text: &Option<String>| Some(format!("{head}{}", text.as_ref()?));
        let seen = if self.promised.is_some() {
            "seen: "
        } else {
            ""
        };
        let lines = [
            part(step.as_deref().unwrap_or_default(), &self.done),
            part("promised: ", &self.promised),
            part(seen, &self.seen),
        ];
        lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

/// All that was found out about a module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Findings {
    pub contract: String,
    pub title: String,
    pub module: String,
    pub kernel: String,
    pub points: f64,
    pub of: f64,
    /// The output of the build, if it failed.
    pub build_output: Option<String>,
    pub interrupted: bool,
    /// Symbols that the module uses and that the teacher may want to look at.
    #[serde(default)]
    pub marks: Vec<String>,
    pub promises: Vec<PromiseResult>,
}

impl Findings {
    pub fn new(
        contract: &Contract,
        module: &str,
        kernel: &str,
        promises: Vec<PromiseResult>,
    ) -> Findings {
        let sum = score(promises.iter().map(|p| (p.points, p.of)));
        Findings {
            contract: contract.name.clone(),
            title: contract.title.clone(),
            module: module.to_owned(),
            kernel: kernel.to_owned(),
            points: sum.points,
            of: sum.of,
            build_output: None,
            interrupted: false,
            marks: Vec::new(),
            promises,
        }
    }

    /// Returns the findings about a module with which nothing could be tried.
    pub fn untried(contract: &Contract, module: &str, kernel: &str, why: &str) -> Findings {
        let promises = contract.promises.iter();
        let promises = promises.map(|p| PromiseResult::kept(contract, p));
        let rules = contract.always.rules().map(PromiseResult::of_rule);
        let results = promises.chain(rules);
        let results = results.map(|result| result.broken(Verdict::NotTried, why));
        Findings::new(contract, module, kernel, results.collect())
    }

    /// Returns findings that have no promises.
    pub fn empty(module: &str, kernel: &str) -> Findings {
        Findings {
            contract: String::new(),
            title: String::new(),
            module: module.to_owned(),
            kernel: kernel.to_owned(),
            points: 0.0,
            of: 0.0,
            build_output: None,
            interrupted: false,
            marks: Vec::new(),
            promises: Vec::new(),
        }
    }

    /// Calls the module by another name, where its path says nothing to those who read about it.
    pub fn rename(&mut self, path: &str, name: &str) {
        self.module = name.to_owned();
        let texts = self.promises.iter_mut().flat_map(|p| {
            [&mut p.done, &mut p.promised, &mut p.seen]
                .into_iter()
                .flatten()
                .chain([&mut p.shown_log])
        });
        for text in texts.chain(&mut self.build_output) {
            *text = text.replace(path, name);
        }
    }

    pub fn score(&self) -> Score {
        Score {
            points: self.points,
            of: self.of,
        }
    }

    /// Returns whether every promise was kept.
    pub fn all_kept(&self) -> bool {
        self.promises.iter().all(|p| p.result == Verdict::Pass)
    }
}
