// SPDX-License-Identifier: MIT OR Apache-2.0

//! The table of changes of the kernel's API.
//!
//! A version is the first mainline release with the change. An entry whose version is not known
//! for sure is for all kernels, and says none.

mod devices;
mod files;
mod headers;
mod includes;
mod memory;
mod network;
mod processes;
mod renames;
mod time;
mod user_space;

use super::change::Change;

pub(super) use headers::{HEADERS, Header};
pub(super) use includes::header_of;
pub(super) use renames::RENAMES;

/// Returns all changes. Of two that explain the same error, the first one counts.
pub(super) fn changes() -> impl Iterator<Item = &'static Change> {
    let topics = [
        files::CHANGES,
        time::CHANGES,
        memory::CHANGES,
        processes::CHANGES,
        devices::CHANGES,
        network::CHANGES,
        user_space::CHANGES,
    ];
    topics.into_iter().flatten()
}
