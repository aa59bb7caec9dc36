// SPDX-License-Identifier: MIT OR Apache-2.0

//! Initialisers, which return plain values, because no value here depends on its address.

use std::{convert::Infallible, marker::PhantomData, pin::Pin};

use crate::{
    alloc::{allocate, Flags},
    error::Error,
};

pub trait PinInit<T, E = Infallible>: Sized {
    fn make(self) -> Result<T, E>;
}

impl<T> PinInit<T> for T {
    fn make(self) -> Result<T, Infallible> {
        Ok(self)
    }
}

/// A function that creates the value.
pub struct Init<F, T, E>(F, PhantomData<fn() -> (T, E)>);

impl<F: FnOnce() -> Result<T, E>, T, E> Init<F, T, E> {
    pub fn new(make: F) -> Self {
        Init(make, PhantomData)
    }
}

impl<F: FnOnce() -> Result<T, E>, T, E> PinInit<T, E> for Init<F, T, E> {
    fn make(self) -> Result<T, E> {
        (self.0)()
    }
}

pub fn make<T, E>(init: impl PinInit<T, E>) -> Result<T, E> {
    init.make()
}

/// A pointer whose memory an initialiser fills.
pub trait InPlaceInit<T>: Sized {
    fn new_of(value: T) -> Self;

    fn pin_init<E>(init: impl PinInit<T, E>, _: Flags) -> crate::error::Result<Self::Pinned>
    where
        Error: From<E>,
        Self: IntoPinned,
    {
        allocate()?;
        Ok(Self::new_of(init.make()?).into_pinned())
    }
}

/// The type of a pointer whose content is pinned.
pub trait IntoPinned {
    type Pinned;
    fn into_pinned(self) -> Self::Pinned;
}

impl<T> InPlaceInit<T> for Box<T> {
    fn new_of(value: T) -> Self {
        Box::new(value)
    }
}

impl<T> IntoPinned for Box<T> {
    type Pinned = Pin<Box<T>>;
    fn into_pinned(self) -> Pin<Box<T>> {
        self.into()
    }
}

#[macro_export]
macro_rules! pin_init {
    ($type:ident { $($fields:tt)* }) => {
        $crate::init::Init::<_, _, ::std::convert::Infallible>::new(move || {
            $crate::fields!($type [] $($fields)*)
        })
    };
}

#[macro_export]
macro_rules! try_pin_init {
    ($type:ident { $($fields:tt)* }) => {
        $crate::init::Init::<_, _, $crate::error::Error>::new(move || {
            $crate::fields!($type [] $($fields)*)
        })
    };
}

/// Initialises one field after the other, and then the struct.
#[macro_export]
macro_rules! fields {
    ($type:ident [$($done:ident)*]) => { Ok($type { $($done),* }) };
    ($type:ident [$($done:ident)*] $field:ident <- $init:expr $(, $($rest:tt)*)?) => {{
        let $field = $crate::init::make($init)?;
        $crate::fields!($type [$($done)* $field] $($($rest)*)?)
    }};
    ($type:ident [$($done:ident)*] $field:ident: $value:expr $(, $($rest:tt)*)?) => {{
        let $field = $value;
        $crate::fields!($type [$($done)* $field] $($($rest)*)?)
    }};
    ($type:ident [$($done:ident)*] $field:ident $(, $($rest:tt)*)?) => {
        $crate::fields!($type [$($done)* $field] $($($rest)*)?)
    };
}
