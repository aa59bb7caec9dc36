// SPDX-License-Identifier: MIT OR Apache-2.0

//! Memory allocation, which succeeds unless a test limits it.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
};

thread_local! {
    // loom runs all of its threads on one thread of the system, so they share this value.
    static SUCCEED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Lets the next `allocations` succeed and all later ones fail, or, with `None`, all succeed.
pub(crate) fn let_succeed(allocations: Option<usize>) {
    SUCCEED.set(allocations);
}

pub(crate) fn allocate() -> Result<(), AllocError> {
    match SUCCEED.get() {
        Some(0) => Err(AllocError),
        left => {
            SUCCEED.set(left.map(|n| n - 1));
            Ok(())
        }
    }
}

#[derive(Debug)]
pub struct AllocError;

#[derive(Debug)]
pub struct RemoveError;

#[derive(Clone, Copy)]
pub struct Flags;

pub const GFP_KERNEL: Flags = Flags;
pub const GFP_KERNEL_ACCOUNT: Flags = Flags;

pub type KBox<T> = Box<T>;

pub type KVVec<T> = KVec<T>;

pub struct KVec<T>(Vec<T>);

impl<T> KVec<T> {
    pub const fn new() -> Self {
        KVec(Vec::new())
    }

    pub fn with_capacity(capacity: usize, _: Flags) -> Result<Self, AllocError> {
        allocate()?;
        Ok(KVec(Vec::with_capacity(capacity)))
    }

    pub fn from_elem(value: T, n: usize, _: Flags) -> Result<Self, AllocError>
    where
        T: Clone,
    {
        allocate()?;
        Ok(KVec(vec![value; n]))
    }

    pub fn push(&mut self, value: T, _: Flags) -> Result<(), AllocError> {
        if self.0.len() == self.0.capacity() {
            allocate()?;
        }
        self.0.push(value);
        Ok(())
    }

    pub fn extend_from_slice(&mut self, other: &[T], _: Flags) -> Result<(), AllocError>
    where
        T: Clone,
    {
        if self.0.capacity() - self.0.len() < other.len() {
            allocate()?;
        }
        self.0.extend_from_slice(other);
        Ok(())
    }

    pub fn remove(&mut self, i: usize) -> Result<T, RemoveError> {
        match i < self.0.len() {
            true => Ok(self.0.remove(i)),
            false => Err(RemoveError),
        }
    }

    pub fn retain(&mut self, f: impl FnMut(&mut T) -> bool) {
        self.0.retain_mut(f);
    }
}

impl<T> Default for KVec<T> {
    fn default() -> Self {
        KVec::new()
    }
}

impl<T> Deref for KVec<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for KVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
