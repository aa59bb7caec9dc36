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
    let mut words = vec!["test", "--only", "guest"];
    words.extend(kernel.iter().flat_map(|kernel| ["--kernel", kernel]));
    // This builds everything, and creates all snapshots for the guests that resume.
    output(earlier.command(&words).arg("hello::"))?;
    words.extend(filters.iter().map(String::as_str));
    output(&mut koru.command(&words))?;
    let mut figures = Figures::default();
    for _ in 0..rounds {
        let (_, seconds) = output(&mut koru.command(&words))?;
        figures.add(RESUME, seconds);
        let (_, seconds) = output(earlier.command(&words).env("KORU_BOOT", "1"))?;
        figures.add(BOOT, seconds);
    }
    figures.compare(RESUME, BOOT);
    Ok(figures)
}
