// SPDX-License-Identifier: MIT OR Apache-2.0

//! The results of a class.

use koru_judge::score;

use super::{row::Row, similar::Pair};

/// What was found out about a class.
#[derive(Default)]
pub struct Results {
    pub rows: Vec<Row>,
    /// What has changed for whom since the last run.
    pub changes: Vec<(String, String)>,
    /// The students whose sources share much.
    pub pairs: Vec<Pair>,
}

impl Results {
    /// Returns the average of the class, as a part of all points.
    pub fn average(&self) -> f64 {
        let points = self.rows.iter().map(|r| (r.findings.points, r.findings.of));
        let sum = score(points);
        match sum.of {
            0.0 => 0.0,
            of => sum.points / of,
        }
    }
}
