// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests `hello_proc` under every order of its readers and writers.

#[allow(
    unused_attributes,
    dead_code,
    reason = "it is a crate's file, of which this uses a part"
)]
#[path = "../../../modules/hello_proc/src/lib.rs"]
mod hello_proc;

use kernel::model::{every_order, open, process};

const FILE: &std::ffi::CStr = c"hello";
const MESSAGES: [&[u8]; 3] = [b"Hello World\n", b"a longer message", b"short"];

/// While two threads write, one that reads in pieces gets one whole message. The last message stays.
#[test]
fn a_reader_gets_one_whole_message() {
    every_order(Some(3), || {
        let module = hello_proc::load().expect("it loads");
        let writers = [1, 2].map(|n: u32| {
            let message = MESSAGES[n as usize];
            process(n, move || open(FILE).unwrap().write(message))
        });
        let seen = open(FILE).unwrap().read_all(7);
        assert!(MESSAGES.contains(&&*seen), "{}", seen.escape_ascii());
        for (n, writer) in writers.into_iter().enumerate() {
            assert_eq!(writer.join().unwrap(), Ok(MESSAGES[n + 1].len()));
        }
        let last = open(FILE).unwrap().read_all(100);
        assert!(MESSAGES[1..].contains(&&*last), "{}", last.escape_ascii());
        drop(module);
    });
}
