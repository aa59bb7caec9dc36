// SPDX-License-Identifier: MIT OR Apache-2.0

//! Splits a line of a log: what the kernel printed, and what dmesg, the journal, a console or
//! a vendor put before it.

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
    let inner = quoted(line);
    let text = after_stamp(inner).unwrap_or_else(|| without_stamp(inner));
    line.split_at(line.len() - text.len())
}

/// Returns a line as a terminal would leave it: without colours and other control sequences,
/// and without what a carriage return in the line overwrites.
///
/// ```
/// use koru_klog::plain_line;
/// assert_eq!(plain_line("\x1b[31m[    3.1] \x1b[1mCall Trace:\x1b[0m\r"), "[    3.1] Call Trace:");
/// assert_eq!(plain_line("loading 50%\r[    3.1] Call Trace:"), "[    3.1] Call Trace:");
/// ```
pub fn plain_line(line: &str) -> String {
    let line = line.trim_end_matches(['\r', '\n']);
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\x1b' && chars.next_if_eq(&'[').is_some() {
            // The sequence ends with a letter.
            while chars.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
        } else if c == '\t' || !c.is_control() {
            plain.push(c);
        }
    }
    // Syslog writes control characters as numbers.
    match plain.contains("#01") {
        true => plain.replace("#011", "\t").replace("#012", ""),
        false => plain,
    }
}

/// Returns the task or processor that printed a line, as the kernel's stamp (`[   T12]`,
/// `[    C1]`) or a vendor's mark (`cpu1`) says before its text.
///
/// ```
/// use koru_klog::caller;
/// assert_eq!(caller("[    3.1][   T12] "), Some("T12"));
/// assert_eq!(caller("[    3.1] [pid:10974,cpu1,grep]"), Some("pid:10974,cpu1,grep"));
/// assert_eq!(caller("[    3.1] "), None);
/// ```
pub fn caller(before: &str) -> Option<&str> {
    let inside = before.trim_end().strip_suffix(']')?;
    let inside = inside.rsplit('[').next()?.trim();
    is_caller(inside).then_some(inside)
}

/// How far into a line a stamp is searched.
const BEFORE_STAMP: usize = 160;

/// Returns the text behind the first stamp of the kernel's in a line, `[    3.098282]`, whatever
/// stands before it: the prefixes of syslog and of vendors, or noise of a serial line.
fn after_stamp(line: &str) -> Option<&str> {
    let mut brackets = line
        .match_indices('[')
        .take_while(|(at, _)| *at < BEFORE_STAMP);
    brackets.find_map(|(at, _)| {
        let (before, (inside, rest)) = (&line[..at], line[at + 1..].split_once(']')?);
        // A message can quote a stamp; what stands before a real one is no sentence.
        (is_seconds(inside) && is_prefix(before)).then(|| level(after_host(after_callers(rest))))
    })
}

/// Skips `HOST kernel: `, which the journal puts between a monotonic time and the text.
fn after_host(text: &str) -> &str {
    match text.split_once(" kernel: ") {
        Some((host, rest)) if !host.contains(' ') => rest,
        _ => text.strip_prefix("kernel: ").unwrap_or(text),
    }
}

/// Returns whether something can stand before a stamp.
fn is_prefix(before: &str) -> bool {
    let before = before.trim_end();
    let noise = |c: char| !c.is_ascii_alphanumeric();
    before.is_empty()
        || before.ends_with([':', '>', '|', ']', '-', '}', '#', '$'])
        || before.chars().all(noise)
        || before.split_whitespace().take(6).any(is_time)
        || before.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        || before.len() <= 4
}

fn is_seconds(inside: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    // `dmesg` may say how much later a line is, before or behind the time: `+1.681698`.
    let inside = inside.split(" <").next().unwrap_or(inside);
    let inside = inside.trim().trim_start_matches('+');
    // Some vendors name the processor before the time: `1-721.3694`.
    let inside = match inside.split_once('-') {
        Some((cpu, seconds)) if digits(cpu) => seconds,
        _ => inside,
    };
    let parts = inside.split_once('.');
    parts.is_some_and(|(seconds, fraction)| {
        // Some vendors name the processor behind the time: `767.169269@0`.
        let (fraction, cpu) = fraction.split_once('@').unwrap_or((fraction, "0"));
        digits(seconds) && digits(cpu) && (fraction.is_empty() || digits(fraction))
    })
}

/// Skips who printed the text: `[   T12]`, and the marks of vendors.
fn after_callers(rest: &str) -> &str {
    let mut text = rest;
    loop {
        let inner = text.trim_start_matches(' ');
        let bracket = inner.strip_prefix('[').and_then(|t| t.split_once(']'));
        if let Some((_, after)) = bracket.filter(|(inside, _)| is_caller(inside.trim())) {
            text = after;
            continue;
        }
        // `<3>` or `(1)` after the stamp, also as `-(1)` or `.(1)`.
        let number = ["<", "(", "-(", ".("].iter().find_map(|begin| {
            let (number, after) = inner.strip_prefix(begin)?.split_once(['>', ')'])?;
            let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            is_number.then_some(after)
        });
        match number {
            Some(after) => text = after,
            None => return text.strip_prefix(' ').unwrap_or(text),
        }
    }
}

/// Returns whether the inside of a bracket names a task or a processor: `T12`, `C1`,
/// `pid:10974,cpu1,grep`, `1:  swapper/0:    1` or `123:kworker/0:1`.
fn is_caller(inside: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if let Some(number) = inside.strip_prefix(['T', 'C']) {
        return digits(number);
    }
    if inside.starts_with("pid:") || inside.strip_prefix("cpu").is_some_and(digits) {
        return true;
    }
    let first = inside.split_once(':');
    first.is_some_and(|(number, name)| digits(number) && !name.trim().is_empty() && !digits(name))
}

/// Skips what stands before a text that has no stamp of the kernel's.
fn without_stamp(line: &str) -> &str {
    let mut text = line;
    for skip in [
        priority,
        journal,
        facility,
        level,
        bare_seconds,
        stamp,
        priority,
    ] {
        text = skip(text);
    }
    text
}

/// Skips `> `, `| ` and `# `, with which letters and comments quote.
fn quoted(text: &str) -> &str {
    let mut text = text;
    loop {
        let rest = text.trim_start().strip_prefix(['>', '|', '#']);
        match rest.filter(|t| t.is_empty() || t.starts_with([' ', '\t', '>', '|', '['])) {
            Some(rest) => text = rest.strip_prefix(' ').unwrap_or(rest),
            None => return text,
        }
    }
}

/// Skips `WARN: `, as the logs of some hypervisors have it. The kernel itself begins lines with
/// `INFO: `, so that this cannot be told.
fn level(text: &str) -> &str {
    let levels = [
        "EMERG: ", "ALERT: ", "CRIT: ", "ERR: ", "WARN: ", "NOTICE: ",
    ];
    let inner = text.trim_start();
    let rest = levels.iter().find_map(|level| inner.strip_prefix(level));
    rest.unwrap_or(text)
}

/// Skips `00478 `, the seconds that a test machine puts before what it gets from a console.
fn bare_seconds(text: &str) -> &str {
    let (seconds, rest) = text.split_once(' ').unwrap_or((text, ""));
    let is_seconds = seconds.len() == 5 && seconds.bytes().all(|b| b.is_ascii_digit());
    // Words of memory are numbers as well.
    let is_text = !rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
    match is_seconds && is_text {
        true => rest,
        false => text,
    }
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

/// Returns whether a word is a time: `17:05:08`, also with a date or a fraction.
fn is_time(word: &str) -> bool {
    let time = word.rsplit(['T', '_']).next().unwrap_or(word);
    let mut parts = time.trim_matches(['[', ']']).split(':');
    let number = |p: &str| p.len() >= 2 && p.bytes().all(|b| b.is_ascii_digit());
    time.matches(':').count() >= 2 && parts.by_ref().take(2).all(number)
}

/// Skips `Nov 21 17:05:08 HOST kernel: `, also with an ISO date, a monotonic time, a year, or
/// without the host.
fn journal(text: &str) -> &str {
    let Some((before, rest)) = text.split_once("kernel: ") else {
        return text;
    };
    let words: Vec<&str> = before.split_whitespace().collect();
    let is_dated = words.len() <= 8
        && (words.iter().any(|w| is_time(w))
            || words.first().is_some_and(|w| w.starts_with('['))
            || words.is_empty());
    if is_dated { rest } else { text }
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

/// Skips `[Sat Nov 21 17:05:08 2026] ` or `[17:05:08] `, and who printed the text.
fn stamp(text: &str) -> &str {
    let Some((inside, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else {
        return after_callers_only(text);
    };
    let inside = inside.trim();
    // Somebody has left the time out.
    if inside.is_empty() && rest.starts_with(' ') {
        return &rest[1..];
    }
    let words = || inside.split_whitespace();
    // `Nov26 14:12` is how `dmesg -e` begins a minute.
    let minute = words().count() == 2
        && words()
            .next_back()
            .is_some_and(|w| w.len() == 5 && w.find(':') == Some(2));
    let date = minute || words().count() == 5 && inside.matches(':').count() == 2;
    match date || is_time(inside.split_whitespace().next_back().unwrap_or("")) {
        true => after_callers(rest),
        false => after_callers_only(text),
    }
}

/// Skips a caller at the beginning of a line that has no stamp.
fn after_callers_only(text: &str) -> &str {
    let bracket = text.strip_prefix('[').and_then(|t| t.split_once(']'));
    match bracket.is_some_and(|(inside, _)| is_caller(inside.trim())) {
        true => after_callers(text),
        false => text,
    }
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
            // Android, and its vendors.
            ("<3>[    3.1] Call Trace:", "Call Trace:"),
            (
                "01-01 00:00:05.100  0  0 E kernel  : <3>[    3.1] Call Trace:",
                "Call Trace:",
            ),
            ("[    3.1] [pid:10974,cpu1,grep]  f+0x1/0x2", " f+0x1/0x2"),
            (
                "[    3.1] [1:      swapper/0:    1] Call trace:",
                "Call trace:",
            ),
            ("[    3.1]-(1)[123:kworker/1:2]Call trace:", "Call trace:"),
            ("[    3.1] <2>.(0)[12:init]Call trace:", "Call trace:"),
            // Syslog and consoles.
            ("[17:05:08] [    3.1] Call Trace:", "Call Trace:"),
            ("[2026-11-21 17:05:08] Call Trace:", "Call Trace:"),
            (
                "Sat Nov 21 17:05:08 2026 kern.alert kernel: [    3.1] Call Trace:",
                "Call Trace:",
            ),
            (
                "2026-11-21T17:05:08.1234567Z [    3.1] Call Trace:",
                "Call Trace:",
            ),
            ("\u{fffd}\u{fffd}[    3.1] Call Trace:", "Call Trace:"),
            ("kernel: Call Trace:", "Call Trace:"),
            ("Feb  9 12:50:38 box [    3.1] Call Trace:", "Call Trace:"),
            ("162 [    3.1] Call Trace:", "Call Trace:"),
            ("> [    3.1] Call Trace:", "Call Trace:"),
            (">> |  f+0x1/0x2", " f+0x1/0x2"),
            ("|[    3.1] Call Trace:", "Call Trace:"),
            ("# RIP: 0010:f+0x1/0x2", "RIP: 0010:f+0x1/0x2"),
            ("  WARN:  f+0x1/0x2", " f+0x1/0x2"),
            ("[    3.1] ALERT: Call Trace:", "Call Trace:"),
            ("181.10  [    3.1] Call Trace:", "Call Trace:"),
            ("[  240.] Call Trace:", "Call Trace:"),
            // A prompt, a vendor's processor, a journal without its host.
            ("[root@box lab]# [    3.1] Call Trace:", "Call Trace:"),
            (" kernel:[  767.169269@0] Call Trace:", "Call Trace:"),
            ("[    3.1] kernel: Call Trace:", "Call Trace:"),
            // `dmesg` with relative times, vendors' and test machines' times.
            ("[  +1.681698] Call Trace:", "Call Trace:"),
            ("[    3.1 ] Call Trace:", "Call Trace:"),
            ("[]  f+0x1/0x2", " f+0x1/0x2"),
            ("[Nov21 17:05] Call Trace:", "Call Trace:"),
            ("[    3.1 <    0.000010>] Call Trace:", "Call Trace:"),
            ("sh-3.2# [1-721.3694] Call Trace:", "Call Trace:"),
            ("00478        f+0x1/0x2", "       f+0x1/0x2"),
            ("00478", ""),
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
            "#0: ffff8880 (lock){....}, at: f+0x1/0x2",
            "#PF: supervisor read access",
            "one: two: three",
            "<TASK>",
            "m: the log said [    3.1] at that time",
            "00478 00479 00480",
            "[1-2] the pages",
            "[<ffffffff81002123>] f+0x1/0x2",
        ] {
            assert_eq!(split_line(line), ("", line));
        }
    }
}
