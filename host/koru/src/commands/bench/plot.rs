// SPDX-License-Identifier: MIT OR Apache-2.0

//! A picture of the recorded ratios, as SVG: a line for each row, and a dot on it for each form in
//! C. The scale is logarithmic, so twice as much and half as much are equally far from 1.

use std::{collections::BTreeMap, fmt::Write};

use super::baseline::Ratios;
use crate::markup::escape;

const LINE: f64 = 15.0;
const TOP: f64 = 60.0;
/// Where the scale begins and ends, from left to right.
const SCALE: (f64, f64) = (300.0, 860.0);
/// The logarithms of the ratios at both ends.
const ENDS: (f64, f64) = (-3.0, 6.0);
const COLOURS: [(&str, &str); 3] = [
    ("fair", "#1b6ca8"),
    ("straightforward", "#d1782c"),
    ("escaped", "#8a8a8a"),
];

fn x(ratio: f64) -> f64 {
    let part = (ratio.log2().clamp(ENDS.0, ENDS.1) - ENDS.0) / (ENDS.1 - ENDS.0);
    SCALE.0 + part * (SCALE.1 - SCALE.0)
}

/// Draws the ratios of modules.
pub fn svg(title: &str, modules: &BTreeMap<String, Ratios>) -> String {
    let mut lines: Vec<(String, Option<&BTreeMap<String, f64>>)> = Vec::new();
    for (module, rows) in modules {
        lines.push((module.clone(), None));
        lines.extend(rows.iter().map(|(row, forms)| (row.clone(), Some(forms))));
    }
    let bottom = TOP + LINE * lines.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{:.0}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"18\" font-size=\"13\">Koru divided by C: {}</text>\n",
        bottom + 10.0,
        escape(title)
    );
    for (n, (form, colour)) in COLOURS.iter().enumerate() {
        let left = 10.0 + 120.0 * n as f64;
        _ = writeln!(
            out,
            "<circle cx=\"{}\" cy=\"34\" r=\"4\" fill=\"{colour}\"/><text x=\"{}\" y=\"38\">{form}</text>",
            left + 4.0,
            left + 12.0
        );
    }
    for power in ENDS.0 as i32..=ENDS.1 as i32 {
        let ratio = f64::from(power).exp2();
        let at = x(ratio);
        let colour = if power == 0 { "#444" } else { "#ddd" };
        _ = writeln!(
            out,
            "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"{colour}\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{ratio}</text>",
            TOP - 4.0
        );
    }
    for (n, (name, forms)) in lines.iter().enumerate() {
        let y = TOP + LINE * (n as f64 + 0.7);
        let (left, weight) = match forms {
            None => (10, "bold"),
            Some(_) => (24, "normal"),
        };
        let name = escape(name);
        _ = writeln!(
            out,
            "<text x=\"{left}\" y=\"{y:.1}\" font-weight=\"{weight}\">{name}</text>"
        );
        for (form, ratio) in forms.iter().flat_map(|forms| forms.iter()) {
            let colour = COLOURS.iter().find(|(name, _)| name == form);
            let colour = colour.map_or("#8a8a8a", |(_, colour)| colour);
            _ = writeln!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\">\
                 <title>{name}: {ratio:.2} of {form}</title></circle>",
                x(*ratio),
                y - 4.0
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ratio_is_a_dot() {
        let forms = BTreeMap::from([
            ("fair".to_owned(), 1.0),
            ("straightforward".to_owned(), 2.0),
        ]);
        let rows = BTreeMap::from([("read <1 B>".to_owned(), forms)]);
        let drawn = svg("6.1 & more", &BTreeMap::from([("hello".to_owned(), rows)]));
        assert_eq!(drawn.matches("<title>").count(), 2);
        assert!(drawn.contains("6.1 &amp; more") && drawn.contains("read &lt;1 B&gt;"));
        let place = |ratio| format!("cx=\"{:.1}\"", x(ratio));
        assert!(drawn.contains(&place(1.0)) && drawn.contains(&place(2.0)));
        // Equal factors are equally far apart.
        assert!((x(2.0) - x(1.0) - (x(1.0) - x(0.5))).abs() < 0.01);
    }
}
