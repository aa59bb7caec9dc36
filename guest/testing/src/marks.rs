// SPDX-License-Identifier: MIT OR Apache-2.0

//! Marks: how a test wants to run, for `koru test` to read from the compiled tests.
//!
//! A mark is an ELF note, which linkers keep although nothing refers to it.

use koru_protocol::{TEST_MARK, TEST_NOTES};

/// Marks a test that needs all processors of the guest, in a file with
/// [`test_file!(one_cpu)`](macro@crate::test_file).
///
/// The attribute stands above `#[test]`:
///
/// ```no_run
/// #[koru_testing::all_cpus]
/// #[test]
/// fn readers_do_not_mix() {}
/// ```
pub use koru_testing_macros::all_cpus;

/// Marks a test in which nothing runs at once: a guest with one processor does for it.
///
/// The attribute stands above `#[test]`:
///
/// ```no_run
/// #[koru_testing::one_cpu]
/// #[test]
/// fn read_at_end_is_empty() {}
/// ```
///
/// What is no test cannot be marked:
///
/// ```compile_fail
/// #[koru_testing::one_cpu]
/// fn helper() {}
/// ```
pub use koru_testing_macros::one_cpu;

/// The number of bytes that fill the name up to a multiple of 4.
const PADDING: usize = TEST_NOTES.len().next_multiple_of(4) - TEST_NOTES.len();

/// A note with one mark, in the format of ELF.
#[doc(hidden)]
#[derive(Debug)]
#[repr(C, align(4))]
pub struct TestNote<const LENGTH: usize> {
    name_length: u32,
    length: u32,
    kind: u32,
    name: [u8; TEST_NOTES.len()],
    padding: [u8; PADDING],
    text: [u8; LENGTH],
}

impl<const LENGTH: usize> TestNote<LENGTH> {
    pub const fn new(text: &str) -> TestNote<LENGTH> {
        let Some(text) = text.as_bytes().first_chunk() else {
            panic!("the text has this length");
        };
        TestNote {
            name_length: TEST_NOTES.len() as u32,
            length: LENGTH as u32,
            kind: TEST_MARK,
            name: *TEST_NOTES,
            padding: [0; PADDING],
            text: *text,
        }
    }
}

/// Says how all tests of a file want to run.
///
/// The macro stands after the imports of the test file:
///
/// ```
/// koru_testing::test_file!(one_cpu);
/// ```
///
/// | mark | meaning |
/// |---|---|
/// | `one_cpu` | Nothing runs at once in these tests: a guest with one processor does, and is faster. A test with [`all_cpus`] is an exception. |
/// | `cpus_in_turn` | The processors of the guest take turns. This is for tests that put a probe on a function that another processor may be running, which emulated processors do not bear. |
/// | `takes_long` | `koru test` begins with these tests. |
/// | `mostly_waits` | These tests do nothing for most of their time, and so run beside others. |
///
/// `one_cpu` in a module is for the tests of that module. The other marks are for the whole
/// test binary. Several marks are separated by commas.
///
/// Another word does not compile:
///
/// ```compile_fail
/// koru_testing::test_file!(two_moons);
/// ```
#[macro_export]
macro_rules! test_file {
    (one_cpu) => {
        $crate::test_note!("one_cpu");
    };
    (cpus_in_turn) => {
        $crate::test_note!("cpus_in_turn");
    };
    (takes_long) => {
        $crate::test_note!("takes_long");
    };
    (mostly_waits) => {
        $crate::test_note!("mostly_waits");
    };
    ($first:ident, $($more:ident),+) => {
        $crate::test_file!($first);
        $crate::test_file!($($more),+);
    };
}

/// Adds a note with a mark to the test binary: for a test, or for all tests of the module in
/// which this is.
#[doc(hidden)]
#[macro_export]
macro_rules! test_note {
    ($mark:literal $(, $test:literal)?) => {
        const _: () = {
            const TEXT: &str = ::core::concat!($mark, " ", ::core::module_path!() $(, "::", $test)?);
            // SAFETY: A section of notes is only read, and by nothing that runs: whoever reads
            // it takes its bytes for notes in the format of ELF. `TestNote` has this format,
            // and a size and an alignment that leave no gap before the next note, so the whole
            // section is valid.
            #[used]
            #[unsafe(link_section = ".note.koru.tests")]
            static NOTE: $crate::TestNote<{ TEXT.len() }> = $crate::TestNote::new(TEXT);
        };
    };
}
