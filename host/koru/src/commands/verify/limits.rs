// SPDX-License-Identifier: MIT OR Apache-2.0

//! Keeps reports small: a module in a loop may log millions of lines.

use koru_decode::Decoded;

/// The number of bytes of each text that a report has for one requirement. A contract has some
/// sixty requirements, so the reports stay below 10 MB.
const MOST: usize = 24 * 1024;

/// Returns the beginning and the end of the lines if they are too long, and between them a line
/// that says how many are left out.
pub fn cut_lines(lines: &[String]) -> Vec<String> {
    let size = |line: &String| line.len() + 1;
    if lines.iter().map(size).sum::<usize>() <= MOST {
        return lines.to_vec();
    }
    let fitting = |lines: &mut dyn Iterator<Item = &String>, most: usize| {
        let mut left = most;
        let fits = |line: &&String| {
            let fits = size(line) <= left;
            left = left.saturating_sub(size(line));
            fits
        };
        lines.take_while(fits).count()
    };
    // What went wrong first says most.
    let first = fitting(&mut lines.iter(), MOST / 4 * 3);
    let last = fitting(&mut lines[first..].iter().rev(), MOST / 4);
    let between = lines.len() - first - last;
    let note = format!(
        "... {between} lines are left out, because a report has {} KiB of a log at most ...",
        MOST / 1024
    );
    let (begin, end) = (&lines[..first], &lines[lines.len() - last..]);
    [begin, &[note], end].concat()
}

/// Returns a text, cut as [`cut_lines`] cuts lines.
pub fn cut_text(text: &str) -> String {
    if text.len() <= MOST {
        return text.to_owned();
    }
    // A single line may be too long by itself.
    let pieces = text.lines().flat_map(|line| {
        let letters: Vec<char> = line.chars().collect();
        let pieces = letters.chunks(1000).map(String::from_iter);
        pieces.collect::<Vec<String>>()
    });
    cut_lines(&pieces.collect::<Vec<String>>()).join("\n")
}

/// Returns as many of the kernel's reports as a report of ours has room for, at least one.
pub fn cut_decoded(decoded: &[Decoded]) -> Vec<Decoded> {
    let mut left = MOST;
    let fits = |(at, report): &(usize, &Decoded)| {
        let size = serde_json::to_string(report).map_or(0, |text| text.len());
        let fits = *at == 0 || size <= left;
        left = left.saturating_sub(size);
        fits
    };
    let kept = decoded.iter().enumerate().take_while(fits);
    kept.map(|(_, report)| report.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flood_is_cut_and_that_is_told() {
        let lines: Vec<String> = (0..100_000).map(|i| format!("line {i}")).collect();
        let cut = cut_lines(&lines);
        let size: usize = cut.iter().map(|l| l.len() + 1).sum();
        assert!(size < MOST + 200, "{size}");
        assert_eq!(
            (&*cut[0], cut.last().unwrap().as_str()),
            ("line 0", "line 99999")
        );
        let note = cut
            .iter()
            .find(|l| l.contains("lines are left out"))
            .unwrap();
        let left: usize = note.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(left + cut.len() - 1, lines.len());
        assert_eq!(cut_lines(&lines[..10]), lines[..10]);
    }

    #[test]
    fn one_long_line_is_cut_as_well() {
        let cut = cut_text(&"ä".repeat(1_000_000));
        assert!(cut.len() < MOST + 200, "{}", cut.len());
        assert!(cut.contains("lines are left out"));
        assert_eq!(cut_text("short\n"), "short\n");
    }
}
