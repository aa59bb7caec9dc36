// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes random system calls on a module's files; see the README.
#![forbid(unsafe_code)]

mod coverage;
mod generate;
mod random;

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    env,
    fmt::Write as _,
    fs,
    io::{self, BufRead, Write},
    process::ExitCode,
};

use ioshell::calls::{Call, Player};

use coverage::{Coverage, hints};
use generate::Generator;

const USAGE: &str = "\
Usage: fuzzer SEED CALLS BATCH guided|unguided FILE..

Makes at least CALLS calls, in batches of BATCH sequences. The input has
sequences of calls, one for each line, then the line `start`, then a line for
each batch.
";

/// How many sequences are kept.
const MOST_KEPT: usize = 2000;

struct Fuzzer {
    generator: Generator,
    player: Player,
    coverage: Option<Coverage>,
    /// The steps from place to place that were seen.
    steps: HashSet<u64>,
    places: BTreeSet<u64>,
    kept: Vec<Vec<Call>>,
    /// What comes next, before anything else.
    waiting: VecDeque<Vec<Call>>,
    calls: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (seed, calls, batch, guided, files) = match words[..] {
        [seed, calls, batch, guided, ref files @ ..] if !files.is_empty() => {
            match (seed.parse(), calls.parse(), batch.parse()) {
                (Ok(seed), Ok(calls), Ok(batch)) => (seed, calls, batch, guided, files),
                _ => return usage(),
            }
        }
        _ => return usage(),
    };
    // A task that sleeps and cannot be interrupted is soon reported.
    let _ = fs::write("/proc/sys/kernel/hung_task_timeout_secs", "10\n");
    let player = match Player::new() {
        Ok(player) => player,
        Err(errno) => {
            eprintln!("fuzzer: {}", errno.desc());
            return ExitCode::FAILURE;
        }
    };
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    let mut fuzzer = Fuzzer {
        generator: Generator::new(seed, files),
        player,
        coverage: (guided == "guided").then(Coverage::new).flatten(),
        steps: HashSet::new(),
        places: BTreeSet::new(),
        kept: Vec::new(),
        waiting: VecDeque::new(),
        calls: 0,
    };
    match fuzzer.fuzz(calls, batch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("fuzzer: {e}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}

impl Fuzzer {
    fn fuzz(&mut self, calls: u64, batch: usize) -> io::Result<()> {
        let mut lines = io::stdin().lock().lines();
        for line in lines.by_ref() {
            let line = line?;
            if line == "start" {
                break;
            }
            let calls: Result<Vec<Call>, String> = line.split(';').map(Call::parse).collect();
            self.waiting.extend(calls);
        }
        let mut out = io::stdout().lock();
        let guided = if self.coverage.is_some() {
            "guided"
        } else {
            "unguided"
        };
        writeln!(out, "{guided}")?;
        while self.calls < calls {
            let batch: Vec<Vec<Call>> = (0..batch.max(1)).map(|_| self.next()).collect();
            let mut text = String::new();
            for calls in &batch {
                let line: Vec<String> = calls.iter().map(Call::to_string).collect();
                let _ = writeln!(text, "sequence {}", line.join(";"));
            }
            writeln!(out, "{text}ready")?;
            out.flush()?;
            let Some(line) = lines.next() else {
                return Ok(());
            };
            line?;
            let mut text = String::new();
            for (index, calls) in batch.into_iter().enumerate() {
                self.run(index, calls, &mut text);
            }
            writeln!(out, "{text}done {} {}", self.calls, self.places.len())?;
            out.flush()?;
        }
        Ok(())
    }

    fn next(&mut self) -> Vec<Call> {
        if let Some(calls) = self.waiting.pop_front() {
            return calls;
        }
        if self.kept.is_empty() || self.generator.random.one_in(5) {
            return self.generator.fresh();
        }
        // The newest have more that was not tried.
        let last = self.kept.len().min(16);
        let newest = self.kept.len() - last;
        let at = match self.generator.random.one_in(2) {
            true => newest + self.generator.random.below(last),
            false => self.generator.random.below(self.kept.len()),
        };
        let other = self.generator.random.below(self.kept.len());
        self.generator.changed(&self.kept[at], &self.kept[other])
    }

    fn run(&mut self, index: usize, calls: Vec<Call>, text: &mut String) {
        self.calls += calls.len() as u64;
        let Some(coverage) = &self.coverage else {
            self.player.run(&calls);
            return;
        };
        let places = coverage.places(|| self.player.run(&calls));
        let mut is_new = false;
        let mut before = 0;
        for place in places {
            is_new |= self.steps.insert(before ^ place.rotate_left(1));
            before = place;
            if self.places.insert(place) {
                let _ = writeln!(text, "place {place:x}");
            }
        }
        if !is_new {
            return;
        }
        let _ = writeln!(text, "new {index}");
        self.calls += calls.len() as u64;
        let comparisons = coverage.comparisons(|| self.player.run(&calls));
        for (a, b, _) in &comparisons {
            self.generator.learn(*a);
            self.generator.learn(*b);
        }
        self.waiting.extend(hints(&calls, &comparisons));
        if self.kept.len() < MOST_KEPT {
            self.kept.push(calls);
        }
    }
}
