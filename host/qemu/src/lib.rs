// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs QEMU as a process.
//!
//! [`start`] runs a [`Machine`] and returns its [`Qemu`]: the process, its console and the
//! line to the agent as sockets, and its control channel ([`Qmp`]). The parts of the machine
//! come from a [`BootImage`], an [`Initramfs`] and an [`AccelDecision`].
//!
//! This crate does not know what runs in the guest.

mod accel;
mod console;
mod coverage;
mod gdb;
mod initramfs;
mod memory_file;
mod output_files;
mod qemu;
mod qmp;
mod x86;

pub use accel::{Accel, AccelChoice, AccelDecision};
pub use console::Console;
pub use coverage::{Coverage, CoveragePlugin, KernelAddresses};
pub use gdb::GdbStub;
pub use initramfs::Initramfs;
pub use memory_file::memory_file;
pub use qemu::{Machine, Qemu, QemuExit, REPLAY_START_SECONDS, Replayed, Start, start};
pub use qmp::Qmp;
pub use x86::{BootImage, PROGRAM, cpu, kernel_words, tsc_khz};
