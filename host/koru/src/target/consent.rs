// SPDX-License-Identifier: MIT OR Apache-2.0

//! Asks whether a module may be loaded into a machine's own kernel.

use std::{fs, io::IsTerminal, path::PathBuf};

use koru_error::{Error, Kind, Result};
use koru_session::Session;
use sha2::{Digest, Sha256};

use crate::{
    ask::{Answer, ask},
    context::Context,
    target::name::TargetName,
};

/// Asks the user whether to load a module into a machine's own kernel, once for each boot of
/// the machine: a mistake in the module can bring it down.
pub fn agree(
    context: &Context,
    target: &TargetName,
    session: &Session,
    module: &str,
    release: &str,
) -> Result<()> {
    let boot = session.get_file("/proc/sys/kernel/random/boot_id").ok();
    let note = note(context, target);
    if boot.is_some() && boot == fs::read(&note).ok() {
        return Ok(());
    }
    let place = target.kernel_phrase();
    let question = format!(
        "load {module} into {place}, {release}? A mistake in it can bring the machine down."
    );
    let attempted = format!("loading {module} into {place}");
    if !std::io::stdin().is_terminal() {
        return Err(
            Error::new(Kind::Usage, attempted, "there is no terminal to ask on")
                .help("use --yes to load without asking, or leave --target out to use a guest"),
        );
    }
    if !ask(&question, Answer::No) {
        return Err(Error::new(Kind::Usage, attempted, "cancelled"));
    }
    // The note is only a convenience: without it the question is asked again.
    if let (Some(boot), Some(folder)) = (boot, note.parent()) {
        let _ = fs::create_dir_all(folder).and_then(|()| fs::write(&note, boot));
    }
    Ok(())
}

fn note(context: &Context, target: &TargetName) -> PathBuf {
    let name = Sha256::digest(target.to_string());
    let name: String = name[..12].iter().map(|b| format!("{b:02x}")).collect();
    context.cache.root().join("agreed").join(name)
}
