//! A module's own `kernel` has no part in what is printed by arguments that it wraps.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as real;
extern crate self as kernel;

const __LOG_PREFIX: &[u8] = b"case\0";

#[cfg(misuse)]
pub mod print {
    /// Displays nothing.
    pub struct Escape<T>(pub T);
}
#[cfg(not(misuse))]
pub use real::print;

pub fn tell(number: u32) {
    real::pr_info!("{number}\n"); //~ E0277
}
