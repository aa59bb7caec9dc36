// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru dev`: the commands of those who change Koru itself.

pub mod bench;
pub mod bindings;
pub mod commit;
pub mod kernels_table;
pub mod test;

use koru_error::Result;

use crate::{cli::DevCommand, context::Context};

pub fn dev(context: &Context, command: &DevCommand) -> Result<u8> {
    match command {
        DevCommand::Test(args) => test::test(context, args),
        DevCommand::KernelsTable(args) => kernels_table::kernels_table(context, args),
        DevCommand::Bindings { check } => bindings::bindings(context, *check),
        DevCommand::Bench { args } => bench::bench(context, args),
    }
}
