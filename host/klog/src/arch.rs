// SPDX-License-Identifier: MIT OR Apache-2.0

//! What describes an architecture's part of the reports.

use crate::row::Row;

/// How kernels for one architecture print a fault.
pub(crate) struct Arch {
    /// The beginnings of the lines with registers and page tables.
    pub registers: &'static [&'static str],
    /// Returns the text from the place on, if a line shows where in the kernel the processor
    /// was.
    pub pointer: fn(&str) -> Option<&str>,
    /// The lines with which reports begin.
    pub rows: &'static [Row],
}
