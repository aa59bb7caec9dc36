// SPDX-License-Identifier: GPL-2.0-only

//! Assertions that are checked at build time.
//!
//! There are three kinds. [`static_assert!`](crate::static_assert!) checks constants.
//! [`const_assert!`](crate::const_assert!) may also use the generic parameters of the function that
//! contains it. [`build_assert!`](crate::build_assert!) may use anything that the optimiser can
//! evaluate: if it cannot prove the condition, the module does not link.

#[doc(inline)]
pub use crate::{build_assert, build_error, const_assert, static_assert};

/// Fails the build if the call is not optimised away.
///
/// # Examples
///
/// ```
/// #[inline]
/// fn index<const N: usize>(at: usize) -> usize {
///     if at >= N {
///         kernel::build_error!("at is out of range");
///     }
///     at
/// }
/// ```
#[macro_export]
macro_rules! build_error {
    () => {{
        $crate::build_assert::build_error("")
    }};
    ($msg:expr) => {{
        $crate::build_assert::build_error($msg)
    }};
}

/// Asserts a condition that the optimiser can prove.
///
/// If it cannot, the module does not link (`undefined symbol rust_build_error`).
///
/// # Examples
///
/// ```
/// #[inline(always)]
/// fn small(n: usize) {
///     kernel::build_assert!(n < 100);
///     kernel::build_assert!(n != 42, "n must not be 42");
/// }
/// # small(1);
/// ```
#[macro_export]
macro_rules! build_assert {
    ($cond:expr $(,)?) => {{
        if !$cond {
            $crate::build_assert::build_error($crate::__core::concat!(
                "assertion failed: ",
                $crate::__core::stringify!($cond)
            ));
        }
    }};
    ($cond:expr, $msg:expr) => {{
        if !$cond {
            $crate::build_assert::build_error($msg);
        }
    }};
}

/// Asserts a constant condition, also outside of functions.
///
/// # Examples
///
/// ```
/// kernel::static_assert!(size_of::<u32>() == 4);
/// kernel::static_assert!(1 + 1 == 2, "arithmetic still works");
/// ```
#[macro_export]
macro_rules! static_assert {
    ($condition:expr $(, $arg:literal)? $(,)?) => {
        const _: () = $crate::__core::assert!($condition $(, $arg)?);
    };
}

/// Asserts a constant condition that may depend on generic parameters.
///
/// # Examples
///
/// ```
/// fn first<const N: usize>(array: [u8; N]) -> u8 {
///     kernel::const_assert!(N > 0);
///     array[0]
/// }
/// # first([1]);
/// ```
#[macro_export]
macro_rules! const_assert {
    ($condition:expr $(, $arg:literal)? $(,)?) => {
        const { $crate::__core::assert!($condition $(, $arg)?) }
    };
}

unsafe extern "C" {
    /// A function that is defined nowhere, so that a call does not link.
    safe fn rust_build_error() -> !;
}

#[doc(hidden)]
#[inline(always)]
pub const fn build_error(msg: &'static str) -> ! {
    // In a constant this is an ordinary panic with the message; at run time the missing symbol is
    // the error.
    const fn at_compile_time(msg: &'static str) -> ! {
        panic!("{}", msg)
    }
    #[inline(always)]
    fn at_run_time(_msg: &'static str) -> ! {
        rust_build_error()
    }
    core::intrinsics::const_eval_select((msg,), at_compile_time, at_run_time)
}
