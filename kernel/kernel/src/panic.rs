// SPDX-License-Identifier: GPL-2.0-only

//! The panic handler, and functions of the compiler's runtime that core needs.

use crate::bindings;
use crate::module::name::module_name;
use crate::print::{print_text, Level, Record, MAX_MESSAGE};
use core::fmt::Write;
use core::panic::PanicInfo;

/// Prints one record with the place and the message, and then is a BUG.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let mut record = Record::<{ MAX_MESSAGE + 1 }>::new();
    let module = module_name();
    let _ = write!(record, "rust_kernel: {module} panicked");
    if let Some(place) = info.location() {
        let _ = write!(record, " at {place}");
    }
    let _ = writeln!(record, ": {}", info.message());
    record.close();
    print_text(Level::Emerg, record.text());
    // SAFETY: `BUG()` takes no argument, may be used in any context, and does not return, as it is
    // declared.
    unsafe { bindings::koru_bug() }
}

/// Divides a `u128`, for core's formatting of it; the kernel has no such function.
///
/// It computes one bit at a time, because no hot path divides these.
fn divide(mut n: u128, d: u128) -> (u128, u128) {
    let (mut quotient, mut remainder) = (0u128, 0u128);
    for _ in 0..u128::BITS {
        remainder = remainder << 1 | n >> 127;
        n <<= 1;
        quotient <<= 1;
        if remainder >= d {
            remainder -= d;
            quotient |= 1;
        }
    }
    (quotient, remainder)
}

#[no_mangle]
extern "C" fn __udivti3(n: u128, d: u128) -> u128 {
    divide(n, d).0
}

#[no_mangle]
extern "C" fn __umodti3(n: u128, d: u128) -> u128 {
    divide(n, d).1
}
