// SPDX-License-Identifier: MIT OR Apache-2.0

//! Watches a run: says where it waits, and ends it when its time is over.

use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use koru_error::{Error, Kind, Result};
use koru_session::{Session, Waiting, hang_limit};

use crate::{
    context::Context,
    log::oops,
    target::traits::{KillHandle, Prepared},
};

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The limit of a run, and what ends it.
pub struct Limit {
    pub after: Duration,
    pub kill: KillHandle,
}

/// Does `work` while it is watched. If the limit ends it, the error says so.
pub fn watched<T>(
    context: &Context,
    prepared: &Prepared,
    is_interactive: bool,
    limit: Option<Limit>,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let names: Vec<&str> = prepared.modules.iter().map(|m| m.name.as_str()).collect();
    let expired = Mutex::new(None);
    let done = thread::scope(|s| {
        let (end, ended): (Sender<()>, Receiver<()>) = channel();
        let (names, expired) = (&names, &expired);
        s.spawn(move || {
            let told = watch(
                context,
                &prepared.session,
                names,
                is_interactive,
                limit,
                &ended,
            );
            *expired.lock().unwrap_or_else(PoisonError::into_inner) = told;
        });
        let done = work();
        drop(end);
        done
    });
    match expired.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(message) if done.is_err() => {
            let attempted = format!("running {}", names.join(", "));
            Err(Error::new(Kind::System, attempted, message)
                .help("--limit set this time; without it, koru waits and shows where it is"))
        }
        _ => done,
    }
}

/// Watches a run to its end. Returns what to say if the limit ended it.
fn watch(
    context: &Context,
    session: &Session,
    modules: &[&str],
    is_interactive: bool,
    mut limit: Option<Limit>,
    ended: &Receiver<()>,
) -> Option<String> {
    let begun = Instant::now();
    let mut told = String::new();
    let mut look_again = hang_limit();
    loop {
        if !matches!(ended.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout)) {
            return None;
        }
        if let Some(limit) = limit.take_if(|limit| begun.elapsed() >= limit.after) {
            let place = session.waiting(modules, Duration::ZERO);
            let place = place.map_or(String::new(), |w| format!("; {}", phrase(context, &w)));
            (limit.kill)();
            return Some(format!("not done after {} s{place}", limit.after.as_secs()));
        }
        let Some(waiting) = session.waiting(modules, look_again) else {
            continue;
        };
        // A command that is in no module's code may take as long as it likes.
        if waiting.place.is_none() && waiting.task.is_none() && !waiting.is_load() {
            continue;
        }
        look_again = hang_limit();
        let phrase = phrase(context, &waiting);
        let what = format!("not done after {} s: {phrase}", hang_limit().as_secs());
        let now = format!("{phrase} (for {} s)", waiting.after.as_secs());
        // A status line would disturb the command's own terminal.
        match is_interactive {
            true if told != phrase => context.ui.say(&format!("koru: {what}\r")),
            true => {}
            false => context.ui.progress(&what, &now),
        }
        told = phrase;
    }
}

/// Says where something is: `load mtx waits in helper (mtx.c:6), which called mutex_lock`.
fn phrase(context: &Context, waiting: &Waiting) -> String {
    let who = match &waiting.task {
        Some(task) => format!("{} ({task})", waiting.what),
        None => waiting.what.clone(),
    };
    let does = if waiting.runs { "runs" } else { "waits" };
    match &waiting.place {
        Some(place) if waiting.runs => {
            let sentence = oops::decoder(context).sentence(&format!("called by {place}"));
            format!(
                "{who} runs in {}",
                sentence.trim_start_matches("called by ")
            )
        }
        Some(place) => oops::decoder(context).sentence(&format!("{who} waits in {place}")),
        None => format!("{who} {does}"),
    }
}
