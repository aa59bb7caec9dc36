// SPDX-License-Identifier: MIT OR Apache-2.0

//! An enum's variant is no struct: nobody would write its tag.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg(misuse)]
#[repr(u8)]
pub enum Value {
    Number { a: u8 },
}

#[cfg(misuse)]
impl core::ops::Deref for Value {
    type Target = Target;
    fn deref(&self) -> &Target {
        loop {}
    }
}

#[cfg(misuse)]
impl core::ops::DerefMut for Value {
    fn deref_mut(&mut self) -> &mut Target {
        loop {}
    }
}

pub struct Target {
    a: u8,
}

#[cfg(misuse)]
pub fn value() -> impl pin_init::Init<Value> {
    pin_init::init!(Value::Number { a: 1 }) //~ E0433
}

#[cfg(not(misuse))]
pub fn value() -> impl pin_init::Init<Target> {
    pin_init::init!(Target { a: 1 })
}
