// SPDX-License-Identifier: MIT OR Apache-2.0

//! Random system calls on the files that a module makes, until the kernel complains. A program in
//! the guest makes them (`programs/fuzzer`); this gives it guests, and shrinks what it finds.

mod campaign;
pub mod fuzz;
mod shrink;
mod worker;

use std::collections::BTreeSet;

use koru_error::Result;

use fuzz::{Fuzz, Fuzzed};

/// Fuzzes until the time is up or something is found.
pub fn run(fuzz: &Fuzz) -> Result<Fuzzed> {
    let mut fuzzed = Fuzzed::default();
    let mut known = BTreeSet::new();
    while !fuzz.is_over(&fuzzed) {
        let Some(crash) = campaign::campaign(fuzz, &mut fuzzed)? else {
            break;
        };
        // The same again says nothing new.
        if known.insert(crash.error.message.clone()) {
            let found = shrink::shrink(fuzz, &fuzzed.kept, crash)?;
            fuzzed.findings.extend(found);
        }
        if !fuzz.keep_going {
            break;
        }
    }
    Ok(fuzzed)
}
