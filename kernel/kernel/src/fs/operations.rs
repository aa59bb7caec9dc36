// SPDX-License-Identifier: GPL-2.0-only

//! The tables of functions that the kernel calls for a file: `struct file_operations` and `struct
//! proc_ops`.
//!
//! Each member has the offset and the C type that `kernel/shim/layout.c` measures and checks
//! against the kernel's headers. So the kernel calls the Rust functions themselves, also on kernels
//! that check the type of such calls.

use crate::bindings::{self as c, file_operations, proc_ops};
use crate::ffi::c_void;
use crate::layout;
use core::marker::PhantomData;

const WORD: usize = size_of::<*const c_void>();

/// A C structure `S` that the compiler builds; members that are not set are zero.
#[repr(transparent)]
pub(crate) struct Table<S, const WORDS: usize> {
    words: [*const c_void; WORDS],
    _structure: PhantomData<S>,
}

pub(crate) type FileOperations =
    Table<file_operations, { layout::FILE_OPERATIONS_SIZE.div_ceil(WORD) }>;
pub(crate) type ProcOps = Table<proc_ops, { layout::PROC_OPS_SIZE.div_ceil(WORD) }>;

crate::static_assert!(layout::FILE_OPERATIONS_ALIGN <= WORD);
crate::static_assert!(layout::PROC_OPS_ALIGN <= WORD);

/// A member of an `S`, which is a pointer of type `F`.
pub(crate) struct Member<S, F> {
    offset: usize,
    _types: PhantomData<(S, F)>,
}

macro_rules! members {
    ($structure:ident: $($name:ident: $type:ty = $offset:ident;)*) => {
        impl Member<$structure, ()> {$(
            pub(crate) const $name: Member<$structure, $type> = Member {
                offset: layout::$offset,
                _types: PhantomData,
            };
        )*}
    };
}

members! { file_operations:
    OWNER: *mut c_void = FOP_OWNER;
    LLSEEK: c::koru_llseek_t = FOP_LLSEEK;
    READ_ITER: c::koru_transfer_t = FOP_READ_ITER;
    WRITE_ITER: c::koru_transfer_t = FOP_WRITE_ITER;
    UNLOCKED_IOCTL: c::koru_ioctl_t = FOP_UNLOCKED_IOCTL;
    COMPAT_IOCTL: c::koru_ioctl_t = FOP_COMPAT_IOCTL;
    OPEN: c::koru_open_t = FOP_OPEN;
    RELEASE: c::koru_open_t = FOP_RELEASE;
    POLL: c::koru_poll_t = FOP_POLL;
    SHOW_FDINFO: c::koru_show_fdinfo_t = FOP_SHOW_FDINFO;
}

members! { proc_ops:
    PROC_OPEN: c::koru_open_t = PROC_OPEN;
    PROC_READ: c::koru_read_t = PROC_READ;
    PROC_READ_ITER: c::koru_transfer_t = PROC_READ_ITER;
    PROC_WRITE: c::koru_write_t = PROC_WRITE;
    PROC_LSEEK: c::koru_llseek_t = PROC_LSEEK;
    PROC_RELEASE: c::koru_open_t = PROC_RELEASE;
}

/// A union that converts an `F`, which is one word, to a raw pointer.
union Word<F: Copy> {
    value: F,
    word: *const c_void,
}

impl<S, const WORDS: usize> Table<S, WORDS> {
    pub(crate) const fn empty() -> Self {
        Self {
            words: [core::ptr::null(); WORDS],
            _structure: PhantomData,
        }
    }

    /// Sets a member.
    pub(crate) const fn with<F: Copy>(mut self, member: Member<S, F>, value: F) -> Self {
        let index = member.offset / WORD;
        assert!(index * WORD == member.offset && size_of::<F>() == WORD);
        // SAFETY: an `F` is one word, which was just checked, and every word is a raw pointer: that
        // of a function, or null for `None`.
        self.words[index] = unsafe { Word { value }.word };
        self
    }

    /// Sets a member if `has` is true.
    pub(crate) const fn with_if<F: Copy>(self, has: bool, member: Member<S, F>, value: F) -> Self {
        if has {
            self.with(member, value)
        } else {
            self
        }
    }

    /// Returns the table as C takes it.
    #[inline]
    pub(crate) const fn as_ptr(&'static self) -> *const S {
        core::ptr::from_ref(self).cast()
    }
}
