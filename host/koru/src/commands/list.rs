// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru list`: lists the modules that are loaded.

use koru_error::Result;

use crate::{
    cli::TargetArgs,
    context::Context,
    target::session::connect,
    ui::{json, lsmod, out},
};

pub fn list(context: &Context, args: &TargetArgs) -> Result<u8> {
    let rows = connect(context, args)?.list()?;
    if context.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|m| {
                serde_json::json!({
                    "name": m.name, "size": m.size, "used": m.refcount,
                    "by": m.used_by, "state": m.state, "taint": m.taint,
                })
            })
            .collect();
        json(&rows);
        return Ok(0);
    }
    out(&lsmod(&rows));
    Ok(0)
}
