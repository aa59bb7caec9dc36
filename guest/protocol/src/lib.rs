// SPDX-License-Identifier: MIT OR Apache-2.0

//! The messages between the host and the agent inside the guest.
//!
//! Each message is one frame: postcard bytes, COBS-encoded, ended by a zero
//! byte. A reader that starts in the middle of a frame, or that meets noise,
//! is in step again at the next zero byte.
//!
//! The host sends [`ToGuest`], the agent sends [`ToHost`]. A call carries an id
//! that the caller chose; everything that belongs to the call carries it too.
//! The same messages go between a long-lived guest's daemon and its clients.

mod frame;
mod kmsg;
mod shared;
mod types;

pub use frame::{Decoder, encode, pack, unpack};
pub use kmsg::{LogRecord, parse_kmsg};
pub use shared::{Area, Piece, Placer, SCRIPT_AT, SHARED_BYTES, TO_GUEST, TO_HOST};
pub use types::*;

/// Raised with every change that an older peer would misread.
pub const VERSION: u32 = 6;

/// Most payload bytes in one frame. A serial line carries about 0.2 MB/s: with
/// small frames a heartbeat never waits long behind data.
pub const CHUNK: usize = 4096;

/// The same where frames go through shared memory.
pub const SHARED_CHUNK: usize = 256 * 1024;

/// Messages shorter than this go over the line itself.
pub const SHARED_FROM: usize = 64;

/// Bytes of a command's standard input that may be on their way unread.
/// [`ToHost::Taken`] gives them back.
pub const STDIN_WINDOW: usize = 64 * 1024;

/// The agent sends [`ToHost::Heartbeat`] this often.
pub const HEARTBEAT_MS: u64 = 500;

/// A guest with this in its first process's environment plays a script, which lies
/// in the shared memory when that comes.
pub const SCRIPTED: &str = "koru_script";

/// Begins a record that a test writes into the kernel log: a warning, or a report of
/// KASAN's, that contains the rest of the record is expected, and no failure of the
/// test.
pub const KERNEL_MAY_SAY: &str = "koru: the kernel may say: ";

/// A test that ends with this status has found that it cannot be run on this kernel.
/// The last line of its output says why.
pub const TEST_SKIPPED: i32 = 77;
