// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes one allocation after the other fail: while the module is loaded, and while its files are
//! used. A program in the guest does that; this reads its output and the log.

use std::collections::{BTreeMap, BTreeSet};

use koru_decode::Decoded;
use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, Progress};
use koru_klog::LogRecord;
use koru_protocol::{Exit, FAULT_MARK, TEST_SKIPPED};

use super::{reload::ordinal, subject::Subject};
use crate::{log::oops, run::in_guest::InGuest};

/// The errors that a module may return for lack of memory, or because a copy failed.
const PROMISED: [&str; 4] = ["ENOMEM", "EFAULT", "EAGAIN", "ENOBUFS"];

/// Walks through all allocations, and returns a note on how many there were.
pub fn faults(subject: &Subject, tree: &KernelTree) -> Result<String> {
    let context = subject.context;
    let guest = InGuest::start(subject.checked(), tree)?;
    let module = guest.module();
    let doing = format!("making allocations of {} fail", module.name);
    context.ui.status(&doing);
    let output = guest.run_checker(&["faults"]);
    let log = guest.log();
    let at = last_attempt_before_report(&log).unwrap_or_else(|| doing.clone());
    guest.complained(&at)?;
    let output = output?;
    if output.exit == Exit::Code(TEST_SKIPPED) {
        let message = format!("{} has no fault injection", tree.release);
        return Err(Error::new(Kind::Missing, doing, message).help("`koru kernel add debug`"));
    }
    guest.failed(
        &format!("after {}", last_attempt(&log).unwrap_or(doing.clone())),
        &output,
    )?;
    let attempts = attempts(&String::from_utf8_lossy(&output.stdout));
    let decoder = oops::decoder_of(context, guest.session());
    let sites = sites(&log, &module.name, |records| {
        oops::decoded(&decoder, records)
    });
    if let Some(attempt) = attempts.iter().find(|a| !a.is_promised()) {
        let site = sites.get(&(attempt.what.clone(), attempt.number));
        let at = site.map_or(String::new(), |site| format!(", at {site}"));
        let message = format!(
            "{} fails with {} if its {} allocation or copy does{at}",
            attempt.what,
            attempt.result,
            ordinal(attempt.number)
        );
        return Err(Error::new(Kind::System, doing, message).help(
            "an allocation that fails is ENOMEM, a copy from or to user space that fails is EFAULT",
        ));
    }
    if let Err(error) = guest.left(&doing) {
        let named: BTreeSet<&String> = sites.values().collect();
        let named: Vec<&str> = named.into_iter().map(String::as_str).collect();
        return Err(error.output(format!("failed were: {}", named.join(", "))));
    }
    let failed = attempts.iter().filter(|a| a.number > 0).count();
    let own: BTreeSet<&String> = sites.values().collect();
    Ok(format!(
        "{failed} faults, {} of the module's own lines, on {}",
        own.len(),
        tree.release
    ))
}

/// One attempt: an operation, and which of its allocations failed; 0 if none did.
#[derive(Debug, PartialEq)]
struct Attempt {
    what: String,
    number: u32,
    /// The name of an errno, or a number of success.
    result: String,
}

impl Attempt {
    /// Returns whether an operation may end so. What fails without a fault may fail with one.
    fn is_promised(&self) -> bool {
        let is_number = self.result.parse::<i64>().is_ok();
        self.number == 0 || is_number || PROMISED.contains(&&*self.result)
    }
}

/// Reads the program's output. An error that an operation has without a fault as well is left out:
/// it says nothing.
fn attempts(output: &str) -> Vec<Attempt> {
    let all = output.lines().filter_map(|line| {
        let mut words = line.rsplitn(3, ' ');
        let (result, number, what) = (words.next()?, words.next()?, words.next()?);
        Some(Attempt {
            what: what.to_owned(),
            number: number.parse().ok()?,
            result: result.to_owned(),
        })
    });
    let all: Vec<Attempt> = all.collect();
    let usual: BTreeMap<String, String> = all
        .iter()
        .filter(|a| a.number == 0)
        .map(|a| (a.what.clone(), a.result.clone()))
        .collect();
    let is_usual = |a: &Attempt| a.number > 0 && usual.get(&a.what) == Some(&a.result);
    let is_left = |a: &Attempt| !is_usual(a) || a.result.parse::<i64>().is_ok();
    all.into_iter().filter(is_left).collect()
}

/// Finds the lines of the module at which faults were injected, by operation and number.
fn sites(
    log: &[LogRecord],
    module: &str,
    decode: impl Fn(&[LogRecord]) -> Vec<Decoded>,
) -> BTreeMap<(String, u32), String> {
    let marks: Vec<usize> = (0..log.len())
        .filter(|at| log[*at].text.starts_with(FAULT_MARK))
        .collect();
    let mut sites = BTreeMap::new();
    for (index, begin) in marks.iter().enumerate() {
        let end = marks.get(index + 1).copied().unwrap_or(log.len());
        let records = &log[begin + 1..end];
        // Most faults are in allocations of the kernel's own, far from the module.
        let in_module = format!("[{module}]");
        if !records.iter().any(|r| r.text.contains(&in_module)) {
            continue;
        }
        let Some(attempt) = attempt_of(&log[*begin]) else {
            continue;
        };
        let frames = decode(records).into_iter().flat_map(|report| report.frames);
        let own = frames
            .filter(|frame| frame.module.as_deref() == Some(module))
            .flat_map(|frame| frame.places)
            .find(|place| place.own);
        if let Some(at) = own.and_then(|place| place.at()) {
            sites.insert(attempt, at);
        }
    }
    sites
}

/// Reads the operation and the number of a mark.
fn attempt_of(record: &LogRecord) -> Option<(String, u32)> {
    let rest = record.text.trim_end().strip_prefix(FAULT_MARK)?;
    let (what, number) = rest.rsplit_once(' ')?;
    Some((what.to_owned(), number.parse().ok()?))
}

/// Says what the last attempt of a log was.
fn last_attempt(log: &[LogRecord]) -> Option<String> {
    let (what, number) = log.iter().rev().find_map(attempt_of)?;
    Some(format!(
        "making the {} allocation of `{what}` fail",
        ordinal(number)
    ))
}

/// Says what the last attempt before the kernel's first complaint was.
fn last_attempt_before_report(log: &[LogRecord]) -> Option<String> {
    let complaint = koru_klog::first_complaint(log)?;
    let at = log.iter().position(|r| complaint.line == r.text);
    last_attempt(&log[..at.unwrap_or(log.len())])
}
