// SPDX-License-Identifier: MIT OR Apache-2.0

//! The value has no unsafe code of its own.
#![no_std]
#![forbid(unsafe_code)]

const __LOG_PREFIX: &[u8] = b"case\0";

pub fn zero() -> u8 {
    #[cfg(misuse)]
    return kernel::dbg!(unsafe { core::mem::zeroed() }); //~ unsafe_code
    #[cfg(not(misuse))]
    return kernel::dbg!({ 0 });
}
