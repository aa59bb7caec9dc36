// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru cache`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Subcommand)]
pub enum CacheCommand {
    /// Write what a machine without a network needs to one file.
    #[command(after_help = "Example:
  koru cache export koru-cache.tar.gz

The file contains the kernels that `koru setup` and `koru kernel add` downloaded, the tools of
their suites, what guests consist of, the compiled core library, and the crates of crates.io that
Koru and a new module need.

It does not contain: the packages that `koru setup` installs with apt (cargo, rustc and its source,
gcc, make, QEMU, bubblewrap), this checkout, kernels in build directories of your own, saved virtual
machines, logs, and modules that you have built.")]
    Export {
        /// File to write, a tar archive compressed with gzip. An older one is replaced.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take what `koru cache export` has written on another machine.
    #[command(after_help = "Example:
  koru cache import koru-cache.tar.gz && koru new demo1 && cd demo1 && koru run

What this machine has already stays as it is. Nothing is taken from a file that is damaged or that
was cut off. The file contains programs that builds run, so import only what comes from somebody
whom you trust.

The crates are put into cargo's own folder. Both machines need the same checkout of Koru, and
releases of cargo that store crates in the same way, as those of the last years do. If
the koru program is not built yet, it is built with the crates from the file first.")]
    Import {
        /// File of `koru cache export`.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}
