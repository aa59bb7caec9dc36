// SPDX-License-Identifier: MIT OR Apache-2.0

//! Everything about a module's build that depends on the x86 architecture: the compiler's
//! flags, the instructions of its code, its object files.

pub mod atomic_context;
pub mod codegen;
pub mod forwarders;
pub mod object_file;
