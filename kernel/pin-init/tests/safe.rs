// SPDX-License-Identifier: MIT OR Apache-2.0

//! A crate that forbids unsafe code uses all macros; what it writes is not unsafe.
#![forbid(unsafe_code)]
#![deny(warnings)]

use core::{marker::PhantomPinned, pin::Pin};

use pin_init::{
    assert_pinned, init, pin_data, pin_init, pinned_drop, stack_pin_init, stack_try_pin_init, Init,
    MaybeZeroable, PinInit, Zeroable,
};

#[pin_data(PinnedDrop)]
struct Everything<'a, T: Clone, const N: usize>
where
    T: Default,
{
    #[pin]
    first: [T; N],
    name: &'a str,
    #[pin]
    _pin: PhantomPinned,
    own: Option<&'a Self>,
    #[cfg(any())]
    never: NoSuchType,
    #[cfg_attr(all(), pin)]
    last: u8,
}

#[pinned_drop]
impl<T: Clone, const N: usize> PinnedDrop for Everything<'_, T, N>
where
    T: Default,
{
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        let _: Pin<&mut u8> = this.last;
        *this.name = "";
    }
}

assert_pinned!(Everything<'static, u32, 4>, first, [u32; 4]);
assert_pinned!(Everything<'static, u32, 4>, last, u8);

impl<'a, T: Clone + Default, const N: usize> Everything<'a, T, N> {
    fn new(name: &'a str, value: T) -> impl PinInit<Self, String> + use<'a, T, N> {
        pin_init!(&this in Self {
            first <- pin_init::pin_init_array_from_fn(move |_| Ok::<_, String>(value.clone())),
            _: { assert_ne!(this.as_ptr() as usize, 0) },
            name,
            _pin: PhantomPinned,
            own: None,
            #[cfg(any())]
            never: no_such_value(),
            last: name.len().try_into().map_err(|_| "long".to_string())?,
        }? String)
    }
}

#[derive(Zeroable)]
struct Zero<T> {
    a: u32,
    b: T,
}

#[derive(MaybeZeroable)]
struct Maybe(Vec<u8>);

#[test]
fn all_macros() {
    stack_try_pin_init!(let some = Everything::<u32, 4>::new("name", 5));
    let mut some = some.unwrap();
    assert_eq!(some.first, [5; 4]);
    assert_eq!((some.name, some.last), ("name", 4));
    assert!(some.own.is_none());
    let fields = some.as_mut().project();
    *fields.name = "other";
    assert_eq!(some.name, "other");

    let long = "x".repeat(300);
    stack_try_pin_init!(let none = Everything::<u8, 1>::new(&long, 5));
    assert_eq!(none.err().as_deref(), Some("long"));

    stack_pin_init!(let zero = init!(Zero::<u8> { a: 1, ..Zeroable::init_zeroed() }));
    assert_eq!((zero.a, zero.b), (1, 0));
    assert_eq!(Maybe(vec![]).0.len(), 0);
}

/// The struct's `Unpin` is that of its pinned fields.
#[test]
fn unpin() {
    #[pin_data]
    struct Movable {
        pinless: PhantomPinned,
        #[pin]
        number: u8,
    }
    #[pin_data]
    struct Generic<T> {
        #[pin]
        value: T,
    }
    fn is_unpin<T: Unpin>(_: &T) {}
    let movable = Movable {
        pinless: PhantomPinned,
        number: 1,
    };
    is_unpin(&movable);
    let _ = (movable.pinless, movable.number);
    let generic = Generic { value: 5 };
    is_unpin(&generic);
    let _ = generic.value;
}

/// No name of the macros' meets one of the user's.
#[test]
#[allow(non_snake_case, reason = "the names are those that a macro might use")]
fn hygiene() {
    #[pin_data]
    struct Names {
        __slot: u8,
        __fields: u8,
        __closure: u8,
        __value: u8,
        slot: u8,
        data: u8,
        this: u8,
        init: u8,
        clone: u8,
        markers: u8,
        r#type: u8,
        Upper: u8,
    }
    let (__slot, __fields, __closure, __value) = (1, 2, 3, 4);
    let (slot, data, init, val, Upper) = (5, 6, 7, 8, 9);
    let __guard_of_slot = 10;
    let r#type = 11;
    stack_pin_init!(let names = pin_init!(&this in Names {
        __slot,
        __fields,
        __closure,
        __value,
        slot: slot + __guard_of_slot,
        data,
        this: u8::from(this.is_aligned()),
        init,
        clone: val,
        markers: 0,
        r#type,
        Upper,
    }));
    let Names {
        __slot,
        __fields,
        __closure,
        __value,
        slot,
        data,
        this,
        init,
        clone,
        markers,
        r#type,
        Upper,
    } = *names;
    let all = [
        __slot, __fields, __closure, __value, slot, data, this, init, clone, markers, r#type, Upper,
    ];
    assert_eq!(all, [1, 2, 3, 4, 15, 6, 1, 7, 8, 0, 11, 9]);
}

/// What the standard library calls something else here is not what the macros use.
mod shadowed {
    #![allow(
        non_camel_case_types,
        non_snake_case,
        dead_code,
        reason = "the names are there to be in the way"
    )]
    pub struct Result;
    pub struct Option;
    pub fn Ok() {}
    pub fn Err() {}
    pub fn drop() {}
    pub mod core {}
    pub mod pin_init {}
    pub mod std {}
    pub trait Drop {}
    pub trait Unpin {}
    pub trait Sized {}

    #[::pin_init::pin_data(PinnedDrop)]
    pub struct Strange {
        #[pin]
        pub number: u8,
        pub other: u8,
    }

    #[::pin_init::pinned_drop]
    impl ::pin_init::PinnedDrop for Strange {
        fn drop(self: ::core::pin::Pin<&mut Self>) {}
    }

    #[::pin_init::pin_data]
    pub struct Plain {
        #[pin]
        pub number: u8,
    }

    #[derive(::pin_init::Zeroable)]
    pub struct Zero {
        pub number: u8,
    }

    pub fn strange() -> u8 {
        ::pin_init::stack_pin_init!(let it = ::pin_init::pin_init!(Strange {
            number <- ::pin_init::init_zeroed(),
            other: 5,
        }));
        ::pin_init::stack_pin_init!(let plain = ::pin_init::pin_init!(Plain { number: 1 }));
        ::pin_init::stack_pin_init!(let zero = ::pin_init::init!(Zero {
            ..Zeroable::init_zeroed()
        }));
        it.other + plain.number + zero.number
    }
}

#[test]
fn names_of_the_standard_library() {
    assert_eq!(shadowed::strange(), 6);
}

/// A user's macro passes pieces on.
#[test]
fn through_a_macro() {
    macro_rules! make {
        ($vis:vis struct $name:ident { $($field:ident: $type:ty = $value:expr),* $(,)? } as $path:path) => {{
            #[pin_data]
            $vis struct $name { $($field: $type),* }
            pin_init!($path { $($field: $value),* }? ())
        }};
    }
    stack_try_pin_init!(let made = make!(pub(crate) struct Made {
        a: u8 = 1 + 2,
        b: [u8; 2] = [3; 2],
    } as Made));
    let made = made.unwrap();
    assert_eq!((made.a, made.b), (3, [3; 2]));
}

/// Types that stand only for other types.
#[test]
fn aliases() {
    #[pin_data]
    struct Pair<A, B> {
        a: A,
        b: B,
    }
    type Same<T> = Pair<T, T>;
    mod inner {
        pub use super::aliases_inner::*;
    }
    stack_pin_init!(let same = pin_init!(Same::<u8> { a: 1, b: 2 }));
    assert_eq!(same.a + same.b, 3);
    stack_pin_init!(let inferred = pin_init!(Pair { a: "x", b: 2u64 }));
    assert_eq!((inferred.a, inferred.b), ("x", 2));
    stack_pin_init!(let other = init!(inner::Other { c: 1 }));
    assert_eq!(other.c, 1);
}

mod aliases_inner {
    pub struct Other {
        pub c: i32,
    }
}

#[test]
fn default_error() {
    fn fails() -> impl Init<u8, u8> {
        Err(4)
    }
    struct Wrapped {
        value: u8,
    }
    let wrapped = || {
        init!(
            #[default_error(u8)]
            Wrapped { value <- fails() }
        )
    };
    stack_try_pin_init!(let none = wrapped());
    assert_eq!(none.map(|w| w.value), Err(4));
    let wider = init!(
        #[default_error(u8)]
        Wrapped { value <- fails() }? u16
    );
    stack_try_pin_init!(let none = wider);
    assert_eq!(none.err(), Some(4u16));
}

#[test]
fn coercions_in_values() {
    struct Wide<'a> {
        bytes: &'a [u8],
        shown: Box<dyn core::fmt::Display>,
        f: fn(u8) -> u8,
    }
    stack_pin_init!(let wide = init!(Wide { bytes: &[1, 2], shown: Box::new(5), f: |x| x + 1 }));
    assert_eq!(wide.bytes.len(), 2);
    assert_eq!(wide.shown.to_string(), "5");
    assert_eq!((wide.f)(1), 2);
}
