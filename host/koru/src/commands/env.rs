// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru env`: prints the environment that other tools need for ring-0 code.

use koru_error::Result;
use koru_kbuild::Builder;

use crate::{cli::EnvArgs, context::Context, shell_word::quoted, ui};

/// Prints shell assignments of the environment that tools for ring 0 need.
pub fn env(context: &Context, args: &EnvArgs) -> Result<u8> {
    let tree = context.tree(&args.kernel)?;
    let environment = Builder::new(&context.home, &tree, &*context.ui)?.environment();
    context.ui.done();
    if context.json {
        let map: std::collections::BTreeMap<_, _> = environment.into_iter().collect();
        ui::json(&map);
        return Ok(0);
    }
    for (name, value) in environment {
        ui::out(&format!("export {name}={}", quoted(&value)));
    }
    Ok(0)
}
