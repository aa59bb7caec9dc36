// SPDX-License-Identifier: MIT OR Apache-2.0

//! Judges a module by a contract that a teacher wrote.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use koru_error::{Error, Kind, Result};
use koru_judge::Seed;

use super::check_result::UNBUILT;
use crate::{
    cli::VerifyArgs,
    context::Context,
    ctrl_c::INTERRUPTED,
    judging::{
        findings::Findings,
        folders::read_shown,
        judge::{Judging, build_and_judge},
        report::{markdown, table, write_junit, write_text},
        subject::tree,
    },
    ui::{self, json},
};

pub fn verify(
    context: &Context,
    args: &VerifyArgs,
    folder: &Path,
    interrupted: Arc<AtomicBool>,
) -> Result<u8> {
    let contract = read_shown(context, folder, Seed(args.seed))?;
    let attempted = format!("judging by the contract {}", args.name);
    if args.contract.is_some() {
        let message = "--contract is for the contracts in tests/conformance";
        return Err(Error::new(Kind::Usage, attempted, message)
            .help("write a contract.toml with `extends`, which says what differs"));
    }
    let Some(source) = args.src.as_ref().or(args.ko.as_ref()) else {
        let message = "there is no module to judge";
        return Err(Error::new(Kind::Usage, attempted, message).help(format!(
            "name one: `koru verify {} --src FOLDER`, or --ko FILE",
            args.name
        )));
    };
    let tree = tree(context, &args.kernel, source)?;
    let judging = Judging {
        context,
        contract: &contract,
        filters: &args.filters,
        limit: None,
        interrupted,
    };
    let findings = build_and_judge(&judging, &tree, source)?;
    context.ui.done();
    if let Some(path) = &args.junit {
        write_junit(&[&findings], &context.cwd.join(path))?;
    }
    if let Some(path) = &args.markdown {
        write_text(&context.cwd.join(path), &markdown(&findings))?;
    }
    match context.json {
        true => json(&findings),
        false => ui::out(&table(&findings)),
    }
    Ok(status(&findings))
}

fn status(findings: &Findings) -> u8 {
    match () {
        () if findings.interrupted => INTERRUPTED,
        () if findings.build_output.is_some() => UNBUILT,
        () => u8::from(!findings.all_kept()),
    }
}
