// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module does not ask rustc for what would make safe code unsound.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(misuse, feature(specialization))] //~ E0725

pub trait Lengthen {
    fn lengthen(self) -> Option<&'static u8>;
}

#[cfg(misuse)]
impl<T> Lengthen for T {
    default fn lengthen(self) -> Option<&'static u8> {
        //~^ E0658
        None
    }
}

impl Lengthen for &'static u8 {
    //~^ E0119
    fn lengthen(self) -> Option<&'static u8> {
        Some(self)
    }
}
