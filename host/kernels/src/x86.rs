// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the kernel's sources call the x86 architecture.

/// The option of a kernel for x86_64.
pub(crate) const CONFIG: &str = "X86_64";

/// The kernel's image in a tree that was built in place.
pub(crate) const IMAGE: &str = "arch/x86/boot/bzImage";
