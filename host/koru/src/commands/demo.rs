// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru demo`: builds, loads and unloads real modules in a real kernel.

use std::{path::Path, time::Duration};

use indicatif::HumanBytes;
use koru_error::Result;
use koru_protocol::Exec;

use crate::{
    cli::DemoArgs,
    context::Context,
    dependencies,
    guest::{self, complaint_error, module_path},
    log::view::LogSink,
    run::observe::observe,
    ui::{lsmod, out},
};

const MODULES: [&str; 2] = ["hello", "my_timer"];

pub fn demo(context: &Context, args: &DemoArgs) -> Result<u8> {
    let uses = context.uses(std::slice::from_ref(&args.kernel));
    dependencies::install_missing(&context.home, &uses, false, args.yes, &*context.ui)?;
    let tree = context.tree(&args.kernel)?;
    let root = context.home.root.clone();
    let names: Vec<String> = MODULES.iter().map(|m| m.to_string()).collect();
    let modules = koru_kbuild::find_modules(&context.home, &root, &names)?;
    let (kos, _) = context.build(&tree, &modules)?;
    context.ui.done();
    say(
        context,
        &format!(
            "Two modules in safe Rust, built for Linux {}:",
            tree.release
        ),
    );
    for ko in &kos {
        let path = ko.path.strip_prefix(&root).unwrap_or(&ko.path);
        out(&format!("{}  {}", path.display(), HumanBytes(ko.size)));
    }

    let mut initramfs = koru_qemu::Initramfs::new();
    for ko in &kos {
        initramfs.file(&module_path(&ko.name), &ko.path)?;
    }
    let guest = guest::start(context, &tree, initramfs, &guest::machine())?;
    context.ui.done();
    let session = guest.session();
    say(
        context,
        &format!(
            "A virtual machine runs this kernel ({:.1} s to boot). Its log, as it comes:",
            guest.boot_time().as_secs_f64()
        ),
    );
    let observed = observe(context, session, LogSink::Stdout, || {
        for name in MODULES {
            step(context, &format!("koru load {name}"));
            session.load(&module_path(name), &[])?;
            settle();
        }
        step(context, "koru list");
        out(&lsmod(&session.list()?));
        for i in 0..2 {
            if i > 0 {
                std::thread::sleep(Duration::from_millis(1500));
            }
            step(context, "koru exec cat /proc/timer");
            let read = session.output(Exec::new(["cat", "/proc/timer"]))?;
            out(String::from_utf8_lossy(&read.stdout).trim_end());
            if !read.exit.success() {
                return Err(koru_error::Error::new(
                    koru_error::Kind::System,
                    "reading /proc/timer in the guest",
                    String::from_utf8_lossy(&read.stderr).into_owned(),
                ));
            }
        }
        for name in MODULES.iter().rev() {
            step(context, &format!("koru unload {name}"));
            session.unload(name)?;
            settle();
        }
        step(context, "koru list");
        out(&lsmod(&session.list()?));
        Ok(())
    })?;
    observed.outcome?;
    guest.power_off()?;
    if let Some(complaint) = observed.complaint {
        return Err(complaint_error("running the demo", &complaint));
    }
    out(&next_steps(&root));
    Ok(0)
}

/// Waits until the log thread has shown what a step logged, so that it is below the step's
/// line.
fn settle() {
    std::thread::sleep(Duration::from_millis(150));
}

fn say(context: &Context, text: &str) {
    let (bold, plain) = bold(context);
    out(&format!("\n{bold}{text}{plain}"));
}

fn step(context: &Context, command: &str) {
    let (bold, plain) = bold(context);
    out(&format!("\n{bold}$ {command}{plain}"));
}

fn bold(context: &Context) -> (&'static str, &'static str) {
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    if terminal && context.ui.colour() {
        ("\x1b[1m", "\x1b[0m")
    } else {
        ("", "")
    }
}

fn next_steps(root: &Path) -> String {
    let koru = root.join("koru");
    let koru = koru.display();
    format!(
        "
All of this ran in a virtual machine that is gone now. Next steps:

  {koru} new demo1 --template proc     a module of your own, in ./demo1
  cd demo1 && {koru} run -- cat /proc/demo1
  {koru} run my_timer -- sh            a shell beside a loaded module
  {koru} --help                        everything else

This saves typing, and lets make find koru: export PATH=\"{}:$PATH\"",
        root.display()
    )
}
