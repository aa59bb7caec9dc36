// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds out what was at an address before its module was unloaded.
//!
//! The kernel names no function of a module that is gone: it prints the bare address of the
//! memory that is not there any more.

use std::borrow::Cow;

use koru_klog::{Report, ReportKind};

use crate::{Decoder, Place};

/// What was at an address.
pub(crate) struct Former {
    /// What it was in words: `the function tick of the unloaded module ftimer`.
    pub words: String,
    pub place: Option<Place>,
}

/// Returns the address of a fault because nothing is at the address. Faults in modules that are
/// loaded are of other kinds.
fn missing_address<T>(report: &Report<T>) -> Option<u64> {
    let is_missing = |line: &String| line.starts_with("#PF: ") && line.contains("not-present page");
    if report.kind != ReportKind::Oops || !report.head.iter().any(is_missing) {
        return None;
    }
    let fault = report.head_after("BUG: unable to handle page fault for address: ")?;
    u64::from_str_radix(fault.trim().trim_start_matches("0x"), 16).ok()
}

impl Decoder {
    /// Returns what was at the address of a fault, in a module that is not loaded any more.
    pub(crate) fn former<T>(&self, report: &Report<T>) -> Option<Former> {
        self.what_was_at(missing_address(report)?)
    }

    /// Returns the function that called from an address, if it was in a module that is not loaded
    /// any more.
    pub(crate) fn former_caller(&self, word: &str) -> Option<String> {
        let address = u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()?;
        // The kernel prints the address to which the call returns.
        Some(self.what_was_at(address.checked_sub(1)?)?.words)
    }

    /// Returns a line of a report of the slab allocator's with the name of a function where the
    /// kernel knows an address only, because the module or its init is gone.
    pub fn with_names<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let begins = ["Allocated in ", "Freed in ", ""];
        let text = line.trim_start();
        let rest = begins.iter().find_map(|begin| text.strip_prefix(begin));
        let word = rest.and_then(|rest| rest.split(' ').next());
        let is_address = |word: &&str| word.starts_with("0xffffffff");
        let Some(word) = word.filter(is_address) else {
            return line.into();
        };
        let address = u64::from_str_radix(&word[2..], 16).ok();
        match address.and_then(|address| self.symbol_at(address)) {
            Some(symbol) => line.replacen(word, &symbol, 1).into(),
            None => line.into(),
        }
    }

    /// Returns an address in the kernel's form, `FUNCTION+0x1/0x2 [MODULE]`.
    fn symbol_at(&self, address: u64) -> Option<String> {
        let modules = self.former.as_ref()?();
        modules.iter().find_map(|module| {
            let symbol = self.with_symbols(&module.name, |symbols| {
                symbols.symbol_at(&module.sections, address)
            })?;
            Some(format!("{symbol} [{}]", module.name))
        })
    }

    fn what_was_at(&self, address: u64) -> Option<Former> {
        let modules = self.former.as_ref()?();
        modules.iter().find_map(|module| {
            let found = self.with_symbols(&module.name, |symbols| {
                symbols.what_was_at(&module.sections, address)
            })?;
            let named = found.location.map(|location| self.place(location));
            let of = format!("of the unloaded module {}", module.name);
            let at = |place: &Place| match place.at() {
                Some(at) => format!("{} ({at})", place.function),
                None => place.function.clone(),
            };
            let words = match (found.variable, &named) {
                (Some(variable), Some(place)) => {
                    format!("`{variable}` {of}, which has the function {}", at(place))
                }
                (Some(variable), None) => format!("`{variable}` {of}"),
                (None, Some(place)) => format!("the function {} {of}", at(place)),
                (None, None) => format!("the memory {of}"),
            };
            Some(Former {
                words,
                place: named,
            })
        })
    }
}
