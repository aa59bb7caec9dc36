// SPDX-License-Identifier: MIT OR Apache-2.0

//! An earlier pinned field is only there as a `Pin`.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::marker::PhantomPinned;

#[pin_init::pin_data]
pub struct One {
    #[pin]
    a: PhantomPinned,
    last: (),
}

pub fn one() -> impl pin_init::PinInit<One> {
    pin_init::pin_init!(One {
        a: PhantomPinned,
        last: {
            #[cfg(misuse)]
            core::mem::swap(&mut *a, &mut PhantomPinned); //~ E0596
            #[cfg(not(misuse))]
            let _: core::pin::Pin<&mut PhantomPinned> = a;
        },
    })
}
