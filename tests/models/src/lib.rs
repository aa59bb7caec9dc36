// SPDX-License-Identifier: MIT OR Apache-2.0

//! A model of the `kernel` crate, as far as some modules use it, on loom's locks and threads.
//!
//! The tests compile a module's own source, not a copy, and loom runs it in every order in which
//! its threads can continue; see [`model`] for how a test is written. What the kernel itself does -
//! an unload that waits for calls, a copy that faults - is not here: that is tested in a guest.
#![forbid(unsafe_code)]

// These files are the kernel crate's own, where they need nothing else of that crate.
#[path = "../../../kernel/kernel/src/str/array_string.rs"]
mod array_string;

pub mod alloc;
pub mod error;
pub mod init;
pub mod kthread;
pub mod model;
pub mod pid;
pub mod proc_fs;
pub mod sync;
pub mod task;
pub mod uaccess;

/// Time: waits end at once, and the clock advances when it is read.
pub mod time {
    use std::{cell::Cell, marker::PhantomData, ops::Sub};

    pub const NSEC_PER_SEC: i64 = 1_000_000_000;

    thread_local! {
        static CLOCK: Cell<i64> = const { Cell::new(0) };
    }

    #[derive(Clone, Copy)]
    pub struct RealTime;

    #[derive(Clone, Copy)]
    pub struct Instant<C>(i64, PhantomData<C>);

    impl Instant<RealTime> {
        pub fn now() -> Self {
            CLOCK.set(CLOCK.get() + NSEC_PER_SEC / 2);
            Instant(CLOCK.get(), PhantomData)
        }

        pub fn as_nanos(&self) -> i64 {
            self.0
        }
    }

    impl Sub for Instant<RealTime> {
        type Output = Delta;
        fn sub(self, other: Self) -> Delta {
            Delta(self.0 - other.0)
        }
    }

    #[derive(Clone, Copy)]
    pub struct Delta(i64);

    impl Delta {
        pub fn from_millis(millis: i64) -> Delta {
            Delta(millis * 1_000_000)
        }

        pub fn as_nanos(self) -> i64 {
            self.0
        }
    }
}

pub mod fs {
    pub struct File;

    pub mod file {
        pub type Offset = i64;
    }
}

pub struct ThisModule;

pub trait InPlaceModule: Sized {
    fn init(module: &'static ThisModule) -> impl init::PinInit<Self, error::Error>;
}

pub trait Module: Sized + Send {
    fn init(module: &'static ThisModule) -> error::Result<Self>;
}

impl<T: Module> InPlaceModule for T {
    fn init(module: &'static ThisModule) -> impl init::PinInit<Self, error::Error> {
        init::Init::new(move || <T as Module>::init(module))
    }
}

/// The kernel log.
pub mod print {
    use std::cell::RefCell;

    thread_local! {
        static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    pub fn print(text: String) {
        LOG.with_borrow_mut(|log| log.push(text));
    }

    /// Returns the messages that were logged since the last call.
    pub fn taken() -> Vec<String> {
        LOG.take()
    }
}

#[macro_export]
macro_rules! pr_info {
    ($($text:tt)*) => { $crate::print::print(format!($($text)*)) };
}

#[macro_export]
macro_rules! pr_err {
    ($($text:tt)*) => { $crate::print::print(format!($($text)*)) };
}

pub mod str {
    pub use crate::array_string::ArrayString;
    use zerocopy::{FromBytes, Immutable, KnownLayout};

    /// Text that may contain any bytes.
    #[derive(FromBytes, Immutable, KnownLayout)]
    #[repr(C)]
    pub struct BStr([u8]);

    impl BStr {
        pub fn from_bytes(bytes: &[u8]) -> &BStr {
            BStr::ref_from_bytes(bytes).expect("any bytes are")
        }
    }

    impl core::fmt::Display for BStr {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            self.0.escape_ascii().fmt(f)
        }
    }
}

/// A module parameter, whose value is the default.
pub struct Parameter<T>(pub T);

impl<T> Parameter<T> {
    pub fn value(&self) -> &T {
        &self.0
    }
}

pub mod prelude {
    pub use crate::{
        alloc::{KBox, KVVec, KVec, GFP_KERNEL, GFP_KERNEL_ACCOUNT},
        current,
        error::{code::*, Error, Result},
        init::{InPlaceInit, PinInit},
        module, pin_init, pr_err, pr_info, try_pin_init, ThisModule,
    };
    pub use core::{ffi::CStr, pin::Pin};
    pub use koru_macros::vtable;
    pub use pin_init::pin_data;
}

/// Adds a function to the enclosing module that loads it.
#[macro_export]
macro_rules! module {
    (
        type: $type:ty,
        name: $name:literal,
        author: $author:literal,
        description: $description:literal,
        license: $license:literal,
        version: $version:literal,
        $(params: { $($param:ident: $of:ty {
            default: $default:expr $(, $option:ident: $value:expr)* $(,)?
        }),* $(,)? },)?
    ) => {
        #[allow(
            dead_code,
            non_upper_case_globals,
            reason = "they have their parameters' names"
        )]
        mod module_parameters {
            #[allow(unused_imports, reason = "types may be named by paths")]
            use $crate::prelude::*;
            $($(pub static $param: $crate::Parameter<$of> = $crate::Parameter($default);)*)?
        }

        /// Loads the module, which stays loaded while the value exists.
        pub fn load() -> $crate::error::Result<impl Sized> {
            let init = <$type as $crate::InPlaceModule>::init(&$crate::ThisModule);
            $crate::init::make(init)
        }
    };
}
