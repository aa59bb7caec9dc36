// SPDX-License-Identifier: MIT OR Apache-2.0

//! Measures how long users wait: for a run, for a run after an edit, for a boot.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    c_folder::Folders,
    figures::Figures,
    koru::{Koru, json, output, seconds_to_line},
};

const WARM: &str = "warm run of hello, exec to exit";
const BOOT: &str = "boot to the agent";
const GUEST: &str = "the guest's part of a warm run";

pub fn measure(koru: &Koru, kernel: &str, rounds: u32) -> Result<Figures> {
    let run = ["run", "hello", "--json", "--kernel", kernel];
    let dir = tempfile::tempdir()?;
    let module = dir.path().join("edited");
    let path = module.to_str().context("a path in UTF-8")?;
    output(&mut koru.command(&["new", path]))?;
    // Afterwards, everything that is made only once exists.
    json(&mut koru.command(&run))?;
    edited(koru, &module, kernel, 0)?;
    let folders = Folders::new(koru, kernel, dir.path())?;

    let mut figures = Figures::default();
    for round in 1..=rounds {
        let (report, seconds) = json(&mut koru.command(&run))?;
        figures.add(WARM, seconds);
        let stages = &report["seconds"];
        let of = |name: &str| stages[name].as_f64().context("a stage's seconds");
        figures.add(GUEST, of("start")? + of("load")? + of("unload")?);
        let (first, whole) = edited(koru, &module, kernel, round)?;
        figures.add("edit of a line to its first log line", first);
        figures.add("edit of a line to the end of the run", whole);
        folders.measure(koru, kernel, round, &mut figures)?;
        let (report, _) = json(koru.command(&run).env("KORU_BOOT", "1"))?;
        let boot = report["seconds"]["start"].as_f64();
        figures.add(BOOT, boot.context("a stage's seconds")?);
    }
    figures.compare(GUEST, BOOT);
    Ok(figures)
}

/// Changes a line of a module and runs the module. Returns the seconds until the line's
/// message is in the log, and until the end of the run.
fn edited(koru: &Koru, module: &Path, kernel: &str, round: u32) -> Result<(f64, f64)> {
    let source = module.join("src/lib.rs");
    let text = fs::read_to_string(&source)?;
    let says = format!("edit number {round}!");
    let lines: Vec<String> = text
        .lines()
        .map(
            |line| match line.contains("pr_info!(\"Hello") || line.contains("edit number") {
                true => format!("        pr_info!(\"{says}\\n\");"),
                false => line.to_owned(),
            },
        )
        .collect();
    fs::write(&source, lines.join("\n") + "\n")?;
    let mut command = koru.command(&["run", "--kernel", kernel]);
    seconds_to_line(command.current_dir(module), &says)
}
