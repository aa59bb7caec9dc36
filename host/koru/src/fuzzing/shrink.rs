// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes the calls that led to a finding fewer, by replaying them in fresh guests.

use std::time::{Duration, Instant};

use koru_error::{Error, Result};
use koru_kernels::Progress;
use koru_protocol::Exec;

use super::{
    campaign::{end, error_of},
    fuzz::{Crash, Finding, Fuzz, What, script},
    worker::{Said, Worker},
};
use crate::run::in_guest::InGuest;

/// How many replays a finding is worth, and how long they may take.
const REPLAYS: u32 = 100;
const LIMIT: Duration = Duration::from_secs(300);

/// How long a replay may take until it counts as one that hangs.
const HANG: Duration = Duration::from_secs(30);

/// How often what was seen is replayed, as races do not come each time.
const TRIES: u32 = 3;

struct Shrinker<'a> {
    fuzz: &'a Fuzz<'a>,
    what: What,
    replays: u32,
    until: Instant,
    /// The shortest calls that led to it, and what the kernel said.
    best: Option<(Vec<String>, Error)>,
    /// A guest in which nothing has gone wrong yet.
    guest: Option<InGuest<'a>>,
}

/// Shrinks what was found. `None` means that calls have nothing to do with it.
pub fn shrink(fuzz: &Fuzz, kept: &[String], crash: Crash) -> Result<Option<Finding>> {
    let mut shrinker = Shrinker {
        fuzz,
        what: crash.what,
        replays: 0,
        until: Instant::now() + LIMIT,
        best: None,
        guest: None,
    };
    if crash.what == What::Left && shrinker.leads(&["munmap".to_owned()])? {
        let note = "note: the module leaves something behind without any calls, which \
                    `koru check --only reload` looks for";
        fuzz.checked.context.ui.print(note);
        return Ok(None);
    }
    // The last ones first; what is left behind may come from any.
    let last = crash.sequences.len().saturating_sub(64);
    let candidates = [&crash.sequences[last..], &crash.sequences, kept];
    for candidate in candidates {
        for _ in 0..TRIES {
            let is_open = shrinker.best.is_none() && shrinker.has_time();
            if is_open && shrinker.leads(candidate)? {
                shrinker.sequences(candidate)?;
            }
        }
    }
    if let Some((sequences, _)) = &shrinker.best {
        // The guest had other calls before.
        let sequences = sequences.clone();
        shrinker.guest = None;
        shrinker.leads(&sequences)?;
    }
    Ok(Some(match shrinker.best {
        Some((sequences, error)) => Finding {
            error,
            script: script(&sequences),
            is_replayed: true,
        },
        None => Finding {
            error: crash.error,
            script: script(&crash.sequences[last..]),
            is_replayed: false,
        },
    }))
}

impl Shrinker<'_> {
    /// Makes the sequences fewer, then the calls in each.
    fn sequences(&mut self, sequences: &[String]) -> Result<()> {
        // The first sequences up to the one that leads to it.
        let (mut too_few, mut enough) = (0, sequences.len());
        while enough - too_few > 1 && self.has_time() {
            let middle = too_few + (enough - too_few) / 2;
            match self.leads(&sequences[..middle])? {
                true => enough = middle,
                false => too_few = middle,
            }
        }
        let sequences = &sequences[..enough];
        if enough > 1 && !self.leads(&sequences[enough - 1..])? {
            self.fewer(sequences.to_vec(), |parts| parts.to_vec())?;
        }
        // All calls are one list, with the ends of sequences between them.
        let best = self.best.as_ref().map(|(best, _)| best.join(";end;"));
        let calls = best.unwrap_or_default();
        let calls: Vec<String> = calls.split(';').map(str::to_owned).collect();
        let calls = self.fewer(calls, |calls| vec![calls.join(";")])?;
        let calls = self.shorter(calls)?;
        // A call that another thread makes is easier to follow in the first.
        let number = |call: &str| call.starts_with(|c: char| c.is_ascii_digit());
        if calls.iter().any(|call| number(call)) && self.has_time() {
            let plain = calls.iter().map(|call| match number(call) {
                true => call[2..].to_owned(),
                false => call.clone(),
            });
            let plain: Vec<String> = plain.collect();
            self.leads(&[plain.join(";")])?;
        }
        Ok(())
    }

    /// Leaves out parts as long as the rest leads to the finding, large ones first.
    fn fewer(
        &mut self,
        mut parts: Vec<String>,
        sequences: impl Fn(&[String]) -> Vec<String>,
    ) -> Result<Vec<String>> {
        let mut size = parts.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at < parts.len() && parts.len() > 1 && self.has_time() {
                let mut rest = parts.clone();
                rest.drain(at..(at + size).min(parts.len()));
                match !rest.is_empty() && self.leads(&sequences(&rest))? {
                    true => parts = rest,
                    false => at += size,
                }
            }
            size /= 2;
        }
        Ok(parts)
    }

    /// Shortens the bytes in calls as long as that leads to the finding.
    fn shorter(&mut self, mut calls: Vec<String>) -> Result<Vec<String>> {
        /// Numbers of the digits of a few bytes.
        const LENGTHS: [usize; 2] = [8, 16];
        for at in 0..calls.len() {
            let bytes = calls[at].split(' ').find(|word| word.starts_with('='));
            let Some(bytes) = bytes.map(str::to_owned) else {
                continue;
            };
            for length in LENGTHS.into_iter().filter(|n| *n + 1 < bytes.len()) {
                let mut shorter = calls.clone();
                shorter[at] = shorter[at].replacen(&bytes, &bytes[..=length], 1);
                if self.has_time() && self.leads(&[shorter.join(";")])? {
                    calls = shorter;
                    break;
                }
            }
        }
        Ok(calls)
    }

    fn has_time(&self) -> bool {
        self.replays < REPLAYS && Instant::now() < self.until
    }

    /// Makes the calls of a script, and returns what is wrong then.
    fn replay(&mut self, sequences: &[String]) -> Result<Option<(What, Error)>> {
        let guest = match self.guest.take() {
            Some(guest) => guest,
            None => InGuest::start(self.fuzz.checked, self.fuzz.tree)?,
        };
        guest.load()?;
        let doing = format!("replaying calls on {}", guest.module().name);
        let what = match play(&guest, sequences) {
            Ok(Some(what)) => what,
            Ok(None) if self.what == What::Left => return Ok(end(&guest, &doing).err()),
            Ok(None) => {
                // What an unload shows is another matter.
                if guest.unload().is_ok() && guest.complaint()?.is_none() {
                    self.guest = Some(guest);
                }
                return Ok(None);
            }
            Err(error) => return Ok(Some((What::Hang, guest.with_log(error)))),
        };
        Ok(Some((what, error_of(&guest, &doing, what))))
    }

    /// Replays sequences, and returns whether they lead to the finding.
    fn leads(&mut self, sequences: &[String]) -> Result<bool> {
        if sequences.is_empty() {
            return Ok(false);
        }
        self.replays += 1;
        let calls: usize = sequences.iter().map(|s| s.split(';').count()).sum();
        let doing = format!("replaying {calls} calls");
        self.fuzz.checked.context.ui.status(&doing);
        let Some((what, error)) = self.replay(sequences)? else {
            return Ok(false);
        };
        // A kernel that hangs may do so in another way each time.
        let is_same = what == self.what || what == What::Hang || self.what == What::Hang;
        if is_same {
            self.best = Some((sequences.to_vec(), error));
        }
        Ok(is_same)
    }
}

fn play(guest: &InGuest, sequences: &[String]) -> Result<Option<What>> {
    const SCRIPT: &str = "/root/calls";
    let session = guest.session();
    session.put_file(SCRIPT, 0o600, script(sequences).as_bytes())?;
    // A task that sleeps for ever is reported within the limit.
    let limit = "echo 10 > /proc/sys/kernel/hung_task_timeout_secs";
    session.output(Exec::new(["/bin/sh", "-c", limit]))?;
    let argv = ["/bin/ioshell", "--calls", SCRIPT].map(str::to_owned);
    let worker = Worker::start(session, argv.to_vec())?;
    let until = Instant::now() + HANG;
    loop {
        let said = worker.next(Duration::from_secs(1));
        let is_over = matches!(said, Said::Over(_));
        let is_line = matches!(said, Said::Line(_));
        if !is_line {
            if let Some(complaint) = guest.complaint()? {
                return Ok(Some(What::Complaint(complaint.kind)));
            }
        }
        if is_over {
            return Ok(None);
        }
        if Instant::now() > until {
            return Ok(Some(What::Hang));
        }
    }
}
