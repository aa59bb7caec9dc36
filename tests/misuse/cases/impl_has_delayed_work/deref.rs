// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field is one of the object itself, at a fixed offset.
#![no_std]
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};
use kernel::workqueue::{impl_has_delayed_work, DelayedWork};

pub struct Inner {
    pub work: DelayedWork<Outer>,
}

pub struct Outer {
    pub inner: Inner,
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

#[cfg(misuse)]
impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Outer { self.work } //~ E0609
}
