// SPDX-License-Identifier: GPL-2.0-only

//! Files in /proc.
//!
//! Two kinds. A [`ShowFile`] prints its content, and the kernel's `seq_file`
//! handles reads of any size. A [`ProcFile`] answers `open`, `read`,
//! `write` and `lseek` itself and has data of its own per open file.
//!
//! The file is there when its value is, and gone when that is dropped. Dropping
//! waits for calls that are running and closes what is still open: a process
//! that holds the file over the module's unloading gets `EIO` from then on. The
//! file appears only after its data is ready, and its data goes only after the
//! file is gone.
//!
//! # Examples
//!
//! ```
//! use kernel::{prelude::*, proc_fs::{Mode, Options, Show, ShowFile}, seq_file::SeqFile, seq_print};
//!
//! struct Ticks;
//!
//! impl Show for Ticks {
//!     fn show(&self, m: &SeqFile) -> Result {
//!         seq_print!(m, "{}\n", kernel::time::jiffies());
//!         Ok(())
//!     }
//! }
//!
//! fn publish() -> Result<Pin<KBox<ShowFile<Ticks>>>> {
//!     let options = Options::new(c"ticks", Mode::new::<0o444>());
//!     KBox::pin_init(ShowFile::new(options, Ticks), GFP_KERNEL)
//! }
//! ```
//!
//! C header: [`include/linux/proc_fs.h`](https://docs.kernel.org/filesystems/proc.html)

use crate::error::{code::EINVAL, code::EIO};
use crate::error::{from_err_ptr, Error, Result, VTABLE_DEFAULT_ERROR};
use crate::ffi::{c_int, c_void};
use crate::fs::{file::Offset, File};
use crate::macros::vtable;
use crate::seq_file::SeqFile;
use crate::types::ForeignOwnable;
use crate::uaccess::{UserPtr, UserSlice, UserSliceReader, UserSliceWriter};
use crate::{bindings, build_error};
use core::ffi::CStr;
use core::marker::PhantomPinned;
use core::ptr::NonNull;
use pinned_init::{pin_data, PinInit};

#[doc(no_inline)]
pub use crate::fs::{Mode, Whence};

/// How a file is called, and what else the kernel is told about it.
///
/// # Examples
///
/// ```
/// use kernel::proc_fs::{Mode, Options};
/// let options = Options::new(c"example", Mode::new::<0o444>()).size_hint(8192);
/// # let _ = options;
/// ```
#[derive(Clone, Copy)]
pub struct Options {
    name: &'static CStr,
    mode: Mode,
    size_hint: usize,
}

impl Options {
    /// A file `/proc/NAME`.
    pub const fn new(name: &'static CStr, mode: Mode) -> Self {
        Self {
            name,
            mode,
            size_hint: 0,
        }
    }

    /// How long a [`ShowFile`]'s text is, in bytes. With a good guess above a
    /// page it is printed once, not several times into ever larger buffers.
    pub const fn size_hint(mut self, bytes: usize) -> Self {
        self.size_hint = bytes;
        self
    }
}

/// The file itself.
///
/// # Invariants
///
/// The pointer comes from `koru_proc_create` and was not removed.
struct Entry(NonNull<bindings::koru_proc_entry>);

// SAFETY: removing may be done by every thread.
unsafe impl Send for Entry {}
// SAFETY: a shared reference can do nothing.
unsafe impl Sync for Entry {}

impl Entry {
    /// Makes the file.
    ///
    /// # Safety
    ///
    /// The functions in `calls` may be called with `data` until the entry is
    /// dropped.
    unsafe fn new(
        options: Options,
        calls: &bindings::koru_proc_calls,
        data: *mut c_void,
    ) -> Result<Self> {
        let name = options.name.to_bytes();
        if name.is_empty() || name.contains(&b'/') || name == b"." || name == b".." {
            return Err(EINVAL);
        }
        // SAFETY: the name is a C string and is copied, as the calls are; the
        // rest says the caller.
        let ptr = unsafe {
            bindings::koru_proc_create(
                options.name.as_ptr().cast(),
                u32::from(options.mode.bits()),
                options.size_hint,
                calls,
                data,
            )
        };
        NonNull::new(from_err_ptr(ptr)?).map(Self).ok_or(EINVAL)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant. It waits for running calls.
        unsafe { bindings::koru_proc_remove(self.0.as_ptr()) }
    }
}

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
    /// Prints the content. May sleep. May be called several times for one
    /// `read`, and by several processes at once.
    ///
    /// # Errors
    ///
    /// Any: `read` returns it.
    fn show(&self, m: &SeqFile) -> Result;
}

/// A file in /proc whose content is printed.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, proc_fs::{Show, ShowFile}};
/// fn data<T: Show>(file: &ShowFile<T>) -> &T {
///     file.data()
/// }
/// ```
#[pin_data]
pub struct ShowFile<T: Show> {
    // First, so that it is dropped before the data.
    entry: Entry,
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
    /// `EEXIST` if the name is taken, `EINVAL` if it is none, `ENOMEM`, or what
    /// the data's initialiser says.
    pub fn new<E>(options: Options, data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let calls = bindings::koru_proc_calls {
            show: Some(show::<T>),
            open: None,
            release: None,
            read: None,
            write: None,
            lseek: None,
        };
        crate::try_pin_init!(&this in Self {
            data <- data,
            _pin: PhantomPinned,
            // SAFETY: the data is there, does not move, and outlives the entry.
            // `show` takes a pointer to it.
            entry: unsafe {
                Entry::new(options, &calls, (&raw mut (*this.as_ptr()).data).cast())?
            },
        }? Error)
    }

    /// The data.
    pub fn data(&self) -> &T {
        &self.data
    }
}

/// # Safety
///
/// Called by the shim, with a `seq_file` and the `T` of an entry.
unsafe extern "C" fn show<T: Show>(seq: *mut bindings::seq_file, data: *mut c_void) -> c_int {
    // SAFETY: the entry is not removed before this returns.
    let data = unsafe { &*data.cast::<T>() };
    // SAFETY: the kernel locks the file around this call.
    let seq = unsafe { SeqFile::from_raw(seq) };
    match data.show(seq) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// What a [`ProcFile`] does.
///
/// All of it runs in the calling process, may sleep, and may run several times
/// at once, on one open file too: a thread can `pread` while another does.
///
/// # Examples
///
/// ```
/// use kernel::{fs::{file::Offset, File}, prelude::*, proc_fs::Operations};
/// use kernel::uaccess::UserSliceWriter;
///
/// struct Greeting;
///
/// #[vtable]
/// impl Operations for Greeting {
///     type Data = ();
///
///     fn open(&self, _file: &File) -> Result {
///         Ok(())
///     }
///
///     fn read(
///         &self,
///         _data: (),
///         _file: &File,
///         to: &mut UserSliceWriter,
///         pos: &mut Offset,
///     ) -> Result<usize> {
///         to.write_slice_file(b"Hello World\n", pos)
///     }
/// }
/// ```
#[vtable]
pub trait Operations: Send + Sync + Sized + 'static {
    /// What belongs to one open file: `()`, a `KBox`, an `Arc`, ...
    type Data: ForeignOwnable + Send + Sync;

    /// A process opens the file. An error refuses it.
    fn open(&self, file: &File) -> Result<Self::Data>;

    /// A process reads. Returns how many bytes it got, 0 at the end.
    ///
    /// `pos` is where it reads, and is to be moved; `pread` has one of its own.
    /// If this fails, the position stays.
    fn read(
        &self,
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _to: &mut UserSliceWriter,
        _pos: &mut Offset,
    ) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A process writes. Returns how many bytes were taken. `pos` as in
    /// [`Self::read`].
    fn write(
        &self,
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A process moves the position; returns the new one, which the kernel then
    /// sets. Without this one the kernel does it, and the file's end is 0.
    fn lseek(
        &self,
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _offset: Offset,
        _whence: Whence,
    ) -> Result<Offset> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The last descriptor of an open file was closed, or the file is removed.
    fn release(&self, data: Self::Data, _file: &File) {
        drop(data);
    }
}

/// A file in /proc with operations of its own.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, proc_fs::{Mode, Operations, Options, ProcFile}};
/// fn publish<T: Operations>(data: T) -> Result<Pin<KBox<ProcFile<T>>>> {
///     let options = Options::new(c"example", Mode::new::<0o666>());
///     KBox::pin_init(ProcFile::new(options, data), GFP_KERNEL)
/// }
/// ```
#[pin_data]
pub struct ProcFile<T: Operations> {
    // First, so that it is dropped before the data.
    entry: Entry,
    #[pin]
    data: T,
    #[pin]
    _pin: PhantomPinned,
}

impl<T: Operations> ProcFile<T> {
    /// Makes the data, then the file.
    ///
    /// # Errors
    ///
    /// `EEXIST` if the name is taken, `EINVAL` if it is none, `ENOMEM`, or what
    /// the data's initialiser says.
    pub fn new<E>(options: Options, data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        crate::try_pin_init!(&this in Self {
            data <- data,
            _pin: PhantomPinned,
            // SAFETY: the data is there, does not move, and outlives the entry.
            // All calls take a pointer to it.
            entry: unsafe {
                Entry::new(options, &Calls::<T>::CALLS, (&raw mut (*this.as_ptr()).data).cast())?
            },
        }? Error)
    }

    /// The data.
    pub fn data(&self) -> &T {
        &self.data
    }
}

/// The C functions of a `T`. The shim calls them with the entry's `T`, with an
/// open file, and with what `open` gave for it, which `release` alone ends.
struct Calls<T>(core::marker::PhantomData<T>);

impl<T: Operations> Calls<T> {
    const CALLS: bindings::koru_proc_calls = bindings::koru_proc_calls {
        show: None,
        open: Some(Self::open),
        release: Some(Self::release),
        read: if T::HAS_READ { Some(Self::read) } else { None },
        write: if T::HAS_WRITE {
            Some(Self::write)
        } else {
            None
        },
        lseek: if T::HAS_LSEEK {
            Some(Self::lseek)
        } else {
            None
        },
    };

    /// # Safety
    ///
    /// See [`Calls`]; `open_data` is valid for writes.
    unsafe extern "C" fn open(
        file: *mut bindings::file,
        data: *mut c_void,
        open_data: *mut *mut c_void,
    ) -> c_int {
        // SAFETY: the shim says that they are valid.
        let (data, file) = unsafe { (&*data.cast::<T>(), File::from_raw_file(file)) };
        match data.open(file) {
            Ok(value) => {
                // SAFETY: the shim says that it may be written.
                unsafe { open_data.write(value.into_foreign()) };
                0
            }
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// See [`Calls`]; called once for each `open` that succeeded, last.
    unsafe extern "C" fn release(
        file: *mut bindings::file,
        data: *mut c_void,
        open_data: *mut c_void,
    ) {
        // SAFETY: the shim says that they are valid.
        let (data, file) = unsafe { (&*data.cast::<T>(), File::from_raw_file(file)) };
        // SAFETY: `open` made it, and nothing uses it any more.
        data.release(unsafe { T::Data::from_foreign(open_data) }, file);
    }

    /// # Safety
    ///
    /// See [`Calls`]; `pos` is valid.
    unsafe extern "C" fn read(
        file: *mut bindings::file,
        data: *mut c_void,
        open_data: *mut c_void,
        buf: usize,
        len: usize,
        pos: *mut Offset,
    ) -> isize {
        // SAFETY: the shim says that they are valid.
        let (data, file) = unsafe { (&*data.cast::<T>(), File::from_raw_file(file)) };
        // SAFETY: it is not released before this returns.
        let open_data = unsafe { T::Data::borrow(open_data) };
        let mut to = UserSlice::new(UserPtr::from_addr(buf), len).writer();
        // SAFETY: the shim says that it is valid.
        let at = unsafe { &mut *pos };
        transfer(at, len, |at| data.read(open_data, file, &mut to, at))
    }

    /// # Safety
    ///
    /// See [`Calls`]; `pos` is valid.
    unsafe extern "C" fn write(
        file: *mut bindings::file,
        data: *mut c_void,
        open_data: *mut c_void,
        buf: usize,
        len: usize,
        pos: *mut Offset,
    ) -> isize {
        // SAFETY: the shim says that they are valid.
        let (data, file) = unsafe { (&*data.cast::<T>(), File::from_raw_file(file)) };
        // SAFETY: it is not released before this returns.
        let open_data = unsafe { T::Data::borrow(open_data) };
        let mut from = UserSlice::new(UserPtr::from_addr(buf), len).reader();
        // SAFETY: the shim says that it is valid.
        let at = unsafe { &mut *pos };
        transfer(at, len, |at| data.write(open_data, file, &mut from, at))
    }

    /// # Safety
    ///
    /// See [`Calls`].
    unsafe extern "C" fn lseek(
        file: *mut bindings::file,
        data: *mut c_void,
        open_data: *mut c_void,
        offset: Offset,
        whence: c_int,
    ) -> Offset {
        let Some(whence) = Whence::from_raw(whence) else {
            return Offset::from(EINVAL.to_errno());
        };
        // SAFETY: the shim says that they are valid.
        let (data, file) = unsafe { (&*data.cast::<T>(), File::from_raw_file(file)) };
        // SAFETY: it is not released before this returns.
        let open_data = unsafe { T::Data::borrow(open_data) };
        match data.lseek(open_data, file, offset, whence) {
            Ok(pos) if pos >= 0 => pos,
            Ok(_) => Offset::from(EINVAL.to_errno()),
            Err(error) => Offset::from(error.to_errno()),
        }
    }
}

/// Runs a read or a write: the position moves only if it succeeds, and more than
/// was asked for is never reported.
fn transfer(pos: &mut Offset, len: usize, f: impl FnOnce(&mut Offset) -> Result<usize>) -> isize {
    let mut at = *pos;
    match f(&mut at).and_then(|n| if n > len { Err(EIO) } else { Ok(n) }) {
        Ok(n) => {
            *pos = at;
            // The kernel caps `len` below `isize::MAX`.
            n as isize
        }
        Err(error) => error.to_errno() as isize,
    }
}
