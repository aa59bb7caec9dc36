// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes the oopses in a kernel log to source lines.
//!
//! [`Finder`](koru_klog::Finder) finds the kernel's reports in a log, line by line;
//! [`Decoder`] turns a [`Report`](koru_klog::Report) into what a reader wants to know, with
//! the debug info of the modules.
#![forbid(unsafe_code)]

mod checkers;
mod code;
mod decoded;
mod former;
mod layout;
mod operations;
mod sources;
mod subject;
mod summary;
mod symbols;
mod text;

pub use code::{CodeLayout, CodePiece, PlacedCode, module_name};
pub use decoded::{DebugInfoLookup, Decoded, DecodedFrame, DecodedPart, Decoder, Place};
pub use layout::LoadedModule;
pub use sources::Sources;
pub use symbols::{DebugInfoError, Location, Symbols, build_id};
pub use text::Style;
