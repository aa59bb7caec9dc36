// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a program that is not trusted, such as the build of a stranger's sources.
//!
//! A [`Sandbox`] says what the program may read and where it may write. It has no network, no
//! home, no rights, and no processes but its own in sight; its time, memory, processes, files
//! and output have [`Limits`]; and whatever it starts ends with it. bubblewrap (`bwrap`) makes
//! the namespaces for that.
//!
//! # Who the program is
//!
//! If this process is root, the program runs under a user id that nobody else has: what it
//! reads must be readable for everyone, except for the [work folder](Sandbox::work), which is
//! given to it. Otherwise it runs as the user, who has no rights over anything outside.
//!
//! # How the disk is bounded
//!
//! The program writes to memory: its work folder and `/tmp` are file systems in memory of
//! a fixed size, in which a write fails when they are full. After the program has ended, this
//! process copies the files of the work folder back. So nothing that the program does while it
//! runs reaches a disk, and links that it leaves behind are not followed.
//!
//! A [writable folder](Sandbox::writable) is for what has to stay between two runs and is too
//! large to be copied. It is on a disk, and is watched.
#![forbid(unsafe_code)]

mod bubblewrap;
mod captured;
mod growth;
mod ids;
mod monitor;
mod processes;
mod run;
mod sandbox;
mod work;
mod x86;

pub use bubblewrap::{on_path, with_system};
pub use ids::leave_sandbox;
pub use run::Stream;
pub use sandbox::{Limits, Sandbox};
