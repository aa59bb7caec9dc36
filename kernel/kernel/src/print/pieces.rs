// SPDX-License-Identifier: GPL-2.0-only

//! Messages whose arguments are integers, texts and errors. They need none of core's formatting,
//! which is larger than most modules.

use super::{escape, Level, Record, RECORD_SIZE};
use crate::error::Error;
use crate::ffi::c_int;
use crate::str::{decimal, escape_bytes, BStr};

/// An argument that is printed without core's formatting.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Piece<'a> {
    /// An integer, with zeros before the digits up to `width` characters.
    Integer {
        is_negative: bool,
        magnitude: u64,
        width: u8,
    },
    Text(&'a [u8], Form),
    /// An errno that has no name.
    UnknownError(c_int),
}

impl Piece<'_> {
    /// Returns whether this is an integer without padding, as most arguments are.
    #[inline(always)]
    pub const fn is_plain_integer(&self) -> bool {
        matches!(self, Self::Integer { width: 0, .. })
    }
}

/// How a text is printed.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Form {
    /// As it is.
    Plain,
    /// With escapes for control characters.
    Escaped,
    /// With escapes for bytes that are not printable ASCII.
    Bytes,
}

/// A type that `{}` prints without core's formatting.
#[doc(hidden)]
pub trait Show {
    /// Returns the piece, which has this form if it is UTF-8.
    fn show(&self, form: Form) -> Piece<'_>;
}

/// A type that `{:?}` prints without core's formatting.
#[doc(hidden)]
pub trait ShowDebug {
    /// Returns the piece.
    fn show_debug(&self) -> Piece<'_>;
}

/// A type that `{:03}` prints without core's formatting.
#[doc(hidden)]
pub trait ShowPadded {
    /// Returns the piece.
    fn show_padded(&self, width: u8) -> Piece<'_>;
}

macro_rules! integers {
    ($($signed:ty, $unsigned:ty;)*) => {$(
        impl ShowPadded for $signed {
            #[inline(always)]
            #[allow(clippy::cast_lossless, reason = "`usize` has no conversion that cannot fail")]
            fn show_padded(&self, width: u8) -> Piece<'_> {
                Piece::Integer {
                    is_negative: *self < 0,
                    magnitude: self.unsigned_abs() as u64,
                    width,
                }
            }
        }

        impl ShowPadded for $unsigned {
            #[inline(always)]
            #[allow(clippy::cast_lossless, reason = "`usize` has no conversion that cannot fail")]
            fn show_padded(&self, width: u8) -> Piece<'_> {
                Piece::Integer {
                    is_negative: false,
                    magnitude: *self as u64,
                    width,
                }
            }
        }
        integers!(@all $signed);
        integers!(@all $unsigned);
    )*};
    (@all $ty:ty) => {
        impl Show for $ty {
            #[inline(always)]
            fn show(&self, _form: Form) -> Piece<'_> {
                self.show_padded(0)
            }
        }

        impl ShowDebug for $ty {
            #[inline(always)]
            fn show_debug(&self) -> Piece<'_> {
                self.show_padded(0)
            }
        }
    };
}
integers!(i8, u8; i16, u16; i32, u32; i64, u64; isize, usize;);

impl Show for str {
    #[inline(always)]
    fn show(&self, form: Form) -> Piece<'_> {
        Piece::Text(self.as_bytes(), form)
    }
}

impl Show for BStr {
    #[inline(always)]
    fn show(&self, _form: Form) -> Piece<'_> {
        Piece::Text(self, Form::Bytes)
    }
}

impl ShowDebug for Error {
    #[inline]
    fn show_debug(&self) -> Piece<'_> {
        match self.name() {
            Some(name) => Piece::Text(name.to_bytes(), Form::Plain),
            None => Piece::UnknownError(-self.to_errno()),
        }
    }
}

impl<T: Show + ?Sized> Show for &T {
    #[inline(always)]
    fn show(&self, form: Form) -> Piece<'_> {
        (**self).show(form)
    }
}

impl<T: ShowDebug + ?Sized> ShowDebug for &T {
    #[inline(always)]
    fn show_debug(&self) -> Piece<'_> {
        (**self).show_debug()
    }
}

impl<T: ShowPadded + ?Sized> ShowPadded for &T {
    #[inline(always)]
    fn show_padded(&self, width: u8) -> Piece<'_> {
        (**self).show_padded(width)
    }
}

/// An argument of a macro that prints.
///
/// It says whether core's formatting is needed. rustc looks for a method here first, where only
/// the types above have it, and then in [`AnyValue`].
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

impl<'a, T: Show + ?Sized> Value<'a, T> {
    #[inline(always)]
    pub fn __show(self, form: Form) -> Option<Piece<'a>> {
        Some(self.0.show(form))
    }
}

impl<'a, T: ShowDebug + ?Sized> Value<'a, T> {
    #[inline(always)]
    pub fn __show_debug(self) -> Option<Piece<'a>> {
        Some(self.0.show_debug())
    }
}

impl<'a, T: ShowPadded + ?Sized> Value<'a, T> {
    #[inline(always)]
    pub fn __show_padded(self, width: u8) -> Option<Piece<'a>> {
        Some(self.0.show_padded(width))
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
    pub fn __show(&self, _form: Form) -> Option<Piece<'static>> {
        None
    }

    #[inline(always)]
    pub fn __show_debug(&self) -> Option<Piece<'static>> {
        None
    }

    #[inline(always)]
    pub fn __show_padded(&self, _width: u8) -> Option<Piece<'static>> {
        None
    }
}

/// Writes texts with NULs between them, where the pieces belong.
///
/// `ONLY_INTEGERS` says that all are plain integers, so that a module that prints nothing else has no
/// code for it. Nothing is called through a pointer, because handlers may print.
pub(crate) fn write_pieces<const ONLY_INTEGERS: bool>(
    texts: &'static str,
    pieces: &[Piece<'_>],
    mut sink: impl FnMut(&[u8]),
) {
    let mut texts = texts.as_bytes().split(|&byte| byte == 0);
    if let Some(text @ [_, ..]) = texts.next() {
        sink(text);
    }
    for (piece, text) in pieces.iter().zip(texts) {
        match *piece {
            Piece::Integer {
                is_negative,
                magnitude,
                width,
            } => {
                let mut digits = [0; 20];
                let digits = decimal(magnitude, &mut digits);
                if is_negative {
                    sink(b"-");
                }
                if !ONLY_INTEGERS {
                    for _ in digits.len() + usize::from(is_negative)..usize::from(width) {
                        sink(b"0");
                    }
                }
                sink(digits);
            }
            _ if ONLY_INTEGERS => {}
            Piece::Text(text, form) => match form {
                Form::Plain => sink(text),
                Form::Escaped => escape(text, false, &mut sink),
                Form::Bytes => escape_bytes(text, false, &mut sink),
            },
            Piece::UnknownError(errno) => {
                sink(b"Error(");
                sink(decimal(errno.unsigned_abs().into(), &mut [0; 20]));
                sink(b")");
            }
        }
        if !text.is_empty() {
            sink(text);
        }
    }
}

/// Creates one record of plain integers, and texts with NULs between them.
#[doc(hidden)]
#[inline(never)]
pub fn print_integers(level: Level, prefix: &[u8], texts: &'static str, pieces: &[Piece<'_>]) {
    print_all::<true>(level, prefix, texts, pieces);
}

/// Creates one record of pieces, and texts with NULs between them.
#[doc(hidden)]
#[inline(never)]
pub fn print_pieces(level: Level, prefix: &[u8], texts: &'static str, pieces: &[Piece<'_>]) {
    print_all::<false>(level, prefix, texts, pieces);
}

#[inline(always)]
fn print_all<const ONLY_INTEGERS: bool>(
    level: Level,
    prefix: &[u8],
    texts: &'static str,
    pieces: &[Piece<'_>],
) {
    let mut record = Record::<RECORD_SIZE>::new();
    record.begin(level, prefix);
    write_pieces::<ONLY_INTEGERS>(texts, pieces, |part| record.append(part));
    record.close();
    record.print(level);
}
