// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads from the console of a guest what the agent could not send.

use koru_protocol::LogRecord;

/// Returns the part of a console that explains an end: the lines around the first panic or
/// NMI, whose trace can be longer than any tail, otherwise the last lines.
pub fn evidence(console: &str) -> String {
    const BEFORE: usize = 10;
    const AFTER: usize = 60;
    let lines: Vec<&str> = console.lines().collect();
    let telling = |line: &&str| {
        let text = text_of(line);
        text.starts_with("Kernel panic - ") || text.contains("NMI received")
    };
    let range = match lines.iter().position(telling) {
        Some(at) => at.saturating_sub(BEFORE)..lines.len().min(at + AFTER),
        None => lines.len().saturating_sub(40)..lines.len(),
    };
    lines[range].join("\n")
}

/// Returns the reason in the line of a panic.
pub fn panic_reason(console: &str) -> Option<String> {
    const PANIC: &str = "Kernel panic - not syncing: ";
    // A module's own messages may contain the phrase further on in the line.
    let reason = console.lines().find_map(|l| text_of(l).strip_prefix(PANIC));
    reason.map(|reason| reason.trim().into())
}

/// Returns the kernel's text in a line of its console, which may be without times.
fn text_of(line: &str) -> &str {
    split_line(line).map_or(line, |(_, text)| text)
}

/// Returns the records on the console that follow the last one that the agent sent. A panic
/// makes the kernel write its whole log to the console once more (`panic_print`), including
/// what the console's level had left out.
pub fn console_records_after(console: &str, last: Option<&LogRecord>) -> Vec<LogRecord> {
    // The repeated log begins with the first record of all. If that was overwritten, or the
    // log was not repeated, take what there is.
    let replay = console.rfind("] Linux version ").map_or(0, |at| {
        console[..at].rfind('\n').map_or(0, |newline| newline + 1)
    });
    let mut parsed: Vec<(u64, String)> = Vec::new();
    for line in console[replay..].lines() {
        match split_line(line) {
            Some((time, text)) => parsed.push((time, text.into())),
            // This is the console of early boot, or a line that user space wrote.
            None if line.trim().is_empty() => {}
            None => parsed.push((parsed.last().map_or(0, |(t, _)| *t), line.into())),
        }
    }
    let start = match last {
        None => 0,
        Some(last) => {
            let first_line = last.text.lines().next_back().unwrap_or("");
            parsed
                .iter()
                .rposition(|(t, text)| *t == last.timestamp_us && text == first_line)
                .map(|at| at + 1)
                .or_else(|| parsed.iter().position(|(t, _)| *t > last.timestamp_us))
                .unwrap_or(parsed.len())
        }
    };
    let next = last.map_or(0, |l| l.seq + 1);
    parsed
        .drain(start..)
        .zip(next..)
        .map(|((timestamp_us, text), seq)| LogRecord {
            seq,
            // The console does not show the level.
            level: 4,
            facility: 0,
            timestamp_us,
            text,
            continuation: false,
        })
        .collect()
}

/// Splits `[    1.234567] text`, or `[    1.234567][   T12] text`.
fn split_line(line: &str) -> Option<(u64, &str)> {
    let (time, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (seconds, micros) = time.trim().split_once('.')?;
    if micros.len() != 6 {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    let micros: u64 = micros.parse().ok()?;
    let rest = match rest.strip_prefix('[') {
        Some(caller) => caller.split_once(']')?.1,
        None => rest,
    };
    let text = rest.strip_prefix(' ').unwrap_or(rest);
    Some((seconds * 1_000_000 + micros, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "\
[    2.000100] t: about to
[    2.000200] Kernel panic - not syncing: t says no
[    2.000300] CPU: 0 PID: 70 Comm: insmod
[    0.000000] Linux version 6.12 (x)
[    1.000000] booted
[    2.000050] t: a quiet record
[    2.000100] t: about to
[    2.000200] Kernel panic - not syncing: t says no
[    2.000300] CPU: 0 PID: 70 Comm: insmod
";

    fn sent(timestamp_us: u64, text: &str) -> LogRecord {
        LogRecord {
            seq: 40,
            level: 6,
            facility: 0,
            timestamp_us,
            text: text.into(),
            continuation: false,
        }
    }

    #[test]
    fn the_replay_is_taken_from_where_the_agent_stopped() {
        let records = console_records_after(CONSOLE, Some(&sent(2_000_050, "t: a quiet record")));
        let texts: Vec<_> = records.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "t: about to",
                "Kernel panic - not syncing: t says no",
                "CPU: 0 PID: 70 Comm: insmod"
            ]
        );
        assert_eq!(records[0].seq, 41);
        assert_eq!(records[0].timestamp_us, 2_000_100);
    }

    #[test]
    fn without_a_replay_the_time_decides() {
        let (before_replay, _) = CONSOLE.split_once("[    0.0").unwrap();
        let records = console_records_after(before_replay, Some(&sent(2_000_150, "t: between")));
        assert_eq!(records.len(), 2);
    }

    #[test]
    fn evidence_has_the_telling_line_however_long_the_trace() {
        let noise = "y\n".repeat(500);
        let trace = "[    7.9] ? frame\n".repeat(300);
        let console = format!("{noise}[    7.8] Uhhuh. NMI received for x\n{trace}");
        assert!(evidence(&console).contains("NMI received"));
        assert!(evidence(&console).lines().count() <= 70);
        assert_eq!(evidence(&noise).lines().count(), 40);
        assert_eq!(evidence(""), "");
    }

    #[test]
    fn finds_the_reason() {
        assert_eq!(panic_reason(CONSOLE).as_deref(), Some("t says no"));
        assert_eq!(panic_reason("all well"), None);
        let words = "[    2.000100] t: Kernel panic - not syncing: only words\n";
        assert_eq!(panic_reason(words), None);
        let untimed = "Kernel panic - not syncing: early\n";
        assert_eq!(panic_reason(untimed).as_deref(), Some("early"));
    }

    #[test]
    fn callers_are_no_text() {
        assert_eq!(split_line("[    1.5][ T1] x"), None);
        assert_eq!(
            split_line("[    1.000005][   T12] x"),
            Some((1_000_005, "x"))
        );
        assert_eq!(split_line("plain"), None);
    }
}
