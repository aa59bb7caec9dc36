// SPDX-License-Identifier: MIT OR Apache-2.0

//! Records which instructions of a guest's modules are executed, by a plugin of QEMU.

use std::{
    fs::{self, File},
    os::{fd::AsRawFd, unix::fs::FileExt},
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{memory_file, x86::COVERAGE_PLUGIN};

/// A plugin of QEMU, in a file that QEMU loads.
#[derive(Debug, Clone)]
pub struct CoveragePlugin(PathBuf);

impl CoveragePlugin {
    /// Returns the version of the plugin API that this QEMU has: those before 9.0 have the first
    /// one, and those since then refuse it.
    ///
    /// # Errors
    ///
    /// The program cannot be run, or does not say its version.
    pub fn api_version(qemu: &Path) -> Result<u32> {
        let attempted = "asking QEMU for its version";
        let output = Command::new(qemu).arg("-version").output();
        let output = output.context(attempted)?;
        let said = String::from_utf8_lossy(&output.stdout);
        let major = major_version(&said).ok_or_else(|| {
            let message = format!("it says {:?}", said.lines().next().unwrap_or_default());
            Error::new(Kind::System, attempted, message)
        })?;
        Ok(if major < 9 { 1 } else { 2 })
    }

    /// Returns the plugin's source, from which a cache's key is made.
    pub fn source() -> &'static str {
        COVERAGE_PLUGIN
    }

    /// Compiles the plugin into a folder.
    ///
    /// # Errors
    ///
    /// There is no C compiler, or it fails.
    pub fn compile(folder: &Path, api_version: u32) -> Result<CoveragePlugin> {
        let attempted = "compiling the plugin for QEMU";
        let source = folder.join("coverage.c");
        fs::write(&source, COVERAGE_PLUGIN).path_context("writing", &source)?;
        let output = Command::new("gcc")
            .args(["-shared", "-fPIC", "-O2", "-fvisibility=hidden"])
            .arg(format!("-DAPI_VERSION={api_version}"))
            .arg("-o")
            .arg(folder.join(FILE))
            .arg(&source)
            .output()
            .context(attempted)?;
        if !output.status.success() {
            let error = Error::new(Kind::Link, attempted, "gcc failed");
            return Err(error.output(String::from_utf8_lossy(&output.stderr)));
        }
        Ok(CoveragePlugin::in_folder(folder))
    }

    /// Returns the plugin that was compiled into a folder.
    pub fn in_folder(folder: &Path) -> CoveragePlugin {
        CoveragePlugin(folder.join(FILE))
    }
}

const FILE: &str = "coverage.so";

fn major_version(said: &str) -> Option<u32> {
    let version = said.split_once("version ")?.1;
    version.split('.').next()?.parse().ok()
}

/// The addresses of what the plugin looks at in a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelAddresses {
    /// The function that is called before a module's init.
    pub do_init_module: u64,
    /// The list of all modules.
    pub modules: u64,
    /// The kernel's page tables.
    pub init_top_pgt: u64,
}

/// What is executed in one guest.
#[derive(Debug)]
pub struct Coverage {
    plugin: CoveragePlugin,
    kernel: File,
    record: File,
}

impl Coverage {
    /// Prepares the files in memory through which the plugin communicates with this program.
    ///
    /// # Errors
    ///
    /// There is no memory for them.
    pub fn new(plugin: &CoveragePlugin) -> Result<Coverage> {
        let kernel = memory_file("kernel")?;
        kernel.set_len(4096).context("making a file in memory")?;
        Ok(Coverage {
            plugin: plugin.clone(),
            kernel,
            record: memory_file("coverage")?,
        })
    }

    /// Tells the plugin where the kernel is. Only modules that are loaded after that are recorded.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn set_kernel(&self, addresses: KernelAddresses) -> Result<()> {
        let KernelAddresses {
            do_init_module,
            modules,
            init_top_pgt,
        } = addresses;
        // The plugin waits for the first number, so the others come before it.
        let others = [modules, init_top_pgt].map(u64::to_ne_bytes).concat();
        self.kernel
            .write_all_at(&others, 8)
            .and_then(|()| self.kernel.write_all_at(&do_init_module.to_ne_bytes(), 0))
            .context("writing to a file in memory")
    }

    /// Returns what the plugin has recorded until now: lines, which the plugin's source describes.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn record(&self) -> Result<String> {
        let reading = "reading what was executed";
        let length = self.record.metadata().context(reading)?.len();
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.record.read_exact_at(&mut bytes, 0).context(reading)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn files(&self) -> [&File; 2] {
        [&self.kernel, &self.record]
    }

    /// Returns the value of QEMU's option `-plugin`.
    pub(crate) fn argument(&self, memory_mb: u32) -> String {
        /// The memory up to here is in one piece on every machine.
        const ONE_PIECE_MB: u32 = 2048;
        let path = self.plugin.0.to_string_lossy().replace(',', ",,");
        let [kernel, record] = self.files().map(AsRawFd::as_raw_fd);
        let memory = u64::from(memory_mb.min(ONE_PIECE_MB)) << 20;
        format!("{path},kernel={kernel},record={record},memory={memory}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_of_qemu_is_found() {
        let debian = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright";
        assert_eq!(major_version(debian), Some(7));
        assert_eq!(major_version("QEMU emulator version 10.0.2"), Some(10));
        assert_eq!(major_version("no"), None);
    }
}
