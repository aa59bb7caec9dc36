// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru setup` and `koru doctor`: installs what is missing, or lists it, and what the cache takes.

use std::collections::BTreeMap;

use indicatif::HumanBytes;
use koru_error::Result;

use crate::{
    cache_usage::{self, KindUsage},
    cli::{DoctorArgs, SetupArgs},
    context::Context,
    dependencies::{self, Uses},
    ui::{json, out},
};

pub fn setup(context: &Context, args: &SetupArgs) -> Result<u8> {
    let uses = Uses::of_set_up(Vec::new());
    dependencies::install_missing(&context.home, &uses, args.tests, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &uses, &*context.ui)?;
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
    let status = if all { 0 } else { 3 };
    let usage = cache_usage::by_kind(&cache_usage::entries(&context.cache));
    let size = HumanBytes(usage.iter().map(|kind| kind.bytes).sum());
    let found = format!("{size} in {}", context.cache.root().display());
    if context.json {
        let mut report = Vec::new();
        for line in &lines {
            report.push(serde_json::json!(line));
        }
        let bytes: BTreeMap<_, _> = usage.iter().map(|u| (u.kind, u.bytes)).collect();
        report.push(
            serde_json::json!({ "what": "cache", "ok": true, "found": found, "bytes": bytes }),
        );
        json(&report);
        return Ok(status);
    }
    for line in &lines {
        let mark = if line.ok { "OK     " } else { "MISSING" };
        out(&format!("{mark} {:<26} {}", line.what, line.found));
        if let Some(help) = &line.help {
            out(&format!("        → {help}"));
        }
    }
    out(&format!("OK      {:<26} {found}", "cache"));
    for KindUsage { kind, bytes } in &usage {
        let size = HumanBytes(*bytes).to_string();
        out(&format!("        {kind:<26} {size:>12}"));
    }
    if !all {
        out("\n`koru setup` installs all of it");
    }
    Ok(status)
}
