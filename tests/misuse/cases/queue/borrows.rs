// SPDX-License-Identifier: MIT OR Apache-2.0

//! A closure that is queued runs later, so it borrows nothing.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, workqueue};

pub fn later(_number: &u32) -> Result {
    let number = 5;
    #[cfg(misuse)]
    workqueue::system().try_spawn(GFP_KERNEL, || drop(number + *_number))?; //~ E0521
    //~^ E0373
    #[cfg(not(misuse))]
    workqueue::system().try_spawn(GFP_KERNEL, move || drop(number + 1))?;
    Ok(())
}
