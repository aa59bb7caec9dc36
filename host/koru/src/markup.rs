// SPDX-License-Identifier: MIT OR Apache-2.0

//! Puts texts of others into HTML and SVG.

/// Returns a text in which nothing is markup.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            escape("<script>\"'&\u{1b}[31m"),
            "&lt;script&gt;&quot;&#39;&amp;\u{fffd}[31m"
        );
    }
}
