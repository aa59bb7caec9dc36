// SPDX-License-Identifier: MIT OR Apache-2.0

//! Fuzzes in one guest, until it has to be replaced.

use std::{
    collections::{BTreeSet, VecDeque},
    thread,
    time::{Duration, Instant},
};

use koru_error::{Error, Kind, Result};
use koru_kernels::Progress;
use koru_protocol::{Exec, Exit};

use super::{
    fuzz::{Crash, Fuzz, Fuzzed, What},
    worker::{Said, Worker},
};
use crate::run::in_guest::InGuest;

/// How many sequences are made at once. Before that, the program says which.
const AT_ONCE: usize = 32;

/// How many places and sequences are kept of guests, whose kernels may say anything.
const MOST_PLACES: usize = 1 << 20;
const MOST_KEPT: usize = 1 << 14;

/// How many sequences of a guest are remembered.
const REMEMBERED: usize = 8 * AT_ONCE;

/// How often the guest is asked whether its kernel has complained, if nothing else happens.
const LOOK: Duration = Duration::from_secs(1);

/// How long some sequences may take: each call that blocks is interrupted soon.
const HANG: Duration = Duration::from_secs(60);

/// How long a process that was told to end may take.
const END: Duration = Duration::from_secs(20);

/// How long the rest of a report may take.
const REPORT: Duration = Duration::from_millis(700);

/// Fuzzes in a new guest. Returns what was found, unless the time or the calls are over.
pub fn campaign(fuzz: &Fuzz, fuzzed: &mut Fuzzed) -> Result<Option<Crash>> {
    let context = fuzz.checked.context;
    let guest = InGuest::start(fuzz.checked, fuzz.tree)?;
    fuzzed.guests += 1;
    let files = files(&guest)?;
    context.ui.status(&format!("fuzzing {}", files.join(", ")));
    let mut last: VecDeque<String> = VecDeque::new();
    // Each process gets numbers of its own.
    let mut seed = fuzz.seed.wrapping_add(u64::from(fuzzed.guests) << 32);
    while !fuzz.is_over(fuzzed) {
        let ended = process(fuzz, fuzzed, &guest, &files, seed, &mut last);
        if !matches!(ended, Ok(None)) {
            // Those of the last ones, of which not all may have been made.
            let last = last.iter().rev().take(AT_ONCE);
            fuzzed.calls += last.map(|s| s.split(';').count() as u64).sum::<u64>();
        }
        seed = seed.wrapping_add(1);
        let what = match ended {
            Ok(None) => continue,
            Ok(Some(what)) => what,
            Err(error) => {
                // The guest has gone.
                let error = guest.with_log(error);
                return Ok(Some(crash(error, What::Hang, last)));
            }
        };
        let error = error_of(&guest, &fuzzing(&guest), what);
        return Ok(Some(crash(error, what, last)));
    }
    context.ui.status("unloading the module");
    Ok(match end(&guest, &fuzzing(&guest)) {
        Ok(()) => None,
        Err((what, error)) => Some(crash(error, what, last)),
    })
}

fn fuzzing(guest: &InGuest) -> String {
    format!("fuzzing {}", guest.module().name)
}

fn crash(error: Error, what: What, last: VecDeque<String>) -> Crash {
    Crash {
        error,
        what,
        sequences: last.into(),
    }
}

/// Returns the error for what was seen in a guest.
pub fn error_of(guest: &InGuest, doing: &str, what: What) -> Error {
    thread::sleep(REPORT);
    match guest.complained(doing) {
        Err(error) => error,
        Ok(()) => {
            let message = match what {
                What::Hang => "a call does not end, not even by a signal",
                _ => "the kernel complained",
            };
            guest.with_log(Error::new(Kind::System, doing, message))
        }
    }
}

/// Unloads the module and looks at what is left. Returns what is wrong.
pub fn end(guest: &InGuest, doing: &str) -> std::result::Result<(), (What, Error)> {
    let ended = guest.unload().and_then(|()| guest.left(doing));
    match (guest.complaint(), ended) {
        (Ok(Some(complaint)), _) => {
            let what = What::Complaint(complaint.kind);
            Err((what, error_of(guest, doing, what)))
        }
        (_, Err(error)) => Err((What::Left, error)),
        (Err(error), Ok(())) => Err((What::Hang, guest.with_log(error.into()))),
        (Ok(None), Ok(())) => Ok(()),
    }
}

/// Loads the module, and returns the files that it makes.
fn files(guest: &InGuest) -> Result<Vec<String>> {
    let all = || -> Result<BTreeSet<String>> {
        let output = guest
            .session()
            .output(Exec::new(["/bin/checker", "files"]))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().map(str::to_owned).collect())
    };
    let before = all()?;
    let loading = format!("loading {}", guest.module().name);
    if let Err(error) = guest.load() {
        guest.complained(&loading)?;
        return Err(guest.with_log(error));
    }
    guest.complained(&loading)?;
    let files: Vec<String> = all()?.difference(&before).cloned().collect();
    match files.is_empty() {
        false => Ok(files),
        true => {
            let name = &guest.module().name;
            let message = format!("{name} makes no file in /proc, /dev or debugfs");
            Err(Error::new(Kind::Usage, fuzzing(guest), message)
                .help("calls are made on such files only; `koru check` tries other ways"))
        }
    }
}

/// Runs the program once. `None` means that it has ended, without a complaint.
fn process(
    fuzz: &Fuzz,
    fuzzed: &mut Fuzzed,
    guest: &InGuest,
    files: &[String],
    seed: u64,
    last: &mut VecDeque<String>,
) -> Result<Option<What>> {
    let (before, begun) = (fuzzed.calls, Instant::now());
    let took = fuzzed.took;
    let guided = if fuzz.is_guided { "guided" } else { "unguided" };
    let mut argv = vec![
        "/bin/fuzzer".to_owned(),
        seed.to_string(),
        fuzz.left_calls(fuzzed).to_string(),
        AT_ONCE.to_string(),
        guided.to_owned(),
    ];
    argv.extend_from_slice(files);
    let mut worker = Worker::start(guest.session(), argv)?;
    for sequence in &fuzzed.kept {
        worker.send(&format!("{sequence}\n"));
    }
    worker.send("start\n");
    let mut kept: BTreeSet<String> = fuzzed.kept.iter().cloned().collect();
    let mut batch: Vec<String> = Vec::new();
    let mut heard = Instant::now();
    loop {
        if Instant::now() > fuzz.until + HANG {
            return Ok(Some(What::Hang));
        }
        let said = worker.next(LOOK);
        let line = match said {
            Said::Line(line) => line,
            Said::Nothing => {
                if let Some(complaint) = guest.complaint()? {
                    return Ok(Some(What::Complaint(complaint.kind)));
                }
                if heard.elapsed() > HANG {
                    return Ok(Some(What::Hang));
                }
                continue;
            }
            Said::Over(exit) => {
                let complaint = guest.complaint()?;
                let what = complaint.map(|complaint| What::Complaint(complaint.kind));
                return match exit {
                    Some(Exit::Code(code @ 1..)) if what.is_none() => {
                        let message = format!("the program exited with status {code}");
                        Err(Error::new(Kind::System, fuzzing(guest), message))
                    }
                    _ => Ok(what),
                };
            }
        };
        heard = Instant::now();
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "guided" => fuzzed.is_guided = true,
            // It is shown on the terminal.
            "sequence"
                if batch.len() < AT_ONCE && rest.bytes().all(|b| (b' '..=b'~').contains(&b)) =>
            {
                batch.push(rest.to_owned());
            }
            "ready" => {
                if fuzz.is_over(fuzzed) {
                    return match worker.end(END) {
                        true => Ok(None),
                        false => Ok(Some(What::Hang)),
                    };
                }
                last.extend(batch.iter().cloned());
                let much = last.len().saturating_sub(REMEMBERED);
                last.drain(..much);
                worker.send("go\n");
            }
            "new" => {
                let sequence = rest.parse::<usize>().ok().and_then(|at| batch.get(at));
                let sequence = sequence.filter(|_| kept.len() < MOST_KEPT);
                if let Some(sequence) = sequence.filter(|s| kept.insert((*s).clone())) {
                    fuzzed.kept.push(sequence.clone());
                }
            }
            "place" if fuzzed.places.len() < MOST_PLACES => {
                let place = u64::from_str_radix(rest, 16);
                fuzzed.places.extend(place);
            }
            "done" => {
                batch.clear();
                let calls = rest.split(' ').next().and_then(|n| n.parse::<u64>().ok());
                fuzzed.calls = before + calls.unwrap_or(0);
                fuzzed.took = took + begun.elapsed();
                if let Some(complaint) = guest.complaint()? {
                    return Ok(Some(What::Complaint(complaint.kind)));
                }
                let note = fuzzed.note(&fuzz.tree.release);
                fuzz.checked.context.ui.status(&note);
            }
            _ => {}
        }
    }
}
