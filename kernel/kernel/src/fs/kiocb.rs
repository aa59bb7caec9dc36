// SPDX-License-Identifier: GPL-2.0-only

//! A read or write of a file that is in progress.

use super::file::{File, Offset};
use crate::bindings;
use crate::layout;
use crate::types::ForeignOwnable;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A read or write in progress: its open file, and its position.
///
/// `T` is the data of the open file.
///
/// # Invariants
///
/// The pointer is that of a `struct kiocb` which nobody else uses during `'a`. The private data of
/// its file comes from `T::into_foreign`, and stays during `'a`.
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
pub struct Kiocb<'a, T> {
    inner: NonNull<bindings::kiocb>,
    _borrows: PhantomData<&'a T>,
}

impl<'a, T: ForeignOwnable> Kiocb<'a, T> {
    /// Wraps a `struct kiocb *`.
    ///
    /// # Safety
    ///
    /// `kiocb` must be a valid `struct kiocb` that nobody else uses during `'a`. The private data
    /// of its file must come from `T::into_foreign`, and must stay during `'a`.
    pub unsafe fn from_raw(kiocb: *mut bindings::kiocb) -> Self {
        Self {
            // INVARIANT: this function's contract is the type's invariant.
            // SAFETY: by this function's contract the pointer is valid, so it is not null.
            inner: unsafe { NonNull::new_unchecked(kiocb) },
            _borrows: PhantomData,
        }
    }

    /// Returns the `struct kiocb *`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::kiocb {
        self.inner.as_ptr()
    }

    /// Returns the data of the open file: what `open` returned.
    pub fn file(&self) -> <T as ForeignOwnable>::Borrowed<'a> {
        let file = self.filp();
        // SAFETY: `file` is valid, because the kernel holds a reference to the file of a kiocb.
        let private = unsafe { File::private_data(file).read() };
        // SAFETY: by the type's invariant the private data comes from `T::into_foreign`, and stays
        // during `'a`.
        unsafe { T::borrow(private) }
    }

    /// Returns the open file, whose flags say whether the call may wait.
    ///
    /// (This one is not upstream's.)
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{fs::{file::flags, Kiocb}, prelude::*};
    /// fn may_wait(kiocb: &Kiocb<'_, KBox<u32>>) -> bool {
    ///     kiocb.ki_filp().flags() & flags::O_NONBLOCK == 0
    /// }
    /// ```
    #[inline]
    pub fn ki_filp(&self) -> &'a File {
        // SAFETY: the kernel holds a reference to the file of a kiocb, as long as that is in use:
        // by the type's invariant, during `'a`.
        unsafe { File::from_raw_file(self.filp()) }
    }

    #[inline]
    fn filp(&self) -> *mut bindings::file {
        // SAFETY: by the type's invariant the pointer is that of a valid `struct kiocb`, and C
        // measured that a `struct file *` is at that offset.
        unsafe {
            self.as_raw()
                .byte_add(layout::KIOCB_FILP)
                .cast::<*mut bindings::file>()
                .read()
        }
    }

    /// Returns the position to read or write at.
    #[inline]
    pub fn ki_pos(&self) -> Offset {
        // SAFETY: by the type's invariant the kiocb is valid, and nobody else uses it.
        unsafe { Self::pos(self.as_raw()).read() }
    }

    /// Returns a mutable reference to the position, which the caller moves by the number of bytes
    /// read or written.
    ///
    /// `pread` and `pwrite` have a position of their own, so that the one of the open file stays.
    #[inline]
    pub fn ki_pos_mut(&mut self) -> &mut Offset {
        // SAFETY: by the type's invariant the kiocb is valid, and nobody else uses it; `self` is
        // borrowed mutably as long as the reference.
        unsafe { &mut *Self::pos(self.as_raw()) }
    }

    /// Returns the address of the position in a kiocb.
    ///
    /// # Safety
    ///
    /// `kiocb` must be a valid `struct kiocb`.
    #[inline]
    pub(crate) unsafe fn pos(kiocb: *mut bindings::kiocb) -> *mut Offset {
        // SAFETY: `kiocb` is a `struct kiocb` by this function's contract, and C measured that
        // `ki_pos`, a `loff_t`, is at that offset: so within the structure, and aligned.
        unsafe { kiocb.byte_add(layout::KIOCB_POS).cast() }
    }
}
