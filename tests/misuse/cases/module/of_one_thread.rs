// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module's value is shared by all threads.
#![no_std]
#![forbid(unsafe_code)]

use core::marker::PhantomData;
use kernel::prelude::*;

module! {
    //~^ E0277
    type: Case,
    name: "case",
    license: "GPL",
}

#[cfg(misuse)]
pub type Of = PhantomData<*mut u8>;
#[cfg(not(misuse))]
pub type Of = PhantomData<u8>;

pub struct Case(pub Of);

impl kernel::Module for Case { //~ E0277
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Case(PhantomData))
    }
}
