// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru dev bindings`: generates the kernel crate's declarations of the C interface layer.

use std::process::Command;

use koru_error::Result;

use crate::{context::Context, dependencies};

/// Runs `koru dev bindings`, which is for those who change the C interface layer.
pub fn bindings(context: &Context, check: bool) -> Result<u8> {
    koru_kernels::run(
        &mut command(context, check),
        "generating the declarations of the C interface layer",
    )?;
    Ok(0)
}

/// Returns the command that runs the generator. The generator loads libclang at run time,
/// which a statically linked program cannot do, so it is built without this workspace's usual
/// settings.
pub fn command(context: &Context, check: bool) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["run", "--quiet", "--locked", "--profile=program"])
        .args(["--package", "koru-bindgen"])
        .arg("--target-dir")
        .arg(context.home.root.join("target/bindgen"))
        .args(["--", if check { "--check" } else { "--write" }])
        .current_dir(&context.home.root)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "")
        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "env");
    if let Some(folder) = dependencies::libclang_folder() {
        cargo.env("LIBCLANG_PATH", folder);
    }
    cargo
}
