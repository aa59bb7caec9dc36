// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru setup` and `koru doctor`: installs what is missing, or lists it.

use koru_error::Result;

use crate::{
    cli::{DoctorArgs, SetupArgs},
    context::Context,
    dependencies,
    ui::{json, out},
};

pub fn setup(context: &Context, args: &SetupArgs) -> Result<u8> {
    dependencies::install_missing(&context.home, &[], args.tests, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &*context.ui)?;
    context.ui.done();
    if context.json {
        json(&dependencies::check_all(&context.home, args.tests));
    }
    context.ui.say("everything is set up");
    Ok(0)
}

pub fn doctor(context: &Context, args: &DoctorArgs) -> Result<u8> {
    let lines = dependencies::check_all(&context.home, args.tests);
    let all = lines.iter().all(|l| l.ok);
    if context.json {
        json(&lines);
        return Ok(if all { 0 } else { 3 });
    }
    for line in &lines {
        let mark = if line.ok { "OK     " } else { "MISSING" };
        out(&format!("{mark} {:<26} {}", line.what, line.found));
        if let Some(help) = &line.help {
            out(&format!("        → {help}"));
        }
    }
    if !all {
        out("\n`koru setup` installs all of it");
    }
    Ok(if all { 0 } else { 3 })
}
