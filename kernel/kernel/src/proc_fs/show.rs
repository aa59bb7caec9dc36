// SPDX-License-Identifier: GPL-2.0-only

//! Files whose content is printed.

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
    /// Prints the content. May be called several times for one `read`, and by several
    /// processes at once.
    ///
    /// # Context
    ///
    /// May sleep; the process that reads.
    ///
    /// # Errors
    ///
    /// Any: `read` returns it, unless it is one that user space does not know (512 and
    /// above). `ERESTARTSYS` and its like restart the call if a signal is pending, and
    /// are `EINTR` otherwise; what remains is `EIO`.
    fn show(&self, m: &SeqFile) -> Result;

    /// The file is about to be removed: its [`ShowFile`] is being dropped, which waits for
    /// the calls that are running. A [`show`](Self::show) that blocks must be ended here,
    /// as [`Operations::removing`](super::Operations::removing) describes.
    ///
    /// # Context
    ///
    /// May sleep; the task that drops the file.
    fn removing(&self) {}
}

/// A file in /proc whose content is printed.
///
/// Dropping it calls [`Show::removing`], removes the file, and returns when none of its
/// calls runs any more; see [above](super#dropping) for where it may be dropped.
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
    /// Makes the data, then the file.
    ///
    /// # Errors
    ///
    /// `EEXIST` if the name is taken, whoever has it and wherever /proc is mounted;
    /// `EINVAL` if it is no name (see [`Options::new`]); `ENOMEM`; or what the data's
    /// initialiser returns.
    ///
    /// Of two modules that make one name at the very same time the second gets `EEXIST`
    /// too, but the kernel then also WARNs about it.
    pub fn new<E>(options: Options, data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        crate::try_pin_init!(&this in Self {
            data <- data,
            size_hint: options.size_hint,
            _pin: PhantomPinned,
            // SAFETY: the functions in `OPS` take a pointer to a `ShowFile<T>`, and use
            // its hint and its data. Both are there by now, do not move, and outlive
            // the entry, which is dropped first.
            entry: unsafe { Entry::new(options, &Self::OPS, this.as_ptr().cast())? },
        }? Error)
    }

    /// The data.
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
    /// The kernel opens a file of an entry whose data is a `Self`, of which `entry` may
    /// not be there yet.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: the inode is that of an entry of `koru_proc_create`.
        let this = unsafe { bindings::koru_proc_data(inode) }.cast::<Self>();
        // SAFETY: the data is a `Self`, which stays until this has returned; its hint
        // does not change.
        let (size_hint, data) = unsafe { ((*this).size_hint, &raw mut (*this).data) };
        // SAFETY: both functions want a file that is being opened, and a function to
        // print it with `data`, until `single_release`; and a size that is not 0.
        unsafe {
            match size_hint {
                0 => bindings::single_open(file, Some(Self::show), data.cast()),
                size => bindings::single_open_size(file, Some(Self::show), data.cast(), size),
            }
        }
    }

    /// # Safety
    ///
    /// The kernel prints a file that `open` opened: it has locked `seq`.
    unsafe extern "C" fn show(seq: *mut bindings::seq_file, _: *mut c_void) -> c_int {
        // SAFETY: the kernel passes a `seq_file` that it has locked, so it is valid. `open`
        // gave it the address of a `T`, which stays: removing the entry waits for this call.
        let data = unsafe { &*SeqFile::private(seq).cast::<T>() };
        // SAFETY: the kernel locks the `seq_file` around this call.
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
