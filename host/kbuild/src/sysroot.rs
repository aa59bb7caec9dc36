// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds `core` with a kernel's flags, laid out as a sysroot for rustc.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{IoContext, Result};
use koru_kernels::{Cache, Key, Progress, run};

use crate::{Codegen, TARGET, Toolchain};

/// The crate `core`, built for one set of flags and laid out as rustc's `--sysroot` needs it.
#[derive(Debug, Clone)]
pub struct Sysroot {
    pub path: PathBuf,
    pub libcore: PathBuf,
}

impl Sysroot {
    /// Returns the cached sysroot for these flags, which is built if there is none (30 s).
    pub fn get(
        cache: &Cache,
        toolchain: &Toolchain,
        codegen: &Codegen,
        progress: &dyn Progress,
    ) -> Result<Sysroot> {
        let key = codegen
            .for_core()
            .fold(Key::default(), |k, f| k.with(f))
            .with(&toolchain.version)
            .with(toolchain.library.as_os_str().as_encoded_bytes())
            .hex();
        let path = cache.entry("sysroots", &key, progress, |dir| {
            progress.status("building core for this kernel's flags (once, about 30 s)");
            build(dir, toolchain, codegen)
        })?;
        Ok(Sysroot {
            libcore: path.join(lib_dir()).join("libcore.rlib"),
            path,
        })
    }
}

fn lib_dir() -> String {
    format!("lib/rustlib/{TARGET}/lib")
}

fn build(dir: &Path, toolchain: &Toolchain, codegen: &Codegen) -> Result<()> {
    let lib = dir.join(lib_dir());
    fs::create_dir_all(&lib).path_context("making", &lib)?;
    let core = toolchain.library.join("core/src/lib.rs");
    // The kernel exports memcpy and the like. What else the real compiler_builtins has
    // (floats, 128-bit division) must not get in unnoticed, so this one is empty.
    let no_code = Path::new("/dev/null");
    let attributes = [
        "-Zcrate-attr=feature(compiler_builtins)",
        "-Zcrate-attr=compiler_builtins",
        "-Zcrate-attr=no_builtins",
        "-Zcrate-attr=no_std",
    ];
    for (name, source, options) in [
        ("core", &*core, &[][..]),
        ("compiler_builtins", no_code, &attributes),
    ] {
        run(
            Command::new(&toolchain.rustc)
                // A crate's hash depends on the working folder and on the names of its sources.
                // What was compiled against this crate has to fit it when it is built again.
                .current_dir("/")
                .env("RUSTC_BOOTSTRAP", "1")
                .env_remove("RUSTFLAGS")
                .args(["--edition=2024", "--crate-type=rlib", "--cap-lints=allow"])
                .args(["--crate-name", name, "--target", TARGET])
                .args(codegen.for_core())
                .args(options)
                .arg("--sysroot")
                .arg(dir)
                .arg("--out-dir")
                .arg(&lib)
                .arg(source),
            &format!("building {name} with {}", toolchain.rustc.display()),
        )?;
    }
    Ok(())
}
