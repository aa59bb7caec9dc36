// SPDX-License-Identifier: GPL-2.0-only

//! Breaks one of Rust's rules about memory when it is loaded, as `fault` says.
//!
//! KASAN must report the function and the line that does it. Nobody else uses the memory that is
//! accessed, so a kernel without KASAN notices nothing.

#![no_std]
// This is the only module with unsafe code, because safe code can do none of this.
#![allow(unsafe_code, reason = "the bug that KASAN has to find is made here")]

use core::hint::black_box;
use kernel::prelude::*;

module! {
    type: Broken,
    name: "kt_kasan",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        fault: &'static CStr { default: c"", description: "heap, freed, stack or global" },
    },
}

struct Broken;

impl kernel::Module for Broken {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        match module_parameters::fault.value().to_bytes() {
            b"" => {}
            b"heap" => past_the_end_of_the_heap()?,
            b"freed" => after_the_free()?,
            b"stack" => past_the_end_of_the_stack(),
            b"global" => past_the_end_of_a_global(),
            _ => return Err(EINVAL),
        }
        Ok(Broken)
    }
}

/// Writes past an allocation, whose size class has 8 more bytes.
#[inline(never)]
fn past_the_end_of_the_heap() -> Result {
    let mut values = KBox::new([7u8; 24], GFP_KERNEL)?;
    let end = black_box(values.as_mut_ptr().wrapping_add(24));
    // SAFETY: none: `end` is past the allocation. It is inside of the object of kmalloc-32, which
    // nobody else uses.
    unsafe { end.write_volatile(8) };
    Ok(())
}

#[inline(never)]
fn after_the_free() -> Result {
    let values = KBox::new([7u8; 24], GFP_KERNEL)?;
    let first = black_box(values.as_ptr());
    drop(values);
    // SAFETY: none: the allocation was freed. The kernel's own memory stays mapped, so the read
    // succeeds.
    unsafe { first.read_volatile() };
    Ok(())
}

#[inline(never)]
fn past_the_end_of_the_stack() {
    let mut values = [7u8; 40];
    let end = black_box(values.as_mut_ptr().wrapping_add(40));
    // SAFETY: none: `end` is past the array, though still on this thread's stack.
    unsafe { end.read_volatile() };
    black_box(&mut values);
}

#[inline(never)]
fn past_the_end_of_a_global() {
    static VALUES: [u8; 40] = [7; 40];
    let end = black_box(VALUES.as_ptr().wrapping_add(40));
    // SAFETY: none: `end` is past the array, though still in this module's data.
    unsafe { end.read_volatile() };
}
