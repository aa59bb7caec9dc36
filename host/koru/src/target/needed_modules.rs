// SPDX-License-Identifier: MIT OR Apache-2.0

//! Loads modules of a machine's own kernel that other modules need and that are not here.

use koru_error::{Error, Kind, Result};
use koru_kbuild::ModInfo;
use koru_protocol::Exec;
use koru_session::Session;

use crate::loadable::Loadable;

/// Runs modprobe, which a user's PATH may not lead to.
const MODPROBE: &str = "PATH=$PATH:/usr/sbin:/sbin exec modprobe \"$@\"";

/// Modules of the machine's own kernel. When this is dropped, those that it has loaded are
/// removed, unless something uses them.
pub struct NeededModules {
    session: Session,
    /// The names of those that have to be loaded, and of the modules that need them.
    missing: Vec<(String, String)>,
    loaded: Vec<String>,
}

impl NeededModules {
    /// Finds the modules that these ones need and that are neither among them nor loaded.
    pub fn of(session: &Session, modules: &[Loadable]) -> Result<NeededModules> {
        let mut missing: Vec<(String, String)> = Vec::new();
        for module in modules {
            let info = ModInfo::read(&module.path)?;
            for name in info.dependencies().map(|name| name.replace('-', "_")) {
                let is_here = modules.iter().any(|m| m.name == name);
                if !is_here && !missing.iter().any(|(other, _)| *other == name) {
                    missing.push((name, module.name.clone()));
                }
            }
        }
        if !missing.is_empty() {
            let there = session.list()?;
            missing.retain(|(name, _)| !there.iter().any(|row| row.name == *name));
        }
        Ok(NeededModules {
            session: session.clone(),
            missing,
            loaded: Vec::new(),
        })
    }

    /// Loads them, as the machine's own modprobe does.
    pub fn load(mut self) -> Result<NeededModules> {
        for (name, needs) in std::mem::take(&mut self.missing) {
            let attempted = format!("loading {name}, which {needs} needs");
            let done = self.session.output(modprobe(&[&name]))?;
            if !done.exit.success() {
                let said = String::from_utf8_lossy(&done.stderr).into_owned();
                let message = "the machine's modprobe cannot load it";
                return Err(Error::new(Kind::System, attempted, message)
                    .output(said)
                    .help(
                        "install the machine's package with this module; if it is one of yours, \
                         load it there first, or put both into one folder or git repository",
                    ));
            }
            self.loaded.push(name);
        }
        Ok(self)
    }
}

impl Drop for NeededModules {
    fn drop(&mut self) {
        if self.session.death().is_some() {
            return;
        }
        for name in self.loaded.drain(..).rev() {
            let _ = self.session.output(modprobe(&["-r", &name]));
        }
    }
}

fn modprobe(arguments: &[&str]) -> Exec {
    let shell = ["sh", "-c", MODPROBE, "sh"];
    Exec::new(shell.iter().chain(arguments).map(|word| (*word).to_owned()))
}
