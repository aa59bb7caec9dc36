// SPDX-License-Identifier: MIT OR Apache-2.0

//! The requirements on what `modinfo` shows of a module.

use std::fs;

use koru_testing::Module;
use object::{Object, ObjectSection};

use crate::contract::{expect_eq, expect_ok};

/// Requires that `modinfo` shows the license, author, description, version and these parameters.
#[track_caller]
pub fn expect_modinfo(module: &str, params: &[&str]) {
    let file = expect_ok("reading the module", fs::read(Module::path(module)));
    let elf = object::File::parse(&*file).expect("a module is an ELF file");
    let section = elf.section_by_name(".modinfo");
    let strings = section.and_then(|s| s.data().ok()).unwrap_or_default();
    // `key=value`, and each parameter's text behind `NAME:`.
    let has = |key: &str| {
        let mut strings = strings.split(|b| *b == 0);
        strings.any(|s| s.len() > key.len() && s.starts_with(key.as_bytes()))
    };
    for key in ["license=", "author=", "description=", "version="] {
        expect_eq(&format!("modinfo has {key}"), has(key), true);
    }
    for param in params {
        for field in [format!("parm={param}:"), format!("parmtype={param}:")] {
            expect_eq(&format!("modinfo has {field}"), has(&field), true);
        }
    }
}
