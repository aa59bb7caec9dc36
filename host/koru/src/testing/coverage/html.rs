// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes coverage as one HTML page, which needs nothing else.

use std::{fmt::Write, fs};

use super::lines::{FileCoverage, Files};
use crate::markup::escape;

const STYLE: &str = "body{font-family:sans-serif;margin:2em}\
    table{border-collapse:collapse}td,th{padding:.2em 1em;text-align:left}\
    pre{margin:0;line-height:1.4}pre span{display:block;white-space:pre-wrap}\
    .run{background:#d7f5dd}.not{background:#fbd9d9}\
    .n{display:inline-block;width:5em;color:#555}";

/// Returns a page with a table of all files, and the text of each, in which the lines that ran
/// are green and those that did not are red.
pub fn text(files: &Files) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>Coverage</title><style>{STYLE}</style></head><body>\n<h1>Coverage</h1>\n\
         <table><tr><th>file</th><th>lines</th><th>functions</th><th>not run</th></tr>\n"
    );
    for (at, file) in files.iter().enumerate() {
        let (lines, functions) = (file.lines_run(), file.functions_run());
        let not_run = file.functions_not_run().join(", ");
        let _ = writeln!(
            page,
            "<tr><td><a href=\"#f{at}\">{}</a></td><td>{} of {}</td><td>{} of {}</td><td>{}</td></tr>",
            escape(&file.shown),
            lines.0,
            lines.1,
            functions.0,
            functions.1,
            escape(&not_run)
        );
    }
    page.push_str("</table>\n");
    for (at, file) in files.iter().enumerate() {
        let _ = writeln!(page, "<h2 id=\"f{at}\">{}</h2>", escape(&file.shown));
        page.push_str(&source(file));
    }
    page.push_str("</body></html>\n");
    page
}

/// Returns the text of a file with its lines marked.
fn source(file: &FileCoverage) -> String {
    let Ok(bytes) = fs::read(&file.path) else {
        return "<p>The file cannot be read.</p>\n".to_owned();
    };
    let mut text = "<pre>".to_owned();
    for (number, line) in (1..).zip(String::from_utf8_lossy(&bytes).lines()) {
        let (class, title) = match file.lines.get(&number) {
            None => ("", String::new()),
            Some(suites) if suites.is_empty() => ("not", String::new()),
            Some(suites) => {
                let suites: Vec<&str> = suites.iter().map(String::as_str).collect();
                ("run", suites.join(", "))
            }
        };
        let _ = write!(
            text,
            "<span class=\"{class}\" title=\"{}\"><i class=\"n\">{number}</i>{}\n</span>",
            escape(&title),
            escape(line)
        );
    }
    text + "</pre>\n"
}

#[cfg(test)]
mod tests {
    use super::{super::lines::tests::file, *};

    #[test]
    fn names_and_lines_are_no_html() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("<b>&'\".c");
        fs::write(&path, "if (a < b) // \x1b[31m</pre>\n").unwrap();
        let path = path.to_str().unwrap();
        let functions: [(&str, u32, &[&str]); 1] = [("<T as U>::f", 1, &[])];
        let page = text(&file(path, &[(1, &["<i>"])], &functions));
        assert!(page.contains("&lt;b&gt;&amp;&#39;&quot;.c</a>"), "{page}");
        assert!(page.contains("&lt;T as U&gt;::f"), "{page}");
        assert!(page.contains("class=\"run\" title=\"&lt;i&gt;\""), "{page}");
        let line = "if (a &lt; b) // \u{fffd}[31m&lt;/pre&gt;\n";
        assert!(page.contains(line), "{page}");
    }
}
