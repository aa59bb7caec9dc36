//! What `modinfo` shows of a module.

use std::fs;

use koru_testing::Module;
use object::{Object, ObjectSection};

use crate::{gives, works};

/// License, author, description, version and these parameters are shown.
#[track_caller]
pub fn modinfo(module: &str, params: &[&str]) {
    let file = works("reading the module", fs::read(Module::path(module)));
    let elf = object::File::parse(&*file).expect("a module is an ELF file");
    let section = elf.section_by_name(".modinfo");
    let strings = section.and_then(|s| s.data().ok()).unwrap_or_default();
    // `key=value`, and each parameter's text behind `NAME:`.
    let has = |key: &str| {
        let mut strings = strings.split(|b| *b == 0);
        strings.any(|s| s.len() > key.len() && s.starts_with(key.as_bytes()))
    };
    for key in ["license=", "author=", "description=", "version="] {
        gives(&format!("modinfo has {key}"), has(key), true);
    }
    for param in params {
        for field in [format!("parm={param}:"), format!("parmtype={param}:")] {
            gives(&format!("modinfo has {field}"), has(&field), true);
        }
    }
}
