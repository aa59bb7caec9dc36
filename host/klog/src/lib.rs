// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parses what kernels print.
//!
//! A log consists of [`LogRecord`]s, or of lines that [`split_line`] splits.
//! [`first_complaint()`] returns what the kernel found wrong first, [`Finder`] finds the
//! reports, which have many lines each, and [`Frame`] parses a line of a stack.
//! [`console_records_after`] reads what a guest wrote to its console.
#![forbid(unsafe_code)]

mod arch;
mod architectures;
mod arm;
mod complaint;
mod console;
mod finder;
mod first_complaint;
mod format;
mod frame;
mod hang;
mod helpers;
mod kinds;
mod line;
mod mips;
mod powerpc;
mod report;
mod riscv;
mod roles;
mod row;
mod s390;
mod symbol;
mod table;
mod taint;
mod x86;

pub use complaint::{Complaint, complaint, overdue, still_registered};
pub use console::{console_records_after, evidence, panic_reason};
pub use finder::{Finder, Found};
pub use first_complaint::{announced, announcements, first_complaint};
pub use format::{escape_control_chars, format_record, format_time};
pub use frame::Frame;
pub use hang::hang_location;
pub use helpers::is_helper;
pub use kinds::{ComplaintKind, ReportKind};
pub use koru_protocol::LogRecord;
pub use line::{caller, plain_line, split_line};
pub use report::{Report, Stack};
pub use symbol::demangled;
pub use taint::taint_complaint;
