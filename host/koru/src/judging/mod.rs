// SPDX-License-Identifier: MIT OR Apache-2.0

//! Judges modules by contracts that teachers write. The steps of a promise are carried out in a
//! guest; what they have to lead to stays here.

pub mod built;
mod calls;
pub mod findings;
pub mod folders;
mod guest_process;
pub mod helpers;
pub mod judge;
mod marks;
mod passing;
mod player;
mod program;
pub mod report;
pub mod subject;
