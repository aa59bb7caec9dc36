// SPDX-License-Identifier: MIT OR Apache-2.0

//! Summarises a report.

use koru_klog::{Report, ReportKind};

use crate::checkers::{leak, lockdep, sanitizer, slab};

/// The parts of a panic message of Koru's `kernel` crate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RustPanic<'a> {
    pub module: &'a str,
    pub file: &'a str,
    pub line: u32,
    pub column: Option<u32>,
    pub message: &'a str,
}

/// Parses `rust_kernel: my_timer panicked at src/lib.rs:31:26: index out of bounds: ...`.
pub(crate) fn rust_panic(text: &str) -> Option<RustPanic<'_>> {
    let (module, rest) = text
        .strip_prefix("rust_kernel: ")?
        .split_once(" panicked at ")?;
    let (place, message) = rest.split_once(": ")?;
    let mut parts = place.rsplitn(3, ':');
    let column = parts.next()?.parse().ok();
    let line = parts.next()?.parse().ok()?;
    Some(RustPanic {
        module,
        file: parts.next()?,
        line,
        column,
        message,
    })
}

/// Returns the report in one line.
pub(crate) fn summary<T>(report: &Report<T>) -> String {
    let line = report.line();
    match report.kind {
        ReportKind::RustPanic => match report.head.iter().find_map(|l| rust_panic(l)) {
            Some(panic) => format!("panic in {}: {}", panic.module, panic.message),
            None => line.to_owned(),
        },
        ReportKind::Oops => oops(report),
        ReportKind::Bug => bug(report),
        ReportKind::Sanitizer => sanitizer(report),
        ReportKind::Slab => slab(line),
        ReportKind::Lockdep => format!("locking error: {}", lockdep(report)),
        ReportKind::Leak => leak(line),
        ReportKind::NoMemory => format!("out of memory: {line}"),
        ReportKind::Warning => warning(report),
        ReportKind::Sleep => format!("sleeping in atomic context: {line}"),
        ReportKind::Panic => {
            let reason = report.head_after("Kernel panic - not syncing: ");
            format!("kernel panic: {}", reason.unwrap_or(line))
        }
        ReportKind::Nmi => "hang: the kernel's stack was captured by an NMI".to_owned(),
        ReportKind::Lockup | ReportKind::Stall => format!("hang: {line}"),
        ReportKind::HungTask => {
            let task = line.strip_prefix("INFO: ").unwrap_or(line);
            format!("hang: {}", task.trim_end_matches('.'))
        }
        ReportKind::Task | ReportKind::Backtrace => line.to_owned(),
        ReportKind::Stack | ReportKind::Cut => "the kernel printed its stack".to_owned(),
    }
}

fn oops<T>(report: &Report<T>) -> String {
    let said = |begin| report.head_after(begin);
    let access = |otherwise: &'static str| {
        let access = report
            .head
            .iter()
            .find_map(|l| l.strip_prefix("#PF: supervisor "));
        match access.and_then(|a| a.split_whitespace().next()) {
            Some("write") => "write to",
            Some("read") => "read of",
            Some("instruction") => "call of",
            _ => otherwise,
        }
    };
    if let Some(address) = said("BUG: kernel NULL pointer dereference, address: ") {
        let access = access("use of");
        return format!(
            "oops: NULL pointer dereference ({access} address {})",
            short(address)
        );
    }
    for begin in [
        // Until 5.0, and on other architectures.
        "BUG: unable to handle kernel NULL pointer dereference at ",
        "BUG: Kernel NULL pointer dereference at ",
        "Unable to handle kernel NULL pointer dereference at virtual address ",
    ] {
        if let Some(address) = said(begin) {
            let access = access("use of");
            let address = short(address.trim().trim_matches(['(', ')']));
            let address = if address == "0xnull" { "0" } else { &address };
            return format!("oops: NULL pointer dereference ({access} address {address})");
        }
    }
    if let Some(address) = said("BUG: unable to handle page fault for address: ") {
        let number = u64::from_str_radix(address.trim_start_matches("0x"), 16);
        let access = access("use of");
        let why = match number {
            // The processor forbids the kernel such accesses unless the kernel explicitly
            // allows them.
            Ok(0..0x8000_0000_0000) => {
                ", which belongs to user space: use copy_to_user or copy_from_user"
            }
            _ if report
                .head
                .iter()
                .any(|l| l.contains("permissions violation")) =>
            {
                ", which its permissions forbid"
            }
            _ => ", which is not mapped",
        };
        return format!("oops: {access} address {}{why}", short(address));
    }
    let line = report.line();
    let fault = line.strip_prefix("Oops: ").unwrap_or(line);
    let fault = fault.strip_prefix("Oops: ").unwrap_or(fault);
    let fault = fault.strip_prefix("segment-related ").unwrap_or(fault);
    let kasan = said("KASAN: ").map(|k| format!(" ({k})"));
    if fault.starts_with("general protection fault") {
        let address = fault
            .split_once("address ")
            .and_then(|(_, a)| a.split([':', ' ']).next());
        let hint = match address {
            Some(a) if a.starts_with("0xdead0000000001") => {
                " (the mark of an entry that was removed from its list)"
            }
            Some(a) if a.contains("6b6b6b6b") => " (the pattern of freed memory)",
            _ => "",
        };
        return match address {
            Some(address) => {
                let kasan = kasan.unwrap_or_default();
                format!("oops: access to the non-canonical address {address}{hint}{kasan}")
            }
            None => "oops: general protection fault".to_owned(),
        };
    }
    for (begin, words) in [
        (
            "divide error",
            "division by zero, or a result that is too large",
        ),
        ("invalid opcode", "an invalid instruction"),
        ("double fault", "double fault, usually a stack overflow"),
        ("stack segment", "a bad address on the stack"),
    ] {
        if fault.starts_with(begin) {
            return format!("oops: {words}");
        }
    }
    if line.contains("stack guard page was hit") || line.contains("kernel stack overflow") {
        return "oops: kernel stack overflow: recursion or large local variables".to_owned();
    }
    format!("oops: {}", line.strip_prefix("BUG: ").unwrap_or(line))
}

fn bug<T>(report: &Report<T>) -> String {
    // A check prints what it found before it calls BUG.
    let found = report
        .head
        .iter()
        .find(|l| !l.starts_with("kernel BUG at "));
    let found = found.filter(|l| !l.contains("invalid opcode: "));
    match (found, report.head_after("kernel BUG at ")) {
        (Some(found), _) => format!("bug: {}", found.strip_prefix("BUG: ").unwrap_or(found)),
        (None, Some(place)) => format!("BUG() at {}", place.trim_end_matches('!')),
        (None, None) => report.line().to_owned(),
    }
}

fn warning<T>(report: &Report<T>) -> String {
    let begin = "WARNING: ";
    // The kernel's own message stands before or behind the line with the place.
    if let Some(message) = report
        .head
        .iter()
        .find(|l| !l.starts_with(begin) && !l.starts_with("Kernel panic - "))
    {
        return format!("warning: {message}");
    }
    let rest = report.head_after(begin).unwrap_or_default();
    // The line is `CPU: 0 PID: 84 at FILE:LINE FUNCTION+0x1/0x2 [module]`, or only the part from
    // `at` on.
    let at = rest.split_once(" at ").map(|(_, at)| at);
    match at
        .or(rest.strip_prefix("at "))
        .and_then(|at| at.split_whitespace().next())
    {
        Some(place) => format!("warning: WARN_ON at {place}"),
        None => format!("warning: {rest}"),
    }
}

/// Returns an address without leading zeros.
fn short(address: &str) -> String {
    let digits = address
        .trim()
        .trim_start_matches("0x")
        .trim_start_matches('0');
    match digits {
        "" => "0".to_owned(),
        digits => format!("0x{digits}"),
    }
}
