// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs koru as a user does. The tests are one program, so that all of them use all processors.

mod all_modules;
mod apis;
mod atomic_context;
mod bench;
mod build_notes;
mod build_sandbox;
mod c_modules;
mod cache;
mod check;
mod cli;
mod common;
mod contracts;
mod coverage;
mod debug;
mod debug_kernel;
mod decode;
mod endings;
mod faults;
mod fuzz;
mod grade;
mod harsh;
mod hints;
mod host_target;
mod json;
mod kernels;
mod makefile;
mod new_module;
mod odd_paths;
mod own_module;
mod package_files;
mod preflight;
mod readmes;
mod replay;
mod rust_files;
mod shared_checkout;
mod shell;
mod ssh_target;
mod supported_kernels;
mod verify;
mod watch;
