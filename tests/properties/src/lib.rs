// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is in `tests/`: the modules' files that know nothing of the kernel, with
//! any input, against models that are plain and slow.
#![forbid(unsafe_code)]
