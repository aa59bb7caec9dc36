// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests in `tests/` the modules' files that do not use the kernel: with any input, they must agree
//! with models that are plain and slow.
#![forbid(unsafe_code)]
