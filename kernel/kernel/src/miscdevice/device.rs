// SPDX-License-Identifier: GPL-2.0-only

//! The trait of misc devices, and the value of a registered one.

use super::opening::is_opening;
use crate::bindings;
use crate::build_error;
use crate::device::Device;
use crate::error::{code::ENODEV, Result, VTABLE_DEFAULT_ERROR};
use crate::ffi::c_void;
use crate::fs::{file::Offset, File, Kiocb, Mode, Whence};
use crate::iov::{IovIterDest, IovIterSource};
use crate::layout;
use crate::live::{report_wait_for_itself, Live};
use crate::macros::vtable;
use crate::seq_file::SeqFile;
use crate::sync::poll::PollTable;
use crate::sync::Arc;
use crate::types::{ForeignOwnable, Opaque};
use core::marker::PhantomData;
use core::pin::Pin;
use pin_init::{pin_data, pinned_drop};

/// A registered misc device, which exists as long as this value.
///
/// # Dropping
///
/// Dropping the value removes the node and waits, uninterruptibly, for running `open`s: those of
/// all devices of the misc class, whose lock it takes. It does not wait for open files, which
/// continue to work until they are closed, and keep the module loaded. It may sleep, and may be
/// done in any process and any kernel thread, also in other calls of the device.
///
/// It must not be done in a [`MiscDevice::open`] of this module, which holds that lock. The process
/// would wait for itself, so it reports that by a record at emergency level, and sleeps for ever.
/// From then on no device of the class can be opened, until the machine is rebooted.
///
/// A registration that is never dropped - leaked by [`mem::forget`](core::mem::forget), kept in a
/// static, or in an [`Arc`] cycle because its data holds what holds it - keeps the device and the
/// module; see [`kernel::module`](crate::module).
///
/// # Invariants
///
/// `inner` is registered, and `data` is a `T::Data` if `T` has such a type.
///
/// # Examples
///
/// ```
/// use kernel::{miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration}, prelude::*};
/// fn publish<T: MiscDevice>() -> Result<Pin<KBox<MiscDeviceRegistration<T>>>> {
///     let options = MiscDeviceOptions { name: c"example" };
///     KBox::pin_init(MiscDeviceRegistration::register(options), GFP_KERNEL)
/// }
/// ```
#[repr(C)]
#[pin_data(PinnedDrop)]
pub struct MiscDeviceRegistration<T> {
    // First, because `open` finds the value by the address of the `struct miscdevice`.
    #[pin]
    pub(super) inner: Opaque<layout::MiscDevice>,
    pub(super) data: Option<Erased>,
    // Dropped after the device was deregistered.
    pub(super) live: Live,
    pub(super) _device: PhantomData<T>,
}

// SAFETY: any thread may drop the value: `Erased` is `Send`, and the value contains no `T`.
unsafe impl<T> Send for MiscDeviceRegistration<T> {}
// SAFETY: shared references give access to a `Device` and to references to the data, both of which
// any thread may have.
unsafe impl<T> Sync for MiscDeviceRegistration<T> {}

impl<T: MiscDevice> MiscDeviceRegistration<T> {
    /// Returns the device, for messages.
    pub fn device(&self) -> &Device {
        // SAFETY: by the type's invariant the device is registered, so its `struct device` exists
        // as long as `self`.
        unsafe { Device::from_raw(bindings::koru_misc_device(self.inner.object())) }
    }
}

// This lets `dev_info!(registration, ..)` print.
impl<T: MiscDevice> AsRef<Device> for MiscDeviceRegistration<T> {
    #[inline]
    fn as_ref(&self) -> &Device {
        self.device()
    }
}

impl<T: MiscDeviceData> MiscDeviceRegistration<T> {
    /// Returns the data.
    ///
    /// # Errors
    ///
    /// `ENODEV` if the device was registered by [`Self::register`], which sets no data.
    pub fn data(&self) -> Result<Arc<T::Data>> {
        let data = self.data.as_ref().ok_or(ENODEV)?;
        // SAFETY: by the type's invariant the pointer is that of a `T::Data`, which stays while
        // `self` is borrowed.
        let data = unsafe { <Arc<T::Data> as ForeignOwnable>::borrow(data.ptr) };
        Ok(data.into())
    }
}

#[pinned_drop]
impl<T> PinnedDrop for MiscDeviceRegistration<T> {
    fn drop(self: Pin<&mut Self>) {
        if is_opening() {
            // The device stays registered, because its memory is never freed.
            report_wait_for_itself(c"drops a misc device in the open of one");
        }
        // SAFETY: `misc_deregister()` needs a device that is registered, which it is by the type's
        // invariant, and a caller that may sleep and does not hold the class's lock, as was just
        // checked.
        unsafe { bindings::koru_misc_deregister(self.inner.object()) }
    }
}

/// An [`Arc`] whose type only the code that created this knows.
///
/// # Invariants
///
/// `ptr` comes from `into_foreign`, and `drop` converts it back.
pub(super) struct Erased {
    ptr: *mut c_void,
    drop: unsafe fn(*mut c_void),
}

// SAFETY: `new` takes only data that any thread may use and drop.
unsafe impl Send for Erased {}
// SAFETY: a shared reference gives access to the data as an `Arc`, and `new` takes only data that
// is `Send` and `Sync`.
unsafe impl Sync for Erased {}

impl Erased {
    pub(super) fn new<D: Send + Sync + 'static>(data: Arc<D>) -> Self {
        Self {
            // INVARIANT: the pointer comes from `into_foreign`, and `drop` converts it back.
            ptr: data.into_foreign(),
            // SAFETY: `Drop::drop`, the only caller, passes the pointer that `into_foreign`
            // returned, once.
            drop: |ptr| unsafe { drop(Arc::<D>::from_foreign(ptr)) },
        }
    }
}

impl Drop for Erased {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant `drop` converts `ptr` back, and this is the only call.
        unsafe { (self.drop)(self.ptr) }
    }
}

/// The data that all open files of a device share.
///
/// (This one is not upstream's, where such data is in a static.)
///
/// # Examples
///
/// ```
/// use kernel::{
///     fs::File,
///     miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceRegistration},
///     prelude::*,
///     sync::{Arc, Mutex},
/// };
///
/// struct Counter;
///
/// impl MiscDeviceData for Counter {
///     type Data = Mutex<u64>;
/// }
///
/// #[vtable]
/// impl MiscDevice for Counter {
///     type Ptr = Arc<Mutex<u64>>;
///
///     fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
///         misc.data()
///     }
/// }
/// ```
pub trait MiscDeviceData: MiscDevice {
    /// The type of the data.
    type Data: Send + Sync + 'static;
}

/// The operations of a misc device.
///
/// All of them run in the calling process, may sleep, and may run several times at once, also on
/// one open file. Only [`Self::open`] runs under the lock of the misc class, so that no two devices
/// of the class are opened at once: it should not take long.
///
/// # Examples
///
/// A device that counts the bytes that it is given, with an `ioctl` that returns the count:
///
/// ```
/// use core::sync::atomic::{AtomicU64, Ordering};
/// use kernel::{
///     fs::{File, Kiocb},
///     ioctl::_IOR,
///     iov::IovIterSource,
///     miscdevice::{MiscDevice, MiscDeviceRegistration},
///     prelude::*,
///     uaccess::UserSlice,
/// };
///
/// const COUNT: u32 = _IOR::<u64>('k' as u32, 1);
///
/// struct Sink(AtomicU64);
///
/// #[vtable]
/// impl MiscDevice for Sink {
///     type Ptr = KBox<Self>;
///
///     fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
///         Ok(KBox::new(Sink(AtomicU64::new(0)), GFP_KERNEL)?)
///     }
///
///     fn write_iter(kiocb: Kiocb<'_, KBox<Self>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
///         let len = iov.len();
///         kiocb.file().0.fetch_add(len as u64, Ordering::Relaxed);
///         Ok(len)
///     }
///
///     fn ioctl(sink: &Self, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
///         let mut to = UserSlice::new(UserPtr::from_addr(arg), size_of::<u64>()).writer();
///         match cmd {
///             COUNT => to.write(&sink.0.load(Ordering::Relaxed))?,
///             _ => return Err(ENOTTY),
///         }
///         Ok(0)
///     }
/// }
/// ```
#[vtable]
pub trait MiscDevice: Sized {
    /// The data of one open file: a `KBox`, an `Arc`, `()`, and so on.
    type Ptr: ForeignOwnable + Send + Sync;

    /// The mode of the node, which says who may open the device.
    ///
    /// (This one is not upstream's, where the mode is always 0600.)
    const MODE: Mode = Mode::new::<0o600>();

    /// Called when a process opens the device; an error makes that fail.
    ///
    /// This must not wait for something that only the dropping of `misc` would cause, because that
    /// waits for this.
    fn open(file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr>;

    /// Called when the last descriptor of an open file is closed.
    fn release(device: Self::Ptr, _file: &File) {
        drop(device);
    }

    /// Called when a process reads; returns the number of bytes that were written to `iov`, 0 at
    /// the end.
    ///
    /// This moves the position; if it fails, the position stays. Without this method a read fails
    /// with `EINVAL`.
    fn read_iter(_kiocb: Kiocb<'_, Self::Ptr>, _iov: &mut IovIterDest<'_>) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when a process writes; returns the number of bytes that were taken.
    ///
    /// This moves the position; if it fails, the position stays. Without this method a write fails
    /// with `EINVAL`.
    fn write_iter(_kiocb: Kiocb<'_, Self::Ptr>, _iov: &mut IovIterSource<'_>) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when a process seeks; returns the new position, which is then set.
    ///
    /// Without this method a seek fails with `ESPIPE`. (This one is not upstream's, which has
    /// none.)
    fn lseek(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _offset: Offset,
        _whence: Whence,
    ) -> Result<Offset> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when a process makes an `ioctl`.
    ///
    /// The argument is a number, or an address for a [`UserSlice`](crate::uaccess::UserSlice). An
    /// unknown command should fail with `ENOTTY`.
    fn ioctl(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _cmd: u32,
        _arg: usize,
    ) -> Result<isize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when a 32-bit process makes an `ioctl` on a 64-bit kernel.
    ///
    /// Without this method [`Self::ioctl`] is called, with the argument as an address. That is
    /// right if everything that it points to has the same layout for both kinds of processes.
    #[cfg(CONFIG_COMPAT)]
    fn compat_ioctl(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _cmd: u32,
        _arg: usize,
    ) -> Result<isize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when a process polls the file, or has it watched by epoll; returns which calls would
    /// not wait now, in the bits of [`poll::flags`](crate::sync::poll::flags).
    ///
    /// It names in `table` what will be notified when that changes, and looks only then. See
    /// [`kernel::sync::poll`](crate::sync::poll), which has an example. Without this method a file
    /// can always be read and written, and epoll refuses it with `EPERM`. (This one is not
    /// upstream's, which has none.)
    fn poll(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _table: PollTable<'_>,
    ) -> u32 {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called to print further lines to /proc/PID/fdinfo/FD.
    fn show_fdinfo(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _m: &SeqFile,
        _file: &File,
    ) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}
