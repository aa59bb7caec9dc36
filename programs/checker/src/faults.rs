// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes the first, the second and each further allocation fail while a module is loaded, and
//! while the files that it makes are used.
//!
//! Before each attempt, a record that begins with [`FAULT_MARK`](koru_protocol::FAULT_MARK) is written to the kernel log, so that
//! the log tells which allocation failed. Each attempt is a line of the output, `OPERATION NUMBER
//! RESULT`, with the number 0 for the operation as it is without a fault.

use crate::{
    files,
    inject::{Injection, walk},
    module::{Failure, Module},
};

/// Walks through the load, and through the files that the module makes.
pub fn walk_all(module: &Module, injection: &mut Injection) -> Result<(), Failure> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |errno| (what, errno)
    };
    let before = files::all();
    // Without a fault first, so that what the kernel itself allocates only once is there.
    module.load().map_err(failed("loading"))?;
    module.remember();
    module.unload().map_err(failed("unloading"))?;
    walk(
        injection,
        "load",
        || Ok(()),
        |()| module.load().map(|()| 0),
        |()| module.unload(),
    )
    .map_err(failed("loading"))?;
    module.load().map_err(failed("loading"))?;
    for file in files::all().difference(&before) {
        files::walk_operations(injection, file);
    }
    module.unload().map_err(failed("unloading"))
}
