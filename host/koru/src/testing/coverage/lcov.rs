// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes coverage in the format of lcov, which genhtml, editors and CI services read.

use std::fmt::Write;

use super::lines::{FileCoverage, Files, Suites};

/// Returns the text of an lcov file, with a section for each suite of tests and file. Whether
/// something ran is known, not how often, so each count is 0 or 1.
pub fn text(files: &Files) -> String {
    let mut text = String::new();
    for file in files.iter() {
        let in_lines = file.lines.values().flatten();
        let in_functions = file.functions.values().flat_map(|f| &f.suites);
        let suites: Suites = in_lines.chain(in_functions).cloned().collect();
        for suite in &suites {
            section(&mut text, file, suite);
        }
        // Even a file of which nothing ran is there.
        if suites.is_empty() {
            section(&mut text, file, "");
        }
    }
    text
}

fn section(text: &mut String, file: &FileCoverage, suite: &str) {
    let count = |suites: &Suites| u8::from(suites.contains(suite));
    let sum = |counts: &mut dyn Iterator<Item = u8>| counts.map(u32::from).sum::<u32>();
    let name: String = suite
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let mut line = |written: String| _ = writeln!(text, "{}", written.replace('\n', " "));
    line(format!("TN:{name}"));
    line(format!("SF:{}", file.path.display()));
    for (name, function) in &file.functions {
        line(format!("FN:{},{name}", function.line));
    }
    for (name, function) in &file.functions {
        line(format!("FNDA:{},{name}", count(&function.suites)));
    }
    line(format!("FNF:{}", file.functions.len()));
    let functions = sum(&mut file.functions.values().map(|f| count(&f.suites)));
    line(format!("FNH:{functions}"));
    for (number, suites) in &file.lines {
        line(format!("DA:{number},{}", count(suites)));
    }
    line(format!("LF:{}", file.lines.len()));
    line(format!("LH:{}", sum(&mut file.lines.values().map(count))));
    line("end_of_record".to_owned());
}

#[cfg(test)]
mod tests {
    use super::{super::lines::tests::file, *};

    #[test]
    fn each_suite_has_a_section() {
        let lines: [(u32, &[&str]); 3] = [(3, &["a on 6.1"]), (4, &["a on 6.1", "b"]), (5, &[])];
        let files = file("/x/y.c", &lines, &[("f", 3, &["b"]), ("g", 5, &[])]);
        let wanted = |name: &str, f: u8, three: u8, hit: u8| {
            format!(
                "TN:{name}\nSF:/x/y.c\nFN:3,f\nFN:5,g\nFNDA:{f},f\nFNDA:0,g\nFNF:2\nFNH:{f}\n\
                 DA:3,{three}\nDA:4,1\nDA:5,0\nLF:3\nLH:{hit}\nend_of_record\n"
            )
        };
        assert_eq!(
            text(&files),
            wanted("a_on_6_1", 0, 1, 2) + &wanted("b", 1, 0, 1)
        );
    }
}
