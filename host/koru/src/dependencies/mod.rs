// SPDX-License-Identifier: MIT OR Apache-2.0

//! What Koru needs on the machine.

mod checks;
mod install;

pub use checks::{agent_path, check_all, clippy_driver, libclang_folder};
pub use install::{debugger, install_missing, prebuild};

use koru_kernels::{KernelTree, SUPPORTED};

/// The kernels that a command uses.
pub struct Uses {
    /// Those which are here.
    pub trees: Vec<KernelTree>,
    /// Those of set-up, by the names in `SUPPORTED`, which may still have to be downloaded.
    pub set_up: &'static [&'static str],
}

impl Uses {
    /// Returns these kernels, which are here, and those of set-up.
    pub fn of_set_up(trees: Vec<KernelTree>) -> Uses {
        Uses {
            trees,
            set_up: &SUPPORTED,
        }
    }

    /// Returns these kernels alone. A machine without a network may have no others.
    pub fn only(trees: Vec<KernelTree>) -> Uses {
        Uses { trees, set_up: &[] }
    }
}
