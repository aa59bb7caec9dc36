// SPDX-License-Identifier: GPL-2.0-only

//! Sizes, alignments and values of the kernel that is built for.
//!
//! The build reads them out of `kernel/shim/layout.c` as the kernel's own build
//! compiles it, and names the file in `KORU_LAYOUT`.

#![allow(missing_docs, dead_code)]

include!(env!("KORU_LAYOUT"));

/// Storage with the size and alignment of a kernel object.
///
/// Rust's alignments are types, so the few that occur are chosen by number.
#[repr(C)]
pub(crate) struct Storage<const SIZE: usize, const ALIGN: usize>
where
    Align<ALIGN>: Alignment,
{
    align: [<Align<ALIGN> as Alignment>::Unit; 0],
    bytes: [core::mem::MaybeUninit<u8>; SIZE],
}

pub(crate) struct Align<const N: usize>;

pub(crate) trait Alignment {
    type Unit;
}

macro_rules! alignments {
    ($($n:literal $name:ident),*) => {$(
        #[repr(align($n))]
        pub(crate) struct $name;
        impl Alignment for Align<$n> {
            type Unit = $name;
        }
    )*};
}

alignments!(1 Align1, 2 Align2, 4 Align4, 8 Align8, 16 Align16, 32 Align32, 64 Align64);
