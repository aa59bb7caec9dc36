// SPDX-License-Identifier: MIT OR Apache-2.0

//! A file stays where it was made: the kernel has its address.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    proc_fs::{Show, ShowFile},
};

pub fn place<T: Show>(file: Pin<KBox<ShowFile<T>>>) {
    #[cfg(misuse)]
    let file = KBox::into_inner(Pin::into_inner(file)); //~ E0277 "cannot be unpinned"
    drop(file);
}
