// SPDX-License-Identifier: MIT OR Apache-2.0

//! Formats log records as text.

use koru_protocol::LogRecord;

/// Returns a record as dmesg shows it.
pub fn format_record(record: &LogRecord, colour: bool) -> String {
    let time = format_time(record.timestamp_us, colour);
    let text = escape_control_chars(&record.text);
    if !colour {
        return time + &text;
    }
    let paint = match record.level {
        0..=2 => "\x1b[1;31m",
        3 => "\x1b[31m",
        4 => "\x1b[33m",
        7 => "\x1b[2m",
        _ => "",
    };
    format!("{time}{paint}{text}\x1b[0m")
}

/// Returns a time as dmesg shows it: `[   12.000345] `.
pub fn format_time(timestamp_us: u64, colour: bool) -> String {
    let seconds = timestamp_us / 1_000_000;
    let micros = timestamp_us % 1_000_000;
    match colour {
        true => format!("\x1b[32m[{seconds:5}.{micros:06}]\x1b[0m "),
        false => format!("[{seconds:5}.{micros:06}] "),
    }
}

/// Escapes control characters, which must not reach the terminal as such.
pub fn escape_control_chars(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let shown = match c {
                '\n' | '\t' => c.to_string(),
                c if c.is_control() => c.escape_default().to_string(),
                c => c.to_string(),
            };
            shown.chars().collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> LogRecord {
        LogRecord {
            seq: 1,
            level: 6,
            facility: 0,
            timestamp_us: 12_000_345,
            text: text.into(),
            continuation: false,
        }
    }

    #[test]
    fn like_dmesg() {
        let text = format_record(&record("hello: up"), false);
        assert_eq!(text, "[   12.000345] hello: up");
    }

    #[test]
    fn nothing_controls_the_terminal() {
        let text = format_record(&record("a\x1b[2Jb"), false);
        assert_eq!(text, "[   12.000345] a\\u{1b}[2Jb");
    }
}
