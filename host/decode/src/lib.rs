//! Oopses in a kernel log, told by source lines.
//!
//! [`Finder`] finds the kernel's reports in a log, line by line; [`Decoder`] makes of
//! a [`Report`] what a reader wants to know, with the debug info of the modules.
#![forbid(unsafe_code)]

mod decoded;
mod finder;
mod frame;
mod line;
mod report;
mod sources;
mod symbols;
mod text;
mod what;

pub use decoded::{Decoded, DecodedFrame, Decoder, Find, Place};
pub use finder::{Finder, Found};
pub use frame::Frame;
pub use line::split_line;
pub use report::{Kind, Report, Stack};
pub use sources::Sources;
pub use symbols::{Location, Missing, Symbols, build_id, demangled};
pub use text::Style;
