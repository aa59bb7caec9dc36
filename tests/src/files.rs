// SPDX-License-Identifier: MIT OR Apache-2.0

//! Requirements that all files in /proc share, as functions: a module's own tests call them, and
//! state the requirement in their doc comments.
//!
//! No file of a module under test is longer than [`MAX_FILE_LEN`], so a file that never ends is
//! detected.

mod reading;
mod served;
mod sharing;
mod unloading;

pub use reading::{
    a_slow_pread_puts_nothing_back, bad_reads, buffers_that_end_early, dd_byte_by_byte,
    disturbed_reads, ends_and_starts_again, positions_of_their_own, preads, reads_of_any_size,
    reads_of_mixed_sizes, reads_of_nothing, seeks,
};
pub use served::{
    Check, MAX_FILE_LEN, NOBODY, Served, as_nobody, exists, read_all, read_once, read_rest, text,
};
pub use sharing::{
    at_once, cannot_be_written, descriptors_share_a_position, everybody_reads, racing_threads,
    two_hundred_processes,
};
pub use unloading::{
    comes_and_goes, loading_twice, taken_name, unload_under_readers, unload_under_writers,
    unload_while_open, write_after_unload,
};
