// SPDX-License-Identifier: MIT OR Apache-2.0

//! Measures Koru through its command line, as its users see it. Each figure is the median of
//! several rounds. Rounds of things that are compared alternate, so that a machine that
//! becomes busy slows all of them down.
#![forbid(unsafe_code)]

mod c_folder;
mod figures;
mod koru;
mod tests;
mod turnaround;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::koru::Koru;

#[derive(Parser)]
#[command(
    about = "Measures Koru",
    after_help = "Examples:
  koru dev bench turnaround
  koru dev bench turnaround --kernel 6.1 --rounds 11 --json
  koru dev bench tests hello my_timer
  koru dev bench tests --rounds 1 --before ../koru-1.0

Run it on a machine that does nothing else."
)]
struct Cli {
    #[command(subcommand)]
    what: What,
    /// Only on this kernel.
    #[arg(long, global = true, value_name = "K")]
    kernel: Option<String>,
    /// How often each figure is taken.
    #[arg(long, global = true, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// All rounds, to be read by a program.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// From a saved edit to the kernel's log, in Rust and C; warm and cold starts of a guest.
    Turnaround,
    /// A run of the guest tests, with guests that boot and with guests that resume.
    Tests {
        /// Only tests whose names contain one of these words.
        filters: Vec<String>,
        /// Take the guests that boot from another checkout of Koru, an earlier one.
        #[arg(long, value_name = "FOLDER")]
        before: Option<PathBuf>,
    },
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let koru = Koru::find()?;
    let kernels = match (&cli.kernel, &cli.what) {
        (Some(kernel), _) => vec![Some(kernel.clone())],
        // Guests of all kernels run at once.
        (None, What::Tests { .. }) => vec![None],
        (None, What::Turnaround) => koru.kernels()?.into_iter().map(Some).collect(),
    };
    let mut results = Vec::new();
    for kernel in &kernels {
        let kernel = kernel.as_deref();
        let figures = match (&cli.what, kernel) {
            (What::Tests { filters, before }, _) => {
                let earlier = before.as_deref().map(Koru::of).transpose()?;
                let earlier = earlier.as_ref().unwrap_or(&koru);
                tests::measure(&koru, earlier, kernel, filters, cli.rounds)?
            }
            (What::Turnaround, Some(kernel)) => turnaround::measure(&koru, kernel, cli.rounds)?,
            (What::Turnaround, None) => continue,
        };
        let kernel = kernel.unwrap_or("all kernels");
        if !cli.json {
            println!("{kernel}\n{figures}");
        }
        results.push(serde_json::json!({ "kernel": kernel, "seconds": figures.rounds() }));
    }
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    }
    Ok(())
}
