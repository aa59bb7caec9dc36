// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru build`: builds modules and notes what is unusual about them.

use indicatif::HumanBytes;
use koru_error::Result;
use koru_kbuild::{Dependency, Ko};
use koru_kernels::Progress;

use crate::{
    cli::BuildArgs,
    context::Context,
    ui::{json, out},
};

pub fn build(context: &Context, args: &BuildArgs) -> Result<u8> {
    let tree = context.tree(&args.kernel)?;
    let sources = context.sources(&args.modules)?;
    let (kos, _) = context.build_sources(|| Ok(tree.clone()), &sources)?;
    context.ui.done();
    if context.json {
        json(&kos);
        return Ok(0);
    }
    for ko in &kos {
        let path = ko
            .path
            .strip_prefix(&context.cwd)
            .unwrap_or(&ko.path)
            .display();
        out(&format!(
            "{}.ko  {}  for {}{}\n  {path}",
            ko.name,
            HumanBytes(ko.size),
            ko.kernel,
            if ko.rebuilt { "" } else { "  (unchanged)" }
        ));
    }
    if let Some(note) = unsafe_dependencies(&kos) {
        context.ui.print(&context.ui.note(&note));
    }
    Ok(0)
}

/// Returns a note about dependencies with unsafe code, each once for all modules that have it.
fn unsafe_dependencies(kos: &[Ko]) -> Option<String> {
    let has = |ko: &&Ko, dependency: &Dependency| {
        let mut all = ko.notes.unsafe_dependencies.iter();
        all.any(|d| d == dependency)
    };
    let all = kos.iter().flat_map(|ko| &ko.notes.unsafe_dependencies);
    let mut all: Vec<&Dependency> = all.collect();
    all.sort();
    all.dedup();
    let lines = all.iter().map(|dependency| {
        let modules = kos.iter().filter(|ko| has(ko, dependency));
        let modules: Vec<String> = modules.map(|ko| format!("{}.ko", ko.name)).collect();
        let Dependency { name, version } = dependency;
        format!("\n  {name} v{version}, in {}", modules.join(", "))
    });
    let lines: String = lines.collect();
    let what = "dependencies of modules that forbid unsafe code contain `unsafe` themselves:";
    (!lines.is_empty()).then(|| format!("{what}{lines}"))
}
