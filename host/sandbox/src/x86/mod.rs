// SPDX-License-Identifier: MIT OR Apache-2.0

//! What depends on the x86 architecture: the numbers of system calls.

pub mod seccomp;
