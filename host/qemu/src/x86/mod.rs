// SPDX-License-Identifier: MIT OR Apache-2.0

//! Everything about the virtual machine that depends on the x86 architecture.

mod boot_image;
pub(crate) mod kvm_trial;
mod machine;
mod tsc;

pub use boot_image::BootImage;
pub(crate) use machine::{FIRST_ARGUMENT_REGISTER, arguments};
pub use machine::{PROGRAM, cpu, kernel_words};
pub use tsc::khz as tsc_khz;

/// The source of the plugin for QEMU that records coverage.
pub(crate) const COVERAGE_PLUGIN: &str = include_str!("coverage.c");
