// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru bench`: counts the instructions that modules take, exactly.

mod baseline;
mod functions;
mod guest;
mod operation;
mod plot;
mod profile;
mod quick;
mod report;
mod rows;
mod sizes;
mod suite;
mod whole;

use koru_error::{Error, Kind, Result};

use crate::{cli::BenchArgs, context::Context, ui};
use rows::{measured, named, subject};
use suite::Suite;

pub fn bench(context: &Context, args: &BenchArgs) -> Result<u8> {
    let tree = context.tree(&args.kernel)?;
    let of_suite = args.against.is_empty() && args.operations.is_empty() && args.params.is_empty();
    if of_suite && context.is_in_checkout() {
        let suite = Suite::read(context, args.module.as_deref())?;
        if !suite.is_empty() {
            return match args.quick {
                true => quick::bench(&suite, context, &tree),
                false => whole::bench(&suite, context, &tree, args),
            };
        }
    }
    if args.quick {
        let message = "only Koru's own modules, in its checkout, have recorded ratios";
        return Err(Error::new(Kind::Usage, "measuring with `--quick`", message));
    }
    let Some(module) = &args.module else {
        let error = Error::new(Kind::Usage, "measuring", "no module is named");
        return Err(error.help("`koru bench --help` has examples"));
    };
    let operations = named(&args.operations, args.samples)?;
    let mut subjects = Vec::new();
    for label in std::iter::once(module).chain(&args.against) {
        let shown = label.trim_end_matches('/');
        let operations = operations.clone();
        let params = &args.params;
        subjects.push(subject(context, &tree, shown, label, params, operations)?);
    }
    let report = measured(context, &tree, &subjects, args)?;
    match context.json {
        true => ui::json(&report),
        false => ui::out(&report.text()),
    }
    Ok(u8::from(report.has_failures()))
}
