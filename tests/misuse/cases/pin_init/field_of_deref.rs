// SPDX-License-Identifier: MIT OR Apache-2.0

//! A field that is only found through `Deref` is none of the struct.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::ops::{Deref, DerefMut};

pub struct Inner {
    pub deep: u8,
}

#[pin_init::pin_data]
pub struct Outer {
    inner: Inner,
}

impl Deref for Outer {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl DerefMut for Outer {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.inner
    }
}

pub fn outer() -> impl pin_init::PinInit<Outer> {
    pin_init::pin_init!(Outer {
        inner: Inner { deep: 1 },
        #[cfg(misuse)]
        deep: 2, //~ E0560
        //~^ E0599
    })
}
