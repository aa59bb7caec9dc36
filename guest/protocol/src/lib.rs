// SPDX-License-Identifier: MIT OR Apache-2.0

//! The messages between the host and the agent.
//!
//! Each message is one frame: postcard bytes, COBS-encoded, ended by a zero byte. A reader
//! that starts in the middle of a frame, or that meets noise, is synchronised again at the
//! next zero byte.
//!
//! The host sends [`ToGuest`], the agent sends [`ToHost`]. A call has an id that the caller
//! chose, and so has everything that belongs to the call. The daemon of a guest that stays up
//! and its clients exchange these messages as well.

mod file_users;
mod frame;
mod kmsg;
mod measure;
mod shared;
mod types;

pub use file_users::{FileUser, OpenFile, Transfer};
pub use frame::{Decoder, encode, pack, unpack};
pub use kmsg::{LogRecord, parse_kmsg};
pub use measure::*;
pub use shared::{Ring, RingAllocator, RingSlice, SCRIPT_AT, SHARED_BYTES, TO_GUEST, TO_HOST};
pub use types::*;

/// The version of the protocol, which is raised with every change that an older peer would
/// misread.
pub const VERSION: u32 = 8;

/// The largest number of payload bytes in one frame. A serial line carries about 0.2 MB/s, so
/// with small frames a heartbeat never waits long behind data.
pub const CHUNK: usize = 4096;

/// The largest number of payload bytes in one frame that goes through shared memory.
pub const SHARED_CHUNK: usize = 256 * 1024;

/// The length in bytes below which messages go over the line itself.
pub const SHARED_FROM: usize = 64;

/// The number of bytes of a command's standard input that may be in transit without having
/// been read. [`ToHost::Taken`] frees them.
pub const STDIN_WINDOW: usize = 64 * 1024;

/// The interval in milliseconds at which the agent sends [`ToHost::Heartbeat`].
pub const HEARTBEAT_MS: u64 = 500;

/// The variable in the environment of a guest's first process that makes the guest play a
/// script, which is in the shared memory when that appears.
pub const SCRIPTED: &str = "koru_script";

/// The file in a guest with the sections of modules that were unloaded, one a line: `MODULE SECTION
/// ADDRESS`. It is written in guests that check the allocated memory.
pub const FORMER_SECTIONS: &str = "/run/koru-sections";

/// The beginning of a record that a test writes into the kernel log. A warning, or a report of
/// KASAN's, that contains the rest of the record is expected and does not fail the test.
pub const KERNEL_MAY_SAY: &str = "koru: the kernel may say: ";

/// The beginning of a record that is written into the kernel log before an allocation is made to
/// fail. The operation follows, and the number of the allocation.
pub const FAULT_MARK: &str = "koru: fault ";

/// The exit status of a test that cannot be run on this kernel. The last line of the test's
/// output says why.
pub const TEST_SKIPPED: i32 = 77;

/// The owner of the ELF notes in a test binary that say how its tests want to run,
/// with the zero byte at its end.
pub const TEST_NOTES: &[u8; 5] = b"Koru\0";

/// The type of an ELF note with a mark. Its text is `MARK PATH`: the path is that of a test, or
/// of a module for all tests in it, and begins with the name of the crate.
pub const TEST_MARK: u32 = 1;
