// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds out what was at an address before its module was unloaded.
//!
//! The kernel names no function of a module that is gone: it prints the bare address of the
//! memory that is not there any more.

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
        let address = missing_address(report)?;
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
