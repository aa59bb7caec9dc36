// SPDX-License-Identifier: GPL-2.0-only

//! Files with operations of their own.

use super::entry::{Entry, Options};
use crate::error::code::{EINVAL, EIO};
use crate::error::{Error, Result, VTABLE_DEFAULT_ERROR};
use crate::ffi::{c_char, c_int};
use crate::fs::operations::{Member, ProcOps};
use crate::fs::{file::Offset, File, Whence};
use crate::macros::vtable;
use crate::types::ForeignOwnable;
use crate::uaccess::{UserPtr, UserSlice, UserSliceReader, UserSliceWriter};
use crate::{bindings, build_error};
use core::marker::{PhantomData, PhantomPinned};
use core::mem::needs_drop;
use core::pin::Pin;
use pin_init::{pin_data, pinned_drop, PinInit};

/// The operations of a [`ProcFile`].
///
/// All of them run in the calling process, may sleep, and may run several times at once, also on
/// one open file: a thread can `pread` while another does. `release` may run late in a process that
/// exits, which has no memory, root directory or namespaces any more, and in the task that drops
/// the file.
///
/// The system call returns the error of an operation, unless user space does not know it (512 and
/// above): `ERESTARTSYS` and similar errors restart the call if a signal is pending, and become
/// `EINTR` otherwise; the others become `EIO`.
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
    /// The data of one open file: `()`, a `KBox`, an `Arc`, and so on.
    type Data: ForeignOwnable + Send + Sync;

    /// Called when a process opens the file; an error makes that fail.
    fn open(&self, file: &File) -> Result<Self::Data>;

    /// Called when a process reads; returns the number of bytes that were written to `to`, 0 at the
    /// end.
    ///
    /// `pos` is the position to read at, which this moves; `pread` passes its own. If this fails,
    /// the position stays.
    fn read(
        &self,
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _to: &mut UserSliceWriter,
        _pos: &mut Offset,
    ) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when a process writes; returns the number of bytes that were taken.
    ///
    /// `pos` is the position to write at, as for [`Self::read`].
    fn write(
        &self,
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when a process seeks; returns the new position, which the kernel then sets.
    ///
    /// Without this method the kernel seeks by itself, in a file whose end is at 0.
    fn lseek(
        &self,
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _offset: Offset,
        _whence: Whence,
    ) -> Result<Offset> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when the last descriptor of an open file is closed, or the file is removed.
    fn release(&self, data: Self::Data, _file: &File) {
        drop(data);
    }

    /// Called when the file is about to be removed.
    ///
    /// Its [`ProcFile`] is being dropped, which waits for the running calls. Calls that block must
    /// be ended here, or the removal waits until they get what they wait for, or their process is
    /// killed.
    ///
    /// Calls may continue while this runs, and new ones may start until shortly after it has
    /// returned. So it should set a flag under the lock of the calls, and wake all waiters. A call
    /// that would block checks the flag first, and fails with `EIO`, which is what procfs itself
    /// returns once the file is removed.
    ///
    /// Context: the task that drops the file; it may sleep. It may take the locks of the calls,
    /// unless that task holds them.
    ///
    /// # Examples
    ///
    /// A queue of numbers. A reader of the file takes one, and waits for it:
    ///
    /// ```
    /// use kernel::{fs::{file::Offset, File}, prelude::*, proc_fs::Operations};
    /// use kernel::{new_condvar, new_mutex, sync::{CondVar, Mutex}};
    /// use kernel::uaccess::{UserSliceReader, UserSliceWriter};
    /// # extern crate kernel as pin_init;
    ///
    /// #[pin_data]
    /// struct Queue {
    ///     #[pin]
    ///     state: Mutex<State>,
    ///     #[pin]
    ///     changed: CondVar,
    /// }
    ///
    /// struct State {
    ///     numbers: KVec<u32>,
    ///     removing: bool,
    /// }
    ///
    /// impl Queue {
    ///     /// Is the data of `ProcFile::new(options, Queue::new())`.
    ///     fn new() -> impl PinInit<Self> {
    ///         pin_init!(Self {
    ///             state <- new_mutex!(State { numbers: KVec::new(), removing: false }),
    ///             changed <- new_condvar!(),
    ///         })
    ///     }
    ///
    ///     fn take(&self) -> Result<u32> {
    ///         let mut state = self.state.lock();
    ///         loop {
    ///             if state.removing {
    ///                 return Err(EIO);
    ///             }
    ///             if let Ok(number) = state.numbers.remove(0) {
    ///                 return Ok(number);
    ///             }
    ///             if self.changed.wait_interruptible(&mut state) {
    ///                 return Err(ERESTARTSYS);
    ///             }
    ///         }
    ///     }
    /// }
    ///
    /// #[vtable]
    /// impl Operations for Queue {
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
    ///         _pos: &mut Offset,
    ///     ) -> Result<usize> {
    ///         if to.len() < size_of::<u32>() {
    ///             return Err(EINVAL);
    ///         }
    ///         to.write(&self.take()?)?;
    ///         Ok(size_of::<u32>())
    ///     }
    ///
    ///     fn write(
    ///         &self,
    ///         _data: (),
    ///         _file: &File,
    ///         from: &mut UserSliceReader,
    ///         _pos: &mut Offset,
    ///     ) -> Result<usize> {
    ///         let number = from.read()?;
    ///         self.state.lock().numbers.push(number, GFP_KERNEL_ACCOUNT)?;
    ///         self.changed.notify_one();
    ///         Ok(size_of::<u32>())
    ///     }
    ///
    ///     fn removing(&self) {
    ///         self.state.lock().removing = true;
    ///         self.changed.notify_all();
    ///     }
    /// }
    /// ```
    fn removing(&self) {}
}

/// A file in /proc with operations of its own.
///
/// Dropping it calls [`Operations::removing`], removes the file, and returns once none of its calls
/// is running; see [above](super#dropping) for where it may be dropped.
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
#[pin_data(PinnedDrop)]
pub struct ProcFile<T: Operations> {
    // First, so that it is dropped before the data.
    entry: Entry,
    #[pin]
    data: T,
    #[pin]
    _pin: PhantomPinned,
}

impl<T: Operations> ProcFile<T> {
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
            _pin: PhantomPinned,
            // SAFETY: the functions in `OPS` take a pointer to a `T`. The data is there by now,
            // does not move, and outlives the entry, which is dropped first.
            entry: unsafe {
                Entry::new(options, &Calls::<T>::OPS, (&raw mut (*this.as_ptr()).data).cast())?
            },
        }? Error)
    }

    /// Returns the data.
    pub fn data(&self) -> &T {
        &self.data
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for ProcFile<T> {
    fn drop(self: Pin<&mut Self>) {
        self.data.removing();
    }
}

/// The C functions of a `T`.
///
/// The kernel calls them with a file of an entry whose data is a `T`. After `open` succeeded, the
/// file's private data is a `T::Data`, until `release`, which is called once and last, takes it
/// back. There is no `release` where nothing is left to do. Removing the entry waits until they have returned.
struct Calls<T>(PhantomData<T>);

impl<T: Operations> Calls<T> {
    const OPS: ProcOps = {
        let lseek = if T::HAS_LSEEK {
            Self::lseek
        } else {
            bindings::default_llseek as unsafe extern "C" fn(_, _, _) -> _
        };
        // Without this function, the kernel does not keep a list of who has the file open.
        let has_release = T::HAS_RELEASE || needs_drop::<T::Data>();
        ProcOps::empty()
            .with(Member::PROC_OPEN, Some(Self::open))
            .with_if(has_release, Member::PROC_RELEASE, Some(Self::release))
            .with(Member::PROC_LSEEK, Some(lseek))
            .with_if(T::HAS_READ, Member::PROC_READ, Some(Self::read))
            .with_if(T::HAS_WRITE, Member::PROC_WRITE, Some(Self::write))
    };

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Calls`] describes, and must be opening the file.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: the inode is that of an entry of `koru_proc_create`, whose data is a `T` that
        // stays until this has returned.
        let data = unsafe { &*File::proc_data(inode).cast::<T>() };
        // SAFETY: the kernel passes a file that is valid during the call.
        let opened = unsafe { File::from_raw_file(file) };
        match data.open(opened) {
            Ok(value) => {
                // SAFETY: the kernel passes a file that is valid during the call, and no other
                // thread has it yet.
                unsafe { File::private_data(file).write(value.into_foreign()) };
                0
            }
            Err(error) => error.to_user_errno(),
        }
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Calls`] describes.
    unsafe extern "C" fn release(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: the inode is that of an entry of `koru_proc_create`, whose data is a `T` that
        // stays until this has returned.
        let data = unsafe { &*File::proc_data(inode).cast::<T>() };
        // SAFETY: the file is valid. `open` stored a `T::Data` there, which no call uses any more
        // and no other call takes back.
        let open_data = unsafe { T::Data::from_foreign(File::private_data(file).read()) };
        // SAFETY: the kernel passes a file that is valid during the call.
        data.release(open_data, unsafe { File::from_raw_file(file) });
        0
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Calls`] describes, and `pos` must belong to this call.
    unsafe extern "C" fn read(
        file: *mut bindings::file,
        buf: *mut c_char,
        len: usize,
        pos: *mut Offset,
    ) -> isize {
        // SAFETY: the kernel's file is open, and not released before this returns.
        let (data, open_data, file) = unsafe { Self::borrow_parts(file) };
        let mut to = UserSlice::new(UserPtr::from_addr(buf.addr()), len).writer();
        // SAFETY: the kernel passes the address of a position that it keeps for this call
        // alone: valid, and used by nobody else until this returns.
        let at = unsafe { &mut *pos };
        transfer(at, len, |at| data.read(open_data, file, &mut to, at))
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Calls`] describes, and `pos` must belong to this call.
    unsafe extern "C" fn write(
        file: *mut bindings::file,
        buf: *const c_char,
        len: usize,
        pos: *mut Offset,
    ) -> isize {
        // SAFETY: the kernel's file is open, and not released before this returns.
        let (data, open_data, file) = unsafe { Self::borrow_parts(file) };
        let mut from = UserSlice::new(UserPtr::from_addr(buf.addr()), len).reader();
        // SAFETY: the kernel passes the address of a position that it keeps for this call
        // alone: valid, and used by nobody else until this returns.
        let at = unsafe { &mut *pos };
        transfer(at, len, |at| data.write(open_data, file, &mut from, at))
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Calls`] describes.
    unsafe extern "C" fn lseek(file: *mut bindings::file, offset: Offset, whence: c_int) -> Offset {
        // SAFETY: the kernel's file is open, and not released before this returns.
        let (data, open_data, opened) = unsafe { Self::borrow_parts(file) };
        let sought = Whence::from_raw(whence)
            .ok_or(EINVAL)
            .and_then(|whence| data.lseek(open_data, opened, offset, whence));
        match sought {
            // SAFETY: `koru_file_set_pos` takes a valid file, and refuses a negative position with
            // `EINVAL`.
            Ok(pos) => unsafe { bindings::koru_file_set_pos(file, pos) },
            Err(error) => Offset::from(error.to_user_errno()),
        }
    }

    /// Returns the entry's data, the data of the open file, and the file.
    ///
    /// # Safety
    ///
    /// The caller must be called by the kernel as [`Calls`] describes, and the file must not be
    /// released during `'a`.
    unsafe fn borrow_parts<'a>(
        file: *mut bindings::file,
    ) -> (&'a T, <T::Data as ForeignOwnable>::Borrowed<'a>, &'a File) {
        // SAFETY: by this function's contract the file is not released during `'a`, so it is valid.
        // Its inode is that of an entry of `koru_proc_create`, whose data is a `T`, and its private
        // data comes from a `T::Data`. Both stay while the file is not released.
        unsafe {
            let inode = File::inode(file);
            (
                &*File::proc_data(inode).cast::<T>(),
                T::Data::borrow(File::private_data(file).read()),
                File::from_raw_file(file),
            )
        }
    }
}

/// Runs a read or a write, and returns its result for C.
///
/// The position moves only on success, and more than `len` is never reported.
fn transfer(pos: &mut Offset, len: usize, f: impl FnOnce(&mut Offset) -> Result<usize>) -> isize {
    let mut at = *pos;
    match f(&mut at).and_then(|n| if n > len { Err(EIO) } else { Ok(n) }) {
        Ok(n) => {
            *pos = at;
            // The kernel caps `len` below `isize::MAX`.
            n as isize
        }
        Err(error) => error.to_user_errno() as isize,
    }
}
