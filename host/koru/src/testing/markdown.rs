// SPDX-License-Identifier: MIT OR Apache-2.0

//! Markdown that may contain any text.

/// Escapes text so that Markdown and HTML show it as it is.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Returns a code block that may contain any text.
pub fn fenced(text: &str) -> String {
    let ticks = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(ticks.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_log_is_markup() {
        assert_eq!(escape("a|b <b>`x`"), "a\\|b &lt;b&gt;\\`x\\`");
        assert_eq!(fenced("x"), "```text\nx\n```\n");
        assert_eq!(fenced("a\n````\nb"), "`````text\na\n````\nb\n`````\n");
    }
}
