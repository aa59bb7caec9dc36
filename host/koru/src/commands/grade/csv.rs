// SPDX-License-Identifier: MIT OR Apache-2.0

//! The table of a class for spreadsheets.

use super::row::Row;
use crate::judging::report::short;

/// Returns the table: a row for each student, a column for each promise.
pub fn csv(rows: &[Row]) -> String {
    let promises: Vec<String> = match rows
        .iter()
        .map(|r| &r.findings.promises)
        .max_by_key(|p| p.len())
    {
        Some(promises) => promises.iter().map(|p| p.name.clone()).collect(),
        None => Vec::new(),
    };
    let mut head: Vec<String> = [
        "student", "points", "of", "state", "seconds", "seed", "problem", "marks",
    ]
    .map(str::to_owned)
    .to_vec();
    head.extend(promises.iter().cloned());
    let mut text = line(&head);
    for row in rows {
        let problem = row.problem.as_deref().unwrap_or_default();
        let mut cells = vec![
            row.student.clone(),
            short(row.findings.points),
            short(row.findings.of),
            row.state().to_owned(),
            short(row.seconds),
            row.seed.to_string(),
            problem.lines().next().unwrap_or_default().to_owned(),
            row.findings.marks.join(" "),
        ];
        cells.extend(promises.iter().map(|name| {
            let result = row.findings.promises.iter().find(|p| p.name == *name);
            match result {
                None => String::new(),
                // A spreadsheet's sum leaves words out.
                Some(p) if p.unmet.is_some() => p.result.name().to_owned(),
                Some(p) => short(p.points),
            }
        }));
        text += &line(&cells);
    }
    text
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
    cells.join(",") + "\r\n"
}

/// Returns a cell that a spreadsheet takes for a text, and not for a formula.
fn escaped(cell: &str) -> String {
    let clean: String = cell
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let is_number = clean.parse::<f64>().is_ok();
    let is_formula = clean
        .trim_start()
        .starts_with(['=', '+', '-', '@', '|', '%']);
    let safe = match is_formula && !is_number {
        true => format!("'{clean}"),
        false => clean,
    };
    match safe.contains([',', '"', '\'', ' ', ';']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, safe) in [
            ("Ada", "Ada"),
            ("-1.5", "-1.5"),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            (" +x", "\"' +x\""),
            ("a \"b\"\n,c", "\"a \"\"b\"\" ,c\""),
            ("\t=x", "\"' =x\""),
        ] {
            assert_eq!(escaped(cell), safe, "{cell:?}");
        }
    }
}
