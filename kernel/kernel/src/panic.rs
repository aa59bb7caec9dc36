// SPDX-License-Identifier: GPL-2.0-only

//! What happens when Rust code panics, and what core wants of the machine.

use crate::bindings;
use crate::module::name::module_name;
use crate::print::{print_text, Level, Record, MAX_MESSAGE};
use core::fmt::Write;
use core::panic::PanicInfo;

/// One record that says where and why, then the kernel's own BUG.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let mut record = Record::<MAX_MESSAGE>::new();
    let module = module_name();
    let _ = write!(record, "rust_kernel: {module} panicked");
    if let Some(place) = info.location() {
        let _ = write!(record, " at {place}");
    }
    let _ = writeln!(record, ": {}", info.message());
    record.close();
    print_text(Level::Emerg, record.text());
    // SAFETY: `BUG()` takes nothing and may be used in every context. It does not return, as
    // the declaration says.
    unsafe { bindings::koru_bug() }
}

/// Division of `u128`, which core's formatting of it calls and the kernel does
/// not have. One bit at a time: nothing hot divides these.
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
