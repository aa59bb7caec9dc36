// SPDX-License-Identifier: MIT OR Apache-2.0

//! The options for how modules are built.

use std::{env, path::PathBuf};

use clap::Args;

/// How modules in C are built, whose Makefiles are not trusted.
#[derive(Args, Clone)]
pub struct BuildRules {
    /// Stop the build of a module in C after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = BUILD_LIMIT, value_parser = clap::value_parser!(u32).range(1..))]
    pub build_limit: u32,
    /// Build modules in C without a sandbox, with all of your rights [env: KORU_TRUST]
    #[arg(long)]
    pub trust: bool,
    /// Let the build of a module in C read this file or folder as well.
    #[arg(long, value_name = "PATH")]
    pub with: Vec<PathBuf>,
}

const BUILD_LIMIT: u32 = 120;

impl Default for BuildRules {
    fn default() -> BuildRules {
        BuildRules {
            build_limit: BUILD_LIMIT,
            trust: false,
            with: Vec::new(),
        }
    }
}

impl BuildRules {
    /// Returns whether the user trusts the sources.
    pub fn trusts(&self) -> bool {
        self.trust || env::var_os("KORU_TRUST").is_some_and(|v| !v.is_empty() && v != "0")
    }
}
