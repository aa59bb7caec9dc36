// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options that choose a kernel.

use std::{env, path::PathBuf};

use clap::Args;

/// The choice of the kernel to build for and to run.
#[derive(Args, Clone, Default)]
pub struct KernelChoice {
    /// Use this kernel of `koru kernel list`: a release or its beginning [env: KORU_KERNEL]
    #[arg(long, value_name = "RELEASE", conflicts_with = "kdir")]
    pub kernel: Option<String>,
    /// Use this kernel build directory [env: KDIR]
    #[arg(long, value_name = "DIR")]
    pub kdir: Option<PathBuf>,
}

impl KernelChoice {
    /// Returns the choice of a kernel of `koru kernel list`.
    pub fn named(kernel: impl Into<String>) -> KernelChoice {
        KernelChoice {
            kernel: Some(kernel.into()),
            kdir: None,
        }
    }

    pub fn is_made(&self) -> bool {
        self.kernel.is_some() || self.kdir.is_some()
    }

    /// Returns the choice of the command line or, without one, that of the environment.
    /// (clap's own `env` would let a KDIR in the environment forbid a --kernel on the command
    /// line.)
    pub fn or_environment(&self) -> KernelChoice {
        if self.is_made() {
            return self.clone();
        }
        let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty());
        let kernel = set("KORU_KERNEL").map(|k| k.to_string_lossy().into_owned());
        KernelChoice {
            kdir: match kernel {
                Some(_) => None,
                None => set("KDIR").map(PathBuf::from),
            },
            kernel,
        }
    }
}
