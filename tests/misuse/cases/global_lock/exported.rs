// SPDX-License-Identifier: MIT OR Apache-2.0

//! The static's attributes give it no symbol: the loader would call the value.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(misuse)]
kernel::sync::global_lock! {
    #[export_name = "cleanup_module"] //~ "no rules expected"
    static CODE: Mutex<[u8; 4]> = [0xcc; 4];
}
#[cfg(misuse)]
kernel::sync::global_lock! {
    #[cfg_attr(all(), no_mangle)] //~ "no rules expected"
    static OTHER: Mutex<[u8; 4]> = [0xcc; 4];
}
kernel::sync::global_lock! {
    /// Some bytes.
    #[allow(dead_code)]
    static BYTES: Mutex<[u8; 4]> = [0xcc; 4];
}
