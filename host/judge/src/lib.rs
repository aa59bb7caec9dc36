// SPDX-License-Identifier: MIT OR Apache-2.0

//! Contracts that teachers write, and the verdicts on what a module did.
//!
//! A [`Contract`] is a folder with a `contract.toml`. It consists of [`Promise`]s, whose [`Step`]s
//! somebody else carries out, in a guest. Expected values and verdicts stay here: whoever carries
//! out a step reports the raw [`Result`](Raw) of the call, and [`Step::judge`] compares.
#![forbid(unsafe_code)]

mod contract;
mod expectation;
mod expression;
mod fields;
mod handout;
mod ioctl;
mod layout;
mod model;
mod names;
mod planned;
mod public;
mod read;
mod read_groups;
mod read_step;
mod read_together;
mod read_words;
mod score;
mod step;
mod tap;
mod together;
mod value;

pub use contract::{Always, Contract, Group, Judged, Promise, Rule, Untried};
pub use expectation::{Broken, Raw, error_words};
pub use handout::handout;
pub use names::Seed;
pub use planned::SHARED;
pub use public::{Public, public};
pub use read::{CONTRACT_FILE, is_contract, read};
pub use score::{Score, Verdict, score};
pub use step::{Action, Argument, LogLine, OpenFlags, Step};
pub use tap::Tap;
pub use together::{Explained, Planned, Together};
pub use value::{Number, Value, Variables};
