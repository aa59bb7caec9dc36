// SPDX-License-Identifier: MIT OR Apache-2.0

//! A file stays where it was made: the kernel has its address.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    proc_fs::{Operations, ProcFile},
};

pub fn exchange<T: Operations>(a: &mut Pin<KBox<ProcFile<T>>>, b: &mut Pin<KBox<ProcFile<T>>>) {
    #[cfg(misuse)]
    core::mem::swap(&mut **a, &mut **b); //~ E0596
                                         //~^ E0596
    #[cfg(not(misuse))]
    core::mem::swap(a, b);
}
