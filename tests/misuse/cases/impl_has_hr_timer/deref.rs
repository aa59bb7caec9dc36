// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field is one of the object itself, at a fixed offset.
#![no_std]
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};
use kernel::time::{hrtimer::{impl_has_hr_timer, HrTimer, RelativeMode}, Monotonic};

pub struct Inner {
    pub timer: HrTimer<Outer>,
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
impl_has_hr_timer! {
    impl HasHrTimer<Self> for Outer { mode: RelativeMode<Monotonic>, field: self.timer } //~ E0609
}
