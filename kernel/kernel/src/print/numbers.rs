// SPDX-License-Identifier: GPL-2.0-only

//! Messages whose arguments are integers. They need none of core's formatting, which is larger
//! than most modules.

use super::{Level, Record, RECORD_SIZE};
use crate::str::decimal;

/// An integer of up to 64 bits.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Number {
    is_negative: bool,
    magnitude: u64,
}

/// The integers that a [`Number`] can be.
#[doc(hidden)]
pub trait Integer: Copy {
    /// Returns the number.
    fn number(self) -> Number;
}

macro_rules! integers {
    ($($signed:ty, $unsigned:ty;)*) => {$(
        impl Integer for $signed {
            #[inline(always)]
            fn number(self) -> Number {
                Number {
                    is_negative: self < 0,
                    magnitude: u64::from(self.unsigned_abs()),
                }
            }
        }

        impl Integer for $unsigned {
            #[inline(always)]
            fn number(self) -> Number {
                Number {
                    is_negative: false,
                    magnitude: u64::from(self),
                }
            }
        }
    )*};
}
integers!(i8, u8; i16, u16; i32, u32; i64, u64;);

impl Integer for isize {
    #[inline(always)]
    fn number(self) -> Number {
        (self as i64).number()
    }
}

impl Integer for usize {
    #[inline(always)]
    fn number(self) -> Number {
        (self as u64).number()
    }
}

impl<T: Integer> Integer for &T {
    #[inline(always)]
    fn number(self) -> Number {
        (*self).number()
    }
}

/// An argument of a macro that prints.
///
/// It says whether the value is a number. rustc looks for a method here first, where only integers
/// have it, and then in [`AnyValue`].
#[doc(hidden)]
pub struct Value<'a, T: ?Sized>(&'a T, AnyValue);

/// An argument of any type.
#[doc(hidden)]
pub struct AnyValue;

impl<'a, T: ?Sized> Value<'a, T> {
    #[inline(always)]
    pub fn new(value: &'a T) -> Self {
        Self(value, AnyValue)
    }
}

impl<T: Integer> Value<'_, T> {
    #[inline(always)]
    pub fn __number(self) -> Option<Number> {
        Some(self.0.number())
    }
}

impl<T: ?Sized> core::ops::Deref for Value<'_, T> {
    type Target = AnyValue;
    #[inline(always)]
    fn deref(&self) -> &AnyValue {
        &self.1
    }
}

impl AnyValue {
    #[inline(always)]
    pub fn __number(&self) -> Option<Number> {
        None
    }
}

/// Creates one record, of texts with NULs between them, where the numbers belong.
#[doc(hidden)]
#[inline(never)]
pub fn print_numbers(level: Level, prefix: &[u8], texts: &'static str, numbers: &[Number]) {
    let mut record = Record::<RECORD_SIZE>::new();
    record.begin(level, prefix);
    let mut texts = texts.as_bytes().split(|&byte| byte == 0);
    record.append(texts.next().unwrap_or_default());
    for (number, text) in numbers.iter().zip(texts) {
        if number.is_negative {
            record.append(b"-");
        }
        record.append(decimal(number.magnitude, &mut [0; 20]));
        record.append(text);
    }
    record.close();
    record.print(level);
}
