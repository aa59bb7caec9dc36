// SPDX-License-Identifier: MIT OR Apache-2.0

//! Has no code, but makes the features of dependencies the same in every build, whichever packages
//! it is of: cargo compiles a crate anew, and all that use it, for each set of features.
//!
//! This is what is known as a workspace-hack crate.
