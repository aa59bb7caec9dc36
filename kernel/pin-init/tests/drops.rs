// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks that each value that was made is dropped once, whatever ends an initialiser early.

use core::{cell::RefCell, marker::PhantomPinned, mem::MaybeUninit, pin::Pin, ptr};
use std::{
    panic::{catch_unwind, AssertUnwindSafe},
    rc::Rc,
};

use pin_init::{
    init, init_array_from_fn, init_scope, pin_data, pin_init, pin_init_array_from_fn,
    pin_init_scope, pinned_drop, stack_pin_init, stack_try_pin_init, InPlaceWrite, Init, PinInit,
    Zeroable,
};

/// The events, in order.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn say(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    fn taken(&self) -> Vec<String> {
        self.0.take()
    }

    fn noisy(&self, name: &'static str) -> Noisy {
        self.say(format!("+{name}"));
        Noisy {
            name,
            log: self.clone(),
        }
    }
}

struct Noisy {
    name: &'static str,
    log: Log,
}

impl Drop for Noisy {
    fn drop(&mut self) {
        self.log.say(format!("-{}", self.name));
    }
}

/// A struct of three fields, the second of which is pinned and records its address.
#[pin_data(PinnedDrop)]
struct Three {
    a: Noisy,
    #[pin]
    b: Placed,
    c: Noisy,
}

#[pinned_drop]
impl PinnedDrop for Three {
    fn drop(self: Pin<&mut Self>) {
        self.a.log.say("-three");
    }
}

#[pin_data(PinnedDrop)]
struct Placed {
    noisy: Noisy,
    place: usize,
    #[pin]
    _pin: PhantomPinned,
}

impl Placed {
    fn new(noisy: Noisy) -> impl PinInit<Self> {
        pin_init!(&this in Self {
            noisy,
            place: this.as_ptr() as usize,
            _pin: PhantomPinned,
        })
    }
}

#[pinned_drop]
impl PinnedDrop for Placed {
    fn drop(self: Pin<&mut Self>) {
        assert_eq!(self.place, ptr::from_ref(&*self).addr());
    }
}

/// The field at which the initialiser ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Never,
    First,
    Second,
    Third,
    Block,
}

/// The way in which it ends.
#[derive(Clone, Copy, Debug)]
enum How {
    Return,
    Question,
    Panic,
    Init,
}

fn end(how: How) -> Result<(), &'static str> {
    match how {
        How::Panic => panic!("asked to"),
        _ => Err("asked to"),
    }
}

fn three(log: Log, at: End, how: How) -> impl PinInit<Three, &'static str> {
    let check = move |here: End| if at == here { end(how) } else { Ok(()) };
    let fails = move |here: End| at == here && matches!(how, How::Return);
    pin_init!(Three {
        a: {
            if fails(End::First) {
                return Err("asked to");
            }
            check(End::First)?;
            log.noisy("a")
        },
        b <- pin_init_scope(|| {
            check(End::Second)?;
            Ok(never_fails(Placed::new(log.noisy("b"))))
        }),
        _: {
            if fails(End::Block) {
                return Err("asked to");
            }
            check(End::Block)?;
        },
        c <- {
            if fails(End::Third) {
                return Err("asked to");
            }
            let made: Result<Noisy, &'static str> = match check(End::Third) {
                Ok(()) => Ok(log.noisy("c")),
                Err(e) => Err(e),
            };
            made
        },
    }? &'static str)
}

/// Gives another error type to an initialiser that never fails.
fn never_fails<T, E>(init: impl PinInit<T>) -> impl PinInit<T, E> {
    // SAFETY: it is the inner initialiser, whose error does not exist.
    unsafe {
        pin_init::pin_init_from_closure(|slot| {
            let Ok(()) = init.__pinned_init(slot);
            Ok(())
        })
    }
}

#[test]
fn struct_at_every_end() {
    let expected = |at| match at {
        End::Never => vec!["+a", "+b", "+c", "-three", "-a", "-b", "-c"],
        End::First => vec![],
        End::Second => vec!["+a", "-a"],
        End::Block | End::Third => vec!["+a", "+b", "-b", "-a"],
    };
    for at in [End::Never, End::First, End::Second, End::Block, End::Third] {
        for how in [How::Return, How::Question, How::Panic, How::Init] {
            let log = Log::default();
            let init = three(log.clone(), at, how);
            let result = catch_unwind(AssertUnwindSafe(|| {
                stack_try_pin_init!(let three = init);
                assert_eq!(three.is_ok(), at == End::Never);
            }));
            let panics = at != End::Never && matches!(how, How::Panic);
            assert_eq!(result.is_err(), panics, "{at:?} {how:?}");
            assert_eq!(log.taken(), expected(at), "{at:?} {how:?}");
        }
    }
}

#[test]
fn moved_struct() {
    struct Two {
        a: Noisy,
        b: Noisy,
    }
    fn two(log: &Log, fail: bool) -> impl Init<Two, ()> + '_ {
        init!(Two {
            a: log.noisy("a"),
            _: { a.name = "renamed" },
            b: if fail { return Err(()) } else { log.noisy("b") },
        }? ())
    }
    let log = Log::default();
    {
        stack_try_pin_init!(let made = two(&log, false));
        let made = made.unwrap();
        assert_eq!((made.a.name, made.b.name), ("renamed", "b"));
    }
    assert_eq!(log.taken(), ["+a", "+b", "-renamed", "-b"]);
    {
        stack_try_pin_init!(let made = two(&log, true));
        assert!(made.is_err());
    }
    assert_eq!(log.taken(), ["+a", "-renamed"]);
}

/// Checks arrays that fail or panic at each element, also of types without a size and with a large
/// alignment.
#[test]
fn arrays() {
    #[repr(align(256))]
    struct Aligned(Noisy);
    const N: usize = 4;
    for at in 0..=N {
        for panics in [false, true] {
            let log = &Log::default();
            let stop = |i| match (i == at, panics) {
                (false, _) => Ok(()),
                (true, false) => Err(()),
                (true, true) => panic!("asked to"),
            };
            let moved = init_array_from_fn(|i| {
                init_scope(move || stop(i).map(|()| Ok(Aligned(log.noisy("x")))))
            });
            let _ = catch_unwind(AssertUnwindSafe(|| {
                stack_try_pin_init!(let array: [Aligned; N] = moved);
                assert_eq!(array.is_ok(), at == N);
                for element in array.iter().flat_map(|array| array.iter()) {
                    assert_eq!(ptr::from_ref(element).addr() % 256, 0);
                    assert_eq!(element.0.name, "x");
                }
            }));
            let said = log.taken();
            assert_eq!(said, [vec!["+x"; at], vec!["-x"; at]].concat());

            let pinned = pin_init_array_from_fn(|i| {
                pin_init_scope(move || {
                    stop(i).map(|()| {
                        never_fails(pin_init!(Boxed { placed <- Placed::new(log.noisy("y")) }))
                    })
                })
            });
            let _ = catch_unwind(AssertUnwindSafe(|| {
                stack_try_pin_init!(let array: [Boxed; N] = pinned);
                assert_eq!(array.is_ok(), at == N);
            }));
            let said = log.taken();
            assert_eq!(said, [vec!["+y"; at], vec!["-y"; at]].concat());
        }
    }

    #[pin_data]
    struct Boxed {
        #[pin]
        placed: Placed,
    }

    use core::cell::Cell;
    thread_local!(static LEFT: Cell<usize> = const { Cell::new(0) });
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {
            LEFT.set(LEFT.get() - 1);
        }
    }
    stack_try_pin_init!(let nothings: [Nothing; 9] = init_array_from_fn(|i| {
        if i == 7 {
            return Err(());
        }
        LEFT.set(LEFT.get() + 1);
        Ok(Nothing)
    }));
    assert!(nothings.is_err());
    assert_eq!(LEFT.get(), 0);
    stack_try_pin_init!(let empty: [Nothing; 0] = init_array_from_fn(|_| Err(())));
    assert!(empty.is_ok());
}

#[test]
fn chains() {
    let log = Log::default();
    {
        stack_try_pin_init!(let no: Noisy = Ok(log.noisy("a")).chain(|_| Err("no")));
        assert_eq!(no.err(), Some("no"));
    }
    assert_eq!(log.taken(), ["+a", "-a"]);
    let init = Placed::new(log.noisy("b")).pin_chain(|_| panic!("asked to"));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        stack_pin_init!(let _never: Placed = init);
    }));
    assert!(panicked.is_err());
    assert_eq!(log.taken(), ["+b", "-b"]);
}

/// Checks that an initialiser which is never run drops what it holds, and makes nothing.
#[test]
fn not_run() {
    let log = Log::default();
    let held = log.noisy("held");
    drop(init!(Held { noisy: held }));
    assert_eq!(log.taken(), ["+held", "-held"]);
    let made = log.clone();
    drop(init!(Held {
        noisy: made.noisy("never")
    }));
    assert_eq!(log.taken(), [""; 0]);

    struct Held {
        #[allow(dead_code, reason = "it is there to be dropped")]
        noisy: Noisy,
    }
}

/// Checks that the zeros which are written first are not dropped as values.
#[test]
fn zeroed_tail() {
    #[derive(Zeroable)]
    struct Tail<'a> {
        number: u32,
        bytes: [u8; 7],
        next: Option<&'a u32>,
        maybe: MaybeUninit<u64>,
    }
    let five = &5;
    stack_try_pin_init!(let tail = init!(Tail {
        number: 9,
        next: Some(five),
        _: { *number += 1 },
        ..Zeroable::init_zeroed()
    }? ()));
    let tail = tail.unwrap();
    assert_eq!((tail.number, tail.bytes, tail.next), (10, [0; 7], Some(&5)));
    let _ = tail.maybe;
}

#[test]
fn place_that_lives_for_ever() {
    let log = Log::default();
    let place: &'static mut MaybeUninit<Placed> = Box::leak(Box::new(MaybeUninit::uninit()));
    let address = place.as_ptr() as usize;
    let Ok(placed) = place.write_pin_init(Placed::new(log.noisy("a")));
    assert_eq!(placed.place, address);
    assert_eq!(log.taken(), ["+a"]);
    let place: &'static mut MaybeUninit<Noisy> = Box::leak(Box::new(MaybeUninit::uninit()));
    assert!(place.write_init(Err::<Noisy, _>("no")).is_err());
}
