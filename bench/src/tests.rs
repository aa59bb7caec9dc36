// SPDX-License-Identifier: MIT OR Apache-2.0

//! Measures a run of the guest tests.

use anyhow::Result;

use crate::{
    figures::Figures,
    koru::{Koru, output},
};

const BOOT: &str = "tests in guests that boot";
const RESUME: &str = "tests in guests that resume";

/// Measures runs in guests that resume, with `koru`, and in guests that boot, with `earlier`.
/// Both may be the same checkout.
pub fn measure(
    koru: &Koru,
    earlier: &Koru,
    kernel: Option<&str>,
    filters: &[String],
    rounds: u32,
) -> Result<Figures> {
    let options: Vec<&str> = kernel.iter().flat_map(|k| ["--kernel", k]).collect();
    let command = |side: &Koru| {
        let mut command = side.command(side.guest_tests());
        command.args(&options);
        command
    };
    // This builds everything, and creates all snapshots for the guests that resume.
    output(command(earlier).arg("hello::"))?;
    output(command(koru).args(filters))?;
    let mut figures = Figures::default();
    for _ in 0..rounds {
        let (_, seconds) = output(command(koru).args(filters))?;
        figures.add(RESUME, seconds);
        let (_, seconds) = output(command(earlier).args(filters).env("KORU_BOOT", "1"))?;
        figures.add(BOOT, seconds);
    }
    figures.compare(RESUME, BOOT);
    Ok(figures)
}
