// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel keeps a pointer to a probe, so it stays where it is.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kprobe::{Count, Probe},
    prelude::*,
};

pub fn probe() -> Result<Pin<KBox<Probe<Count>>>> {
    let probe = KBox::pin_init(Probe::new(c"ksys_lseek", Count::new()), GFP_KERNEL)?;
    #[cfg(misuse)]
    let moved = *Pin::into_inner(probe); //~ E0277 "cannot be unpinned"
    #[cfg(misuse)]
    let probe = KBox::pin(moved, GFP_KERNEL)?;
    Ok(probe)
}
