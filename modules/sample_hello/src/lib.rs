// SPDX-License-Identifier: GPL-2.0-only

//! Says hello to `whom`, `repeat` times, and holds a buffer while it is loaded.

#![no_std]
#![forbid(unsafe_code)]

use core::fmt;
use kernel::prelude::*;
use kernel::str::BStr;

module! {
    type: SampleHello,
    name: "sample_hello",
    author: "The Koru authors",
    description: "Says hello, with parameters and a buffer",
    license: "GPL",
    version: "1.0",
    params: {
        whom: &'static CStr { default: c"world", perm: 0o444, description: "Whom to greet" },
        repeat: i32 { default: 1, perm: 0o444, description: "How often: 1 to 100 times" },
        buffer_size: u64 { default: 1024, perm: 0o444, description: "The buffer's size in bytes: 1 to 4194304" },
    },
}

/// Prints a message with a tag, so that `koru log --grep 3753:` shows all messages of the module.
macro_rules! say {
    ($print:ident, $format:literal $(, $arg:expr)*) => {
        $print!(concat!("3753: ", $format, "\n") $(, $arg)*)
    };
}

/// The size of the largest buffer, 4 MiB.
const MAX_BUFFER_SIZE: u64 = 4 << 20;

struct SampleHello {
    buffer: KVVec<u8>,
}

impl kernel::Module for SampleHello {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // The parameters are checked first, so that nothing has to be undone.
        let repeat = *module_parameters::repeat.value();
        if !(1..=100).contains(&repeat) {
            say!(pr_err, "repeat is 1 to 100, not {}", repeat);
            return Err(EINVAL);
        }
        let size = *module_parameters::buffer_size.value();
        if !(1..=MAX_BUFFER_SIZE).contains(&size) {
            say!(
                pr_err,
                "buffer_size is 1 to {}, not {}",
                MAX_BUFFER_SIZE,
                size
            );
            return Err(EINVAL);
        }
        // This fails with ENOMEM if there is not enough memory.
        let buffer = filled(usize::try_from(size)?)?;
        say!(pr_info, "filled a buffer of {} bytes", buffer.len());
        for _ in 0..repeat {
            say!(pr_info, "Hello {}", Whom);
        }
        Ok(SampleHello { buffer })
    }
}

/// Allocates a buffer, and fills it with the alphabet.
fn filled(size: usize) -> Result<KVVec<u8>> {
    let alphabet = b"abcdefghijklmnopqrstuvwxyz";
    let mut buffer = KVVec::with_capacity(size, GFP_KERNEL)?;
    while buffer.len() < size {
        let letters = alphabet.len().min(size - buffer.len());
        // This allocates nothing, because there is enough capacity.
        buffer.extend_from_slice(&alphabet[..letters], GFP_KERNEL)?;
    }
    Ok(buffer)
}

impl Drop for SampleHello {
    fn drop(&mut self) {
        say!(pr_info, "Goodbye {}", Whom);
        let buffer = core::mem::take(&mut self.buffer);
        let size = buffer.len();
        drop(buffer);
        say!(pr_info, "freed the buffer of {} bytes", size);
    }
}

/// The parameter `whom`, which comes from user space and may contain any bytes.
struct Whom;

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whom = module_parameters::whom.value();
        match whom.to_str() {
            Ok(text) => f.write_str(text),
            Err(_) => fmt::Display::fmt(BStr::from_bytes(whom.to_bytes()), f),
        }
    }
}
