// SPDX-License-Identifier: GPL-2.0-only

//! Sizes, alignments and constants of the target kernel.
//!
//! The kernel's own build compiles `kernel/shim/layout.c`; ours reads the values from the object,
//! and passes the path of the resulting file in `KORU_LAYOUT`.

#![allow(
    missing_docs,
    dead_code,
    reason = "layout.c documents them, and not every config uses all"
)]

use crate::bindings;
use crate::types::Opaque;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

include!(env!("KORU_LAYOUT"));

/// Storage for a kernel object `T` whose size and alignment Rust does not know.
///
/// Rust's alignments are types, so the few that occur are selected by number.
#[repr(C)]
pub(crate) struct Storage<T, const SIZE: usize, const ALIGN: usize>
where
    Align<ALIGN>: Alignment,
{
    align: [<Align<ALIGN> as Alignment>::Unit; 0],
    bytes: [MaybeUninit<u8>; SIZE],
    _object: PhantomData<T>,
}

impl<T, const SIZE: usize, const ALIGN: usize> Storage<T, SIZE, ALIGN>
where
    Align<ALIGN>: Alignment,
{
    /// Returns the address of the object, as C functions take it.
    #[inline]
    pub(crate) const fn object(this: *mut Self) -> *mut T {
        this.cast()
    }
}

impl<T, const SIZE: usize, const ALIGN: usize> Opaque<Storage<T, SIZE, ALIGN>>
where
    Align<ALIGN>: Alignment,
{
    /// Returns the address of the object, as C functions take it.
    #[inline]
    pub(crate) const fn object(&self) -> *mut T {
        Storage::object(self.get())
    }
}

macro_rules! storage {
    ($($name:ident: $object:ident, $size:ident, $align:ident;)*) => {$(
        #[doc = concat!("Storage for a `struct ", stringify!($object), "`.")]
        pub(crate) type $name = Storage<bindings::$object, $size, $align>;
    )*};
}

storage! {
    Completion: completion, COMPLETION_SIZE, COMPLETION_ALIGN;
    DelayedWork: delayed_work, DELAYED_WORK_SIZE, DELAYED_WORK_ALIGN;
    HrTimer: hrtimer, HRTIMER_SIZE, HRTIMER_ALIGN;
    Kprobe: koru_kprobe, KPROBE_SIZE, KPROBE_ALIGN;
    LockClassKey: lock_class_key, LOCK_CLASS_KEY_SIZE, LOCK_CLASS_KEY_ALIGN;
    MiscDevice: miscdevice, MISCDEVICE_SIZE, MISCDEVICE_ALIGN;
    Mutex: mutex, MUTEX_SIZE, MUTEX_ALIGN;
    SpinLock: spinlock, SPINLOCK_SIZE, SPINLOCK_ALIGN;
    WaitQueueEntry: wait_queue_entry, WAIT_QUEUE_ENTRY_SIZE, WAIT_QUEUE_ENTRY_ALIGN;
    WaitQueueHead: wait_queue_head, WAIT_QUEUE_HEAD_SIZE, WAIT_QUEUE_HEAD_ALIGN;
    Work: work_struct, WORK_SIZE, WORK_ALIGN;
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
