// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests `sample_hello` without memory for its buffer, which is always available in a guest.

#[allow(
    unused_attributes,
    dead_code,
    reason = "it is a crate's file, of which this uses a part"
)]
#[path = "../../../modules/sample_hello/src/lib.rs"]
mod sample_hello;

use kernel::{error::code::ENOMEM, model::with_memory_for, print};

#[test]
fn no_memory_for_the_buffer() {
    let error = with_memory_for(0, || sample_hello::load().err());
    assert_eq!(error, Some(ENOMEM));
    assert_eq!(print::taken(), [""; 0], "neither a greeting nor a goodbye");
    let module = sample_hello::load().expect("it loads");
    drop(module);
    assert_eq!(
        print::taken(),
        [
            "3753: filled a buffer of 1024 bytes\n",
            "3753: Hello world\n",
            "3753: Goodbye world\n",
            "3753: freed the buffer of 1024 bytes\n",
        ]
    );
}
