// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru contract`: writes, checks and shows contracts.

mod check;
mod new;

use koru_error::Result;
use koru_judge::{Seed, handout};

use crate::{cli::ContractCommand, context::Context, judging::folders, ui};

/// The schema of contract.toml, for editors.
const SCHEMA: &str = include_str!("../../../templates/contract/schema.json");

pub fn contract(context: &Context, command: &ContractCommand) -> Result<u8> {
    match command {
        ContractCommand::New(args) => new::new(context, args),
        ContractCommand::Check(args) => check::check(context, args),
        ContractCommand::Show { contract, seed } => {
            let contract = folders::contract(context, contract, Seed(*seed))?;
            ui::out(handout(&contract).trim_end());
            Ok(0)
        }
        ContractCommand::Schema => {
            ui::out(SCHEMA.trim_end());
            Ok(0)
        }
    }
}
