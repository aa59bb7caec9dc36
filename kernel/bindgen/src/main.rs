// SPDX-License-Identifier: MIT OR Apache-2.0

//! Generates `kernel/kernel/src/bindings.rs`, and `bindings/types.rs` beside it, from
//! `kernel/shim/shim.h`.
//!
//! The result is checked in, so that only those who change the shim need libclang. `--check` fails
//! if a file is not current.

use std::path::Path;
use std::process::ExitCode;

const HEADER: &str = "// SPDX-License-Identifier: GPL-2.0-only

//! The WHAT of the C interface layer.
//!
//! `./koru dev bindings` generates this file from kernel/shim/shim.h.
";

fn builder(kernel: &Path) -> bindgen::Builder {
    bindgen::Builder::default()
        .header(kernel.join("shim/shim.h").to_string_lossy())
        .clang_args(["-target", "x86_64-unknown-linux-gnu", "-ffreestanding"])
        .use_core()
        .ctypes_prefix("crate::ffi")
        .allowlist_file(".*/shim\\.h")
        .default_macro_constant_type(bindgen::MacroTypeVariation::Signed)
        .derive_copy(false)
        .derive_debug(false)
        .layout_tests(true)
        .merge_extern_blocks(true)
        .prepend_enum_name(false)
        .disable_header_comment()
        .formatter(bindgen::Formatter::Prettyplease)
}

fn generate(builder: bindgen::Builder, what: &str) -> Result<String, String> {
    let bindings = builder
        .generate()
        .map_err(|error| format!("shim.h: {error}"))?;
    Ok(format!("{}\n{bindings}", HEADER.replace("WHAT", what)))
}

fn run(mode: Option<&str>) -> Result<(), String> {
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let functions = builder(&kernel)
        .blocklist_type(".*")
        .raw_line("mod types;")
        .raw_line("")
        .raw_line("pub use types::*;");
    let types = builder(&kernel).blocklist_function(".*");
    for (file, wanted) in [
        ("bindings.rs", generate(functions, "functions")?),
        ("bindings/types.rs", generate(types, "types")?),
    ] {
        let path = kernel.join("kernel/src").join(file);
        match mode {
            Some("--write") => {
                std::fs::write(&path, wanted).map_err(|error| error.to_string())?;
            }
            Some("--check") => {
                let found = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
                if found != wanted {
                    return Err(format!(
                        "kernel/kernel/src/{file} does not match kernel/shim/shim.h: \
                         run `./koru dev bindings`"
                    ));
                }
            }
            _ => return Err("usage: koru-bindgen --check | --write".into()),
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("koru-bindgen: {message}");
            ExitCode::FAILURE
        }
    }
}
