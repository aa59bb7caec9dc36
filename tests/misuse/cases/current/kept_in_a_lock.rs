// SPDX-License-Identifier: MIT OR Apache-2.0

//! What outlives the call cannot keep the borrow.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{current, sync::aref::ARef, sync::Mutex, task::Task};

#[cfg(misuse)]
pub fn keep(place: &Mutex<Option<&'static Task>>) {
    *place.lock() = Some(current!()); //~ E0716
}

#[cfg(not(misuse))]
pub fn keep(place: &Mutex<Option<ARef<Task>>>) {
    *place.lock() = Some(ARef::from(&**current!()));
}
