// SPDX-License-Identifier: MIT OR Apache-2.0

//! Loads and unloads a module many times, in one guest.

use koru_error::Result;
use koru_kernels::Progress;

use super::subject::Subject;
use crate::run::in_guest::InGuest;

/// How many loads come first, by the agent.
const FIRST: u32 = 10;

/// How many loads follow at once.
const AT_ONCE: u32 = 200;

/// Loads and unloads the module, and returns a note on what was done.
pub fn reload(subject: &Subject) -> Result<String> {
    let guest = InGuest::start(subject.checked(), &subject.tree)?;
    let loads = subject.args.loads;
    let first = loads.min(FIRST);
    // The last of them is the one after which all memory is looked at.
    for number in 1..first {
        let done = guest.load().and_then(|()| guest.unload());
        let doing = format!("loading and unloading for the {} time", ordinal(number));
        if let Err(error) = done {
            // The kernel's report says more than that the module was refused.
            guest.complained(&doing)?;
            return Err(guest.with_log(error));
        }
    }
    let times = if loads == 1 { "time" } else { "times" };
    guest.left(&format!("loading and unloading {first} {times}"))?;
    let mut done = first;
    while done + 1 < loads {
        let ui = &subject.context.ui;
        ui.status(&format!("loaded and unloaded {done} of {loads} times"));
        let next = AT_ONCE.min(loads - 1 - done);
        let doing = format!("loading and unloading {next} {times} more after {done}");
        let output = guest.run_checker(&["reload", &next.to_string()]);
        guest.complained(&doing)?;
        guest.failed(&doing, &output?)?;
        done += next;
    }
    if done < loads {
        guest.left(&format!("loading and unloading {loads} {times}"))?;
    }
    Ok(format!("{loads} {times} on {}", subject.tree.release))
}

/// Returns `1st`, `2nd`, `3rd`, `4th` and so on.
pub fn ordinal(number: u32) -> String {
    let end = match (number % 10, number % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals() {
        let of = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 113].map(ordinal);
        assert_eq!(
            of,
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
                "113th"
            ]
        );
    }
}
