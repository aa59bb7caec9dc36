// SPDX-License-Identifier: MIT OR Apache-2.0

//! The options for how modules are built.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use koru_sandbox::{Limits, Sandbox};

/// How modules are built whose sources are not trusted.
#[derive(Args, Clone, Default)]
pub struct BuildRules {
    /// Stop a build after this many seconds [default: 120, or 600 in Rust]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub build_limit: Option<u32>,
    /// Build without a sandbox, with all of your rights [env: KORU_TRUST]
    #[arg(long)]
    pub trust: bool,
    /// Let the build read this file or folder as well.
    #[arg(long, value_name = "PATH")]
    pub with: Vec<PathBuf>,
}

/// How long a build in C may take.
const LIMIT: u32 = 120;

/// How long a build in Rust may take: the first one compiles the kernel crate and what that uses.
const LIMIT_IN_RUST: u32 = 600;

impl BuildRules {
    /// Returns the sandbox for builds in C, and the one for builds in Rust, unless the user trusts
    /// the sources.
    pub fn sandboxes(&self, cwd: &Path) -> Option<(Sandbox, Sandbox)> {
        let sandbox = |default: u32| {
            let seconds = self.build_limit.unwrap_or(default);
            let limits = Limits {
                time: Duration::from_secs(seconds.into()),
                ..Limits::default()
            };
            let readable = self.with.iter().map(|path| cwd.join(path));
            readable.fold(Sandbox::new(limits), Sandbox::readable)
        };
        (!self.trusts()).then(|| (sandbox(LIMIT), sandbox(LIMIT_IN_RUST)))
    }

    /// Returns whether the user trusts the sources.
    fn trusts(&self) -> bool {
        self.trust || env::var_os("KORU_TRUST").is_some_and(|v| !v.is_empty() && v != "0")
    }
}
