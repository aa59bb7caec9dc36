// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru shell`: starts a shell on a target. In the virtual machine, the modules and programs
//! are at hand, and `help` describes them.

use std::{fs, path::PathBuf};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{Module, find_modules};
use koru_kernels::Progress;
use koru_session::Session;

use crate::{
    cli::{KernelChoice, TargetArgs},
    context::Context,
    exec,
    guest::module_path,
    programs,
    run::command::watched_command,
    target::{name::TargetName, session::connect, standing_vm},
};

const PROFILE: &str = include_str!("../../templates/guest/profile");

/// The folder with the pages of `help`.
const PAGES: &str = "/usr/share/koru";

pub fn shell(context: &Context, args: &TargetArgs) -> Result<u8> {
    let session = match args.target {
        TargetName::Vm => {
            let session =
                standing_vm::connect_or_start(context, &KernelChoice::default(), &args.vm)?;
            provision_guest(context, &session)?;
            session
        }
        _ => connect(context, args)?,
    };
    context.ui.done();
    watched_command(context, &session, args, || {
        exec::run_shell(&session, &["sh".into(), "-l".into()])
    })
}

/// Copies everything that should be at hand to the guest.
fn provision_guest(context: &Context, session: &Session) -> Result<()> {
    let put = |path: &str, mode: u32, content: &[u8]| {
        session.put_file(path, mode, content).map_err(Error::from)
    };
    let modules = modules(context);
    let built = build(context, session, &modules)?;
    for (name, path) in &built {
        let content = fs::read(path).path_context("reading", path)?;
        put(&module_path(name), 0o644, &content)?;
    }
    programs::build_all(context);
    let programs = programs::built(context);
    for (name, path) in &programs {
        let content = fs::read(path).path_context("reading", path)?;
        put(&format!("/bin/{name}"), 0o755, &content)?;
    }
    for module in &modules {
        if let Ok(page) = fs::read(module.dir.join("README.md")) {
            put(&format!("{PAGES}/{}.md", module.name), 0o644, &page)?;
        }
    }
    let names = |files: &[(String, PathBuf)]| {
        let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
        names.join(" ")
    };
    let help = help(&names(&built), &names(&programs));
    put(&format!("{PAGES}/help"), 0o644, help.as_bytes())?;
    put("/etc/profile", 0o644, PROFILE.as_bytes())
}

/// Returns the modules of this folder, or Koru's own if there are none.
fn modules(context: &Context) -> Vec<Module> {
    let own = || find_modules(&context.home, &context.home.root, &[]);
    let mut modules = context.modules(&[]).or_else(|_| own()).unwrap_or_default();
    let tests = context.home.root.join("tests");
    modules.retain(|m| !m.dir.starts_with(&tests));
    modules
}

/// Builds the modules for the kernel that is running. A module that does not compile is no
/// reason not to start the shell.
fn build(
    context: &Context,
    session: &Session,
    modules: &[Module],
) -> Result<Vec<(String, PathBuf)>> {
    if modules.is_empty() {
        return Ok(Vec::new());
    }
    let release = session.hello()?.release;
    let built = context
        .kernels
        .find(Some(&release))
        .and_then(|tree| context.build(&tree, modules));
    match built {
        Ok((kos, _)) => Ok(kos.into_iter().map(|ko| (ko.name, ko.path)).collect()),
        Err(e) => {
            let why = match e.kind {
                Kind::Compile => "the modules do not compile".to_owned(),
                _ => e.to_string(),
            };
            context
                .ui
                .print(&format!("note: the shell has no modules: {why}"));
            Ok(Vec::new())
        }
    }
}

fn help(modules: &str, programs: &str) -> String {
    let none = |names: &str| match names {
        "" => "(none)".to_owned(),
        names => fold(names),
    };
    format!(
        "\
NAME
       koru shell - a shell in the virtual machine, as root

COMMANDS
       load NAME [PARAMETER=VALUE]..   load a module, show what it logs
       unload NAME                     unload it
       list                            the loaded modules
       log                             the kernel log
       help [NAME]                     this page, or that of NAME
       and busybox's: cat, ls, vi, dmesg, insmod, rmmod, strings, hexdump, ...

MODULES
       {}
       They are in /lib/koru.

PROGRAMS
       {}

KEYS
       Tab completes, the arrow keys recall commands.

LEAVING
       exit, Ctrl-D or Ctrl-]. The machine stays up: `koru vm stop` stops it.
",
        none(modules),
        none(programs)
    )
}

/// Wraps words to lines of a terminal's width, indented.
fn fold(words: &str) -> String {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let last = lines.last_mut().expect("one is there");
        match last.len() + word.len() < 70 {
            true if last.is_empty() => last.push_str(word),
            true => *last = format!("{last} {word}"),
            false => lines.push(word.to_owned()),
        }
    }
    lines.join("\n       ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_fits_a_terminal() {
        let many = ["a_module_name"; 30].join(" ");
        let page = help(&many, "");
        assert!(page.lines().all(|l| l.len() <= 80), "{page}");
        assert_eq!(page.matches("a_module_name").count(), 30);
        assert!(page.contains("(none)"));
    }
}
