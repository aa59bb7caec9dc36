// SPDX-License-Identifier: GPL-2.0-only

//! Files that print their content.

use super::entry::{Entry, Options};
use crate::bindings;
use crate::error::{Error, Result};
use crate::ffi::{c_int, c_void};
use crate::fs::operations::{Member, ProcOps};
use crate::seq_file::SeqFile;
use core::marker::PhantomPinned;
use core::pin::Pin;
use pin_init::{pin_data, pinned_drop, PinInit};

/// The content of a [`ShowFile`].
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, proc_fs::Show, seq_file::SeqFile, seq_print};
/// struct Answer(u32);
/// impl Show for Answer {
///     fn show(&self, m: &SeqFile) -> Result {
///         seq_print!(m, "{}\n", self.0);
///         Ok(())
///     }
/// }
/// ```
pub trait Show: Send + Sync + 'static {
    /// Prints the content.
    ///
    /// It may be called several times for one `read`, and by several processes at once.
    ///
    /// Context: the process that reads; it may sleep.
    ///
    /// # Errors
    ///
    /// `read` returns any error, unless user space does not know it (512 and above): `ERESTARTSYS`
    /// and similar errors restart the call if a signal is pending, and become `EINTR` otherwise;
    /// the others become `EIO`.
    fn show(&self, m: &SeqFile) -> Result;

    /// Called when the file is about to be removed.
    ///
    /// Its [`ShowFile`] is being dropped, which waits for the running calls. A [`show`](Self::show)
    /// that blocks must be ended here, as [`Operations::removing`](super::Operations::removing)
    /// describes.
    ///
    /// Context: the task that drops the file; it may sleep.
    fn removing(&self) {}
}

/// A file in /proc that prints its content.
///
/// Dropping it calls [`Show::removing`], removes the file, and returns once none of its calls is
/// running; see [above](super#dropping) for where it may be dropped.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, proc_fs::{Show, ShowFile}};
/// fn data<T: Show>(file: &ShowFile<T>) -> &T {
///     file.data()
/// }
/// ```
#[pin_data(PinnedDrop)]
pub struct ShowFile<T: Show> {
    // First, so that it is dropped before the data.
    entry: Entry,
    size_hint: usize,
    #[pin]
    data: T,
    #[pin]
    _pin: PhantomPinned,
}

impl<T: Show> ShowFile<T> {
    /// Returns an initialiser that builds the data, and then creates the file.
    ///
    /// Context: process context; it may sleep.
    ///
    /// # Errors
    ///
    /// `EEXIST` if the name exists, whoever has it and wherever /proc is mounted; `EINVAL` if the
    /// name is not valid (see [`Options::new`]); `ENOMEM`; or the error of the data's initialiser.
    ///
    /// If two modules create the same name at the very same time, the second gets `EEXIST` too, but
    /// the kernel then also WARNs about it.
    pub fn new<E>(options: Options, data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        crate::try_pin_init!(&this in Self {
            data <- data,
            size_hint: options.size_hint,
            _pin: PhantomPinned,
            // SAFETY: the functions in `OPS` take a pointer to a `ShowFile<T>`, and use its hint
            // and its data. Both are there by now, do not move, and outlive the entry, which is
            // dropped first.
            entry: unsafe { Entry::new(options, &Self::OPS, this.as_ptr().cast())? },
        }? Error)
    }

    /// Returns the data.
    pub fn data(&self) -> &T {
        &self.data
    }

    const OPS: ProcOps = ProcOps::empty()
        .with(Member::PROC_OPEN, Some(Self::open))
        .with(Member::PROC_READ_ITER, Some(bindings::seq_read_iter as _))
        .with(Member::PROC_LSEEK, Some(bindings::seq_lseek as _))
        .with(Member::PROC_RELEASE, Some(bindings::single_release as _));

    /// # Safety
    ///
    /// The caller must be the kernel, which opens a file of an entry whose data is a `Self`. The
    /// `entry` field of that may not be initialised yet.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `koru_proc_data` takes the inode of an entry of `koru_proc_create`, which this is
        // by this function's contract.
        let this = unsafe { bindings::koru_proc_data(inode) }.cast::<Self>();
        // SAFETY: by this function's contract the entry's data is a `Self`. It stays until this has
        // returned, and its hint does not change.
        let (size_hint, data) = unsafe { ((*this).size_hint, &raw mut (*this).data) };
        // SAFETY: both functions take a file that is being opened, a function that prints it with
        // `data` until `single_release`, and a size that is not 0. `data` outlives the entry, so
        // the open file as well.
        unsafe {
            match size_hint {
                0 => bindings::single_open(file, Some(Self::show), data.cast()),
                size => bindings::single_open_size(file, Some(Self::show), data.cast(), size),
            }
        }
    }

    /// # Safety
    ///
    /// The caller must be the kernel, which prints a file that `open` opened and has locked `seq`.
    unsafe extern "C" fn show(seq: *mut bindings::seq_file, _: *mut c_void) -> c_int {
        // SAFETY: the kernel passes a `seq_file` that it has locked, so it is valid. `open` passed
        // the address of a `T`, which stays: removing the entry waits for this call.
        let data = unsafe { &*SeqFile::private(seq).cast::<T>() };
        // SAFETY: the kernel locks the `seq_file` during this call, so nobody else prints to it.
        let seq = unsafe { SeqFile::from_raw(seq) };
        match data.show(seq) {
            Ok(()) => 0,
            Err(error) => error.to_user_errno(),
        }
    }
}

#[pinned_drop]
impl<T: Show> PinnedDrop for ShowFile<T> {
    fn drop(self: Pin<&mut Self>) {
        self.data.removing();
    }
}
