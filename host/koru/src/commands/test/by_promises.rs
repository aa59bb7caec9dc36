// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru test` in a lab: judges its module by the public promises of the contract.

use std::path::{Path, PathBuf};

use koru_error::{Error, Kind, Result};
use koru_judge::{Seed, is_contract};
use koru_kernels::KernelTree;

use crate::{
    cli::{KernelChoice, TestArgs},
    context::Context,
    ctrl_c::flag_of_ctrl_c,
    judging::{
        findings::Findings,
        folders::{PUBLIC, read_shown},
        judge::{Judging, build_and_judge},
        report::{table, write_junit},
    },
    ui::{self, json},
};

/// Returns the folder of the contract of the lab in a folder, if that is one.
pub fn contract_of(folder: &Path) -> Option<PathBuf> {
    let contract = folder.join(PUBLIC);
    is_contract(&contract).then_some(contract)
}

/// Judges the module of the current folder, and returns the exit status.
pub fn test(context: &Context, args: &TestArgs, contract: &Path) -> Result<u8> {
    if args.coverage || args.plain {
        let message = "--coverage and --plain are not for the promises of a lab";
        return Err(Error::new(Kind::Usage, "testing the lab", message).help("leave them out"));
    }
    let contract = read_shown(context, contract, Seed::default())?;
    let judging = Judging {
        context,
        contract: &contract,
        filters: &args.filters,
        limit: None,
        interrupted: flag_of_ctrl_c()?,
    };
    let mut all: Vec<Findings> = Vec::new();
    for tree in trees(context, args)? {
        let findings = build_and_judge(&judging, &tree, Path::new("."))?;
        context.ui.done();
        if !context.json {
            ui::out(&table(&findings));
        }
        all.push(findings);
    }
    if let Some(path) = &args.junit {
        write_junit(&all.iter().collect::<Vec<_>>(), &context.cwd.join(path))?;
    }
    if context.json {
        json(&all);
    }
    Ok(u8::from(!all.iter().all(Findings::all_kept)))
}

/// Returns the kernels that the user named, or the one that is taken without a choice.
fn trees(context: &Context, args: &TestArgs) -> Result<Vec<KernelTree>> {
    let choices = match args.kernels.is_empty() {
        true => vec![KernelChoice::default()],
        false => args.kernel_choices(),
    };
    choices.iter().map(|choice| context.tree(choice)).collect()
}
