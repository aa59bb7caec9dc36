use koru_build::Result;

use crate::{
    cli::BuildArgs,
    context::Context,
    ui::{json, out, size},
};

pub fn build(context: &Context, args: &BuildArgs) -> Result<u8> {
    let tree = context.tree(&args.kernel)?;
    let modules = context.modules(&args.modules)?;
    let (kos, _) = context.build(&tree, &modules)?;
    context.ui.done();
    if context.json {
        json(&kos);
        return Ok(0);
    }
    for ko in &kos {
        let path = ko
            .path
            .strip_prefix(&context.here)
            .unwrap_or(&ko.path)
            .display();
        out(&format!(
            "{}.ko  {}  for {}{}\n  {path}",
            ko.name,
            size(ko.size),
            ko.kernel,
            if ko.rebuilt { "" } else { "  (unchanged)" }
        ));
    }
    Ok(0)
}
