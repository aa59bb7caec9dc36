use koru_build::Result;

use crate::{
    cli::KernelCommand,
    context::Context,
    ui::{json, out, table},
};

pub fn kernel(context: &Context, command: &KernelCommand) -> Result<u8> {
    match command {
        KernelCommand::List => list(context)?,
        KernelCommand::Add { what } => {
            let tree = context.kernels.add(what, &*context.ui)?;
            context.ui.done();
            if context.json {
                json(&serde_json::json!({ "release": tree.release }));
            } else {
                let note = match tree.image {
                    Some(_) => "",
                    None => "  (to build for; no image of it here to boot)",
                };
                out(&format!("{}{note}", tree.release));
            }
        }
        KernelCommand::Remove { kernel } => {
            let release = context.kernels.remove(kernel, &*context.ui)?;
            context.ui.say(&format!("removed {release}"));
        }
        KernelCommand::Default { kernel: None } => {
            out(&context.kernels.find(None)?.release);
        }
        KernelCommand::Default {
            kernel: Some(kernel),
        } => {
            let release = context.kernels.set_default(kernel)?;
            context.ui.say(&format!("the default is {release} now"));
        }
    }
    Ok(0)
}

fn list(context: &Context) -> Result<()> {
    let installed = context.kernels.list()?;
    if context.json {
        json(&installed);
        return Ok(());
    }
    if installed.is_empty() {
        context.ui.say(
            "no kernels yet: `koru setup` gets Debian's 6.1 and 6.12, `koru kernel add` others",
        );
        return Ok(());
    }
    let rows: Vec<Vec<String>> = installed
        .into_iter()
        .map(|k| {
            vec![
                k.release,
                if k.default { "default" } else { "" }.into(),
                if k.bootable { "boots" } else { "build only" }.into(),
                if k.downloaded {
                    "downloaded".into()
                } else {
                    k.build_dir.display().to_string()
                },
            ]
        })
        .collect();
    out(&table(&["KERNEL", "", "GUEST", "FROM"], &rows));
    Ok(())
}
