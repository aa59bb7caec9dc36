// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes random system calls on the module's files for the time that is left.

use std::time::Instant;

use koru_error::{Kind, Result};

use super::{report::Outcome, subject::Subject};
use crate::{
    fuzzing::{
        self,
        fuzz::{CPUS, Fuzz, PROGRAMS},
    },
    run::in_guest::Checked,
};

/// The same calls each time, so that the command that is named finds them again.
const SEED: u64 = 1;

pub fn calls(subject: &Subject, until: Instant) -> Result<Outcome> {
    let tree = subject.debug.as_ref().unwrap_or(&subject.tree);
    let fuzzed = fuzzing::run(&Fuzz {
        checked: Checked {
            programs: &PROGRAMS,
            cpus: CPUS,
            ..subject.checked()
        },
        tree,
        seed: SEED,
        until,
        most_calls: None,
        is_guided: true,
        keep_going: false,
    });
    let mut fuzzed = match fuzzed {
        Ok(fuzzed) => fuzzed,
        // There is nothing to make calls on.
        Err(error) if error.kind == Kind::Usage => return Ok(Outcome::skipped(&error.message)),
        Err(error) => return Err(error),
    };
    Ok(match fuzzed.findings.pop() {
        Some(finding) => {
            let about = match finding.is_replayed {
                true => "these calls lead to it",
                false => "these were the last calls",
            };
            let said = finding.error.output.clone().unwrap_or_default();
            let calls = finding.script.trim_end();
            Outcome::Found(finding.error.output(format!("{said}\n{about}:\n{calls}")))
        }
        None => Outcome::Passed(fuzzed.note(&tree.release)),
    })
}
