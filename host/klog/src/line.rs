// SPDX-License-Identifier: MIT OR Apache-2.0

//! Splits a line of a log: what the kernel printed, and what dmesg, the journal or a console
//! put before it.

/// Splits a line into what was put before it and the kernel's own text. The text keeps its
/// leading blank, which frames of a stack have.
///
/// ```
/// use koru_klog::split_line;
/// let (before, text) = split_line("[    3.098282]  <TASK>\r");
/// assert_eq!((before, text), ("[    3.098282] ", " <TASK>"));
/// let (_, text) = split_line("Nov 21 17:05:08 box kernel: RIP: 0010:f+0x1/0x2 [m]");
/// assert_eq!(text, "RIP: 0010:f+0x1/0x2 [m]");
/// assert_eq!(split_line("as it is"), ("", "as it is"));
/// ```
pub fn split_line(line: &str) -> (&str, &str) {
    let line = line.trim_end_matches(['\r', '\n']);
    let mut text = priority(line);
    text = journal(text);
    text = facility(text);
    text = stamp(text);
    line.split_at(line.len() - text.len())
}

/// Skips `<4>`, as `/proc/kmsg` has it.
fn priority(text: &str) -> &str {
    let rest = text.strip_prefix('<').and_then(|t| t.split_once('>'));
    match rest {
        Some((number, rest))
            if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            rest
        }
        _ => text,
    }
}

/// Skips `Nov 21 17:05:08 HOST kernel: `, also with an ISO date or a monotonic time.
fn journal(text: &str) -> &str {
    let Some((before, rest)) = text.split_once(" kernel: ") else {
        return text;
    };
    let words: Vec<&str> = before.split_whitespace().collect();
    let is_time = |word: &str| {
        let mut parts = word.split(':');
        let number = |p: &str| p.len() >= 2 && p.bytes().all(|b| b.is_ascii_digit());
        parts.by_ref().take(2).all(number) && word.matches(':').count() >= 2
    };
    let dated = match words[..] {
        [_month, day, time, _host] => is_time(time) && day.parse::<u8>().is_ok(),
        [date, _host] => {
            date.starts_with('[') || date.split_once('T').is_some_and(|(_, time)| is_time(time))
        }
        ["[", time, _host] => time.ends_with(']'),
        _ => false,
    };
    if dated { rest } else { text }
}

/// Skips `kern  :warn  : `, as `dmesg -x` prints it.
fn facility(text: &str) -> &str {
    let mut parts = text.splitn(3, ':');
    let (Some(facility), Some(level), Some(rest)) = (parts.next(), parts.next(), parts.next())
    else {
        return text;
    };
    let named = ["kern", "user", "daemon"].contains(&facility.trim_end());
    let short = level.trim_end().len() <= 6 && level.len() >= 5;
    match named && short {
        true => rest.strip_prefix(' ').unwrap_or(rest),
        false => text,
    }
}

/// Skips `[    3.098282] ` or `[Sat Nov 21 17:05:08 2026] `, and then perhaps `[   T12] `.
fn stamp(text: &str) -> &str {
    let Some((inside, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else {
        return text;
    };
    let inside = inside.trim();
    let seconds = inside.split_once('.').is_some_and(|(seconds, fraction)| {
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        digits(seconds) && digits(fraction)
    });
    let date = inside.split_whitespace().count() == 5 && inside.matches(':').count() == 2;
    if !seconds && !date {
        return text;
    }
    let caller = rest
        .trim_start_matches(' ')
        .strip_prefix('[')
        .and_then(|t| {
            let (caller, rest) = t.split_once(']')?;
            let number = caller.trim_start().strip_prefix(['T', 'C'])?;
            number.bytes().all(|b| b.is_ascii_digit()).then_some(rest)
        });
    let rest = caller.unwrap_or(rest);
    rest.strip_prefix(' ').unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_logs() {
        for (line, text) in [
            ("[    0.000000] Linux version 6.12", "Linux version 6.12"),
            ("[12345.678901]  ? f+0x1/0x2", " ? f+0x1/0x2"),
            (
                "[    3.1][   T12] RIP: 0010:f+0x1/0x2",
                "RIP: 0010:f+0x1/0x2",
            ),
            ("[    3.1] [C0]  f+0x1/0x2", " f+0x1/0x2"),
            ("[Sat Nov 21 17:05:08 2026]  <TASK>", " <TASK>"),
            ("<4>[    3.1] Call Trace:", "Call Trace:"),
            ("kern  :warn  : [    3.1] Call Trace:", "Call Trace:"),
            ("Nov 21 17:05:08 box kernel:  <TASK>", " <TASK>"),
            ("Nov  1 17:05:08 box kernel: [    3.1]  <TASK>", " <TASK>"),
            (
                "2026-11-21T17:05:08+0000 box kernel: Call Trace:",
                "Call Trace:",
            ),
            (
                "2026-11-21T17:05:08.123456+00:00 box kernel: [    3.1] Call Trace:",
                "Call Trace:",
            ),
            ("[    3.098282] box kernel: Call Trace:", "Call Trace:"),
            ("RIP: 0010:f+0x1/0x2 [m]\r", "RIP: 0010:f+0x1/0x2 [m]"),
        ] {
            assert_eq!(split_line(line).1, text, "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for line in [
            "",
            "[<0>] do_wait+0x1/0x2",
            "the kernel: not a log",
            "a b c kernel: text",
            "[drm] ready",
            "one: two: three",
            "<TASK>",
        ] {
            assert_eq!(split_line(line), ("", line));
        }
    }
}
