// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module that is loaded and unloaded.

use std::{ffi::CString, fs::File, process::Command, thread, time::Duration};

use nix::{
    errno::Errno,
    kmod::{DeleteModuleFlags, ModuleInitFlags, delete_module, finit_module},
};

use crate::inject::errno;

/// What failed, and why.
pub type Failure = (String, Errno);

pub struct Module {
    file: File,
    name: CString,
    parameters: CString,
}

impl Module {
    pub fn open(ko: &str, name: &str, parameters: &[&str]) -> Result<Module, Failure> {
        let no_text = |what: &str| (what.to_owned(), Errno::EINVAL);
        Ok(Module {
            file: File::open(ko).map_err(|e| (ko.to_owned(), errno(&e)))?,
            name: CString::new(name).map_err(|_| no_text("the name"))?,
            parameters: CString::new(parameters.join(" "))
                .map_err(|_| no_text("the parameters"))?,
        })
    }

    pub fn load(&self) -> nix::Result<()> {
        finit_module(&self.file, &self.parameters, ModuleInitFlags::empty())
    }

    /// Writes down where the module is, which is loaded: whoever looks for memory that it leaves
    /// behind names the owner by that.
    pub fn remember(&self) {
        let _ = Command::new("/init").arg("remember-modules").status();
    }

    /// Unloads the module. A file of the module may have been closed just now, which the kernel
    /// finishes a moment later.
    pub fn unload(&self) -> nix::Result<()> {
        const TRIES: u32 = 50;
        const PAUSE: Duration = Duration::from_millis(20);
        let unload = || delete_module(&self.name, DeleteModuleFlags::O_NONBLOCK);
        for _ in 0..TRIES {
            match unload() {
                Err(Errno::EAGAIN | Errno::EBUSY) => thread::sleep(PAUSE),
                done => return done,
            }
        }
        unload()
    }
}
