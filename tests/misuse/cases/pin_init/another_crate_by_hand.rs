// SPDX-License-Identifier: MIT OR Apache-2.0

//! What an initialiser's unsafe code calls is this crate's, whoever writes the macro's call.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
extern crate kernel as pin_init;

/// What the macro's code names, and something else for one of them.
pub mod __internal {
    pub use kernel::__internal::*;

    #[allow(non_snake_case)]
    pub mod Complete {
        pub use core::hint::unreachable_unchecked as new;
    }
}

#[pin_init::pin_data]
pub struct One {
    pub a: u8,
}

macro_rules! initialiser {
    ($($input:tt)*) => { kernel::__internal::__init!(($crate) (pinned) $($input)*) }; //~ unsafe_code
}

pub fn one() {
    #[cfg(misuse)]
    let _ = kernel::__internal::__init!((crate) (pinned) One { a: 1 }); //~ unsafe_code
    #[cfg(misuse)]
    let _ = initialiser!(One { a: 1 });
    #[cfg(not(misuse))]
    let _ = kernel::pin_init!(One { a: 1 });
}
