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
use koru_klog::{Complaint, first_complaint};
use koru_session::{Session, hang_limit};

use crate::{
    context::Context,
    guest::complaint_error,
    run::doing::{Doing, Look, Subject},
    target::traits::KillHandle,
};

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How long a command may continue after an oops.
const AFTER_OOPS: Duration = Duration::from_secs(2);

/// What ends a run before its time.
#[derive(Default)]
pub struct Ends {
    /// How long the run may take.
    pub limit: Option<Duration>,
    /// Ends the run, if it can be ended at any time.
    pub kill: Option<KillHandle>,
    /// The sequence number of the run's first record.
    pub mark: u64,
}

/// Why a run was ended.
enum Ended {
    Limit(String),
    Oops(Complaint),
}

/// Does `work` while it is watched. `find` returns the modules in whose hands it can be. If the
/// limit ends it, the error says so.
pub fn watched<T>(
    context: &Context,
    session: &Session,
    find: &(dyn Fn() -> Subject + Sync),
    is_interactive: bool,
    ends: Ends,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let expired = Mutex::new(None);
    let done = thread::scope(|s| {
        let (end, ended): (Sender<()>, Receiver<()>) = channel();
        let expired = &expired;
        s.spawn(move || {
            let look = Look::new(context, session, find);
            let told = watch(context, session, look, is_interactive, ends, &ended);
            *expired.lock().unwrap_or_else(PoisonError::into_inner) = told;
        });
        let done = work();
        drop(end);
        done
    });
    let attempted = || format!("running {}", find().modules.join(", "));
    match expired.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(Ended::Oops(complaint)) if done.is_err() => {
            Err(complaint_error(&attempted(), &complaint))
        }
        Some(Ended::Limit(message)) if done.is_err() => {
            Err(Error::new(Kind::System, attempted(), message)
                .help("--limit set this time; without it, koru waits and shows where it is"))
        }
        _ => done,
    }
}

/// Watches a run to its end. Returns why it was ended, if it was.
fn watch(
    context: &Context,
    session: &Session,
    mut look: Look<'_>,
    is_interactive: bool,
    mut ends: Ends,
    ended: &Receiver<()>,
) -> Option<Ended> {
    let begun = Instant::now();
    let mut told: Option<Doing> = None;
    let mut oopsed: Option<Instant> = None;
    loop {
        if !matches!(ended.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout)) {
            return None;
        }
        // Whoever sits at the command's terminal may want to look around after an oops.
        let fatal = first_complaint(&session.log_since(ends.mark)).filter(|c| c.kind.is_fatal());
        if let Some(complaint) = fatal.filter(|_| !is_interactive && ends.kill.is_some()) {
            if oopsed.get_or_insert_with(Instant::now).elapsed() >= AFTER_OOPS {
                ends.kill.take().into_iter().for_each(|kill| kill());
                return Some(Ended::Oops(complaint));
            }
        }
        let limit = ends.limit.filter(|limit| begun.elapsed() >= *limit);
        if let (Some(limit), Some(kill)) = (limit, ends.kill.take_if(|_| limit.is_some())) {
            let doing = look.doing_now(LOOK);
            let place = doing.map_or(String::new(), |doing| format!("; {}", doing.phrase));
            kill();
            let message = format!("not done after {} s{place}", limit.as_secs());
            return Some(Ended::Limit(message));
        }
        let Some(doing) = look.doing(hang_limit()) else {
            continue;
        };
        let now = format!("{} (for {} s)", doing.phrase, doing.after.as_secs());
        let is_new = told.as_ref().is_none_or(|told| told.what != doing.what);
        // Numbers that grow are no news.
        let told = match told.take().filter(|_| !is_new) {
            Some(before) => told.insert(before),
            None => told.insert(doing),
        };
        let what = format!(
            "not done after {} s: {}",
            hang_limit().as_secs(),
            told.phrase
        );
        // A status line would disturb the command's own terminal.
        match is_interactive {
            true if is_new => context.ui.say(&format!("koru: {what}\r")),
            true => {}
            false => context.ui.progress(&what, &now),
        }
    }
}
