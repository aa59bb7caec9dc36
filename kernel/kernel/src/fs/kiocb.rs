// SPDX-License-Identifier: GPL-2.0-only

//! One read or write of a file.

use super::file::{File, Offset};
use crate::bindings;
use crate::layout;
use crate::types::ForeignOwnable;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// One read or write: which open file it is of, and at which position. `T` is
/// what belongs to the open file.
///
/// # Examples
///
/// ```
/// use kernel::{fs::Kiocb, iov::IovIterDest, prelude::*};
/// fn read(mut kiocb: Kiocb<'_, KBox<[u8; 16]>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
///     let bytes: &[u8; 16] = kiocb.file();
///     iov.simple_read_from_buffer(kiocb.ki_pos_mut(), bytes)
/// }
/// ```
///
/// # Invariants
///
/// The pointer is that of a `struct kiocb` which nobody else uses for `'a`, and
/// the private data of its file comes from `T::into_foreign` and stays for `'a`.
pub struct Kiocb<'a, T> {
    inner: NonNull<bindings::kiocb>,
    _borrows: PhantomData<&'a T>,
}

impl<'a, T: ForeignOwnable> Kiocb<'a, T> {
    /// Wraps a `struct kiocb *`.
    ///
    /// # Safety
    ///
    /// The type's invariants hold.
    pub unsafe fn from_raw(kiocb: *mut bindings::kiocb) -> Self {
        Self {
            // SAFETY: by the type's invariants, which the caller promises, it is that of a
            // `struct kiocb`, so not null.
            inner: unsafe { NonNull::new_unchecked(kiocb) },
            _borrows: PhantomData,
        }
    }

    /// The `struct kiocb *`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::kiocb {
        self.inner.as_ptr()
    }

    /// What belongs to the open file: what `open` returned.
    pub fn file(&self) -> <T as ForeignOwnable>::Borrowed<'a> {
        let kiocb = self.as_raw();
        // SAFETY: by the invariants it is a valid `struct kiocb`, which has a
        // `struct file *` at that offset.
        let file = unsafe {
            kiocb
                .byte_add(layout::KIOCB_FILP)
                .cast::<*mut bindings::file>()
                .read()
        };
        // SAFETY: the kernel holds a reference to the file of a kiocb.
        let private = unsafe { File::private_data(file).read() };
        // SAFETY: by the invariants it is a `T` that stays for `'a`.
        unsafe { T::borrow(private) }
    }

    /// The position to read or write at.
    #[inline]
    pub fn ki_pos(&self) -> Offset {
        // SAFETY: by the invariants the kiocb is valid, and nobody else uses it.
        unsafe { Self::pos(self.as_raw()).read() }
    }

    /// The position, to be moved by as much as was read or written. `pread` and
    /// `pwrite` have one of their own, so the open file's may stay.
    #[inline]
    pub fn ki_pos_mut(&mut self) -> &mut Offset {
        // SAFETY: by the invariants the kiocb is valid, and nobody else uses it.
        unsafe { &mut *Self::pos(self.as_raw()) }
    }

    /// Where a kiocb's position is.
    ///
    /// # Safety
    ///
    /// `kiocb` is a valid `struct kiocb`.
    #[inline]
    pub(crate) unsafe fn pos(kiocb: *mut bindings::kiocb) -> *mut Offset {
        // SAFETY: `kiocb` is a `struct kiocb` by this function's contract, and C measured
        // that its `ki_pos`, a `loff_t`, is at that offset: so within it, and aligned.
        unsafe { kiocb.byte_add(layout::KIOCB_POS).cast() }
    }
}
