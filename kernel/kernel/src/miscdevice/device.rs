// SPDX-License-Identifier: GPL-2.0-only

//! What a device does, and its registration.

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
use crate::sync::Arc;
use crate::types::{ForeignOwnable, Opaque};
use core::marker::PhantomData;
use core::pin::Pin;
use pin_init::{pin_data, pinned_drop};

/// A device that is there while this value is.
///
/// # Dropping
///
/// Dropping it takes the node away and waits, uninterruptibly, for `open`s that are
/// running: those of all devices of the misc class, whose lock it takes. It does not wait
/// for open files; they work on until they are closed, and keep the module loaded. It may
/// sleep, and may be done in any process and any kernel thread, also in other calls of the
/// device.
///
/// It must not be done in a [`MiscDevice::open`] of this module, which has that lock. The
/// process would wait for itself, so it says so by a record at emergency level, and sleeps
/// for ever. From then on no device of the class can be opened: the machine has to be
/// started anew.
///
/// A registration that is never dropped - leaked by [`mem::forget`](core::mem::forget),
/// kept in a static, or in an [`Arc`] cycle because its data holds what holds it - keeps
/// the device and the module; see [`kernel::module`](crate::module).
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
///
/// # Invariants
///
/// `inner` is registered, and `data` is a `T::Data` if there is such a type.
#[repr(C)]
#[pin_data(PinnedDrop)]
pub struct MiscDeviceRegistration<T> {
    // First: `open` finds the value by the address of the `struct miscdevice`.
    #[pin]
    pub(super) inner: Opaque<layout::MiscDevice>,
    pub(super) data: Option<Erased>,
    // Dropped after the device was deregistered.
    pub(super) live: Live,
    pub(super) _device: PhantomData<T>,
}

// SAFETY: it may be dropped by every thread: `Erased` is `Send`, and of a `T` it
// has none.
unsafe impl<T> Send for MiscDeviceRegistration<T> {}
// SAFETY: shared references give out `Device`s and references to the data, both
// of which every thread may have.
unsafe impl<T> Sync for MiscDeviceRegistration<T> {}

impl<T: MiscDevice> MiscDeviceRegistration<T> {
    /// The device, for messages.
    pub fn device(&self) -> &Device {
        // SAFETY: by the invariants it is registered, and has a device until it
        // no longer is.
        unsafe { Device::from_raw(bindings::koru_misc_device(self.inner.object())) }
    }
}

impl<T: MiscDeviceData> MiscDeviceRegistration<T> {
    /// The data.
    ///
    /// # Errors
    ///
    /// `ENODEV` if [`Self::register`] was used, which gives none.
    pub fn data(&self) -> Result<Arc<T::Data>> {
        let data = self.data.as_ref().ok_or(ENODEV)?;
        // SAFETY: by the invariants it is a `T::Data`; and it stays for the call.
        let data = unsafe { <Arc<T::Data> as ForeignOwnable>::borrow(data.ptr) };
        Ok(data.into())
    }
}

#[pinned_drop]
impl<T> PinnedDrop for MiscDeviceRegistration<T> {
    fn drop(self: Pin<&mut Self>) {
        if is_opening() {
            // Registered it stays, for the memory is never given back.
            report_wait_for_itself(format_args!("drops a misc device in the open of one"));
        }
        // SAFETY: `misc_deregister()` wants a device that is registered, which it is by
        // the invariants, and a caller that may sleep and does not hold the class's lock,
        // as was just checked.
        unsafe { bindings::koru_misc_deregister(self.inner.object()) }
    }
}

/// An [`Arc`] whose type is known to the one who put it here.
///
/// # Invariants
///
/// `ptr` comes from `into_foreign`, and `drop` takes it back.
pub(super) struct Erased {
    ptr: *mut c_void,
    drop: unsafe fn(*mut c_void),
}

// SAFETY: `new` takes only data that every thread may use and drop.
unsafe impl Send for Erased {}
// SAFETY: by a shared reference the data can be had as an `Arc`, and `new` takes only data
// that is `Send` and `Sync`.
unsafe impl Sync for Erased {}

impl Erased {
    pub(super) fn new<D: Send + Sync + 'static>(data: Arc<D>) -> Self {
        Self {
            ptr: data.into_foreign(),
            // SAFETY: `drop`, the only caller, gives it that pointer.
            drop: |ptr| unsafe { drop(Arc::<D>::from_foreign(ptr)) },
        }
    }
}

impl Drop for Erased {
    fn drop(&mut self) {
        // SAFETY: by the invariants; this is the only time.
        unsafe { (self.drop)(self.ptr) }
    }
}

/// What all open files of a device share.
///
/// This one is not upstream's, where such data is in a static.
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
    /// The data's type.
    type Data: Send + Sync + 'static;
}

/// What a misc device does.
///
/// All of it runs in the calling process, may sleep, and may run several times
/// at once, on one open file too. [`Self::open`] alone runs under the misc
/// class's lock, so that no two devices of the class are opened at once: it
/// should not take long.
///
/// # Examples
///
/// A device that counts what it is given, with an `ioctl` to ask.
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
    /// What belongs to one open file: a `KBox`, an `Arc`, `()`, ...
    type Ptr: ForeignOwnable + Send + Sync;

    /// Who may open the device: the node's mode. (This one is not upstream's,
    /// where it is always 0600.)
    const MODE: Mode = Mode::new::<0o600>();

    /// A process opens the device. An error refuses it.
    ///
    /// `misc` must not be the only thing that this waits for: whoever drops it
    /// waits for this.
    fn open(file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr>;

    /// The last descriptor of an open file was closed.
    fn release(device: Self::Ptr, _file: &File) {
        drop(device);
    }

    /// A process reads. Returns how many bytes it got, 0 at the end. Without this
    /// one it is `EINVAL`.
    ///
    /// The position is to be moved; if this fails, it stays.
    fn read_iter(_kiocb: Kiocb<'_, Self::Ptr>, _iov: &mut IovIterDest<'_>) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A process writes. Returns how many bytes were taken. Without this one it
    /// is `EINVAL`. The position is as in [`Self::read_iter`].
    fn write_iter(_kiocb: Kiocb<'_, Self::Ptr>, _iov: &mut IovIterSource<'_>) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A process moves the position; returns the new one, which is then set.
    /// Without this one it is `ESPIPE`. (This one is not upstream's, which has
    /// none.)
    fn lseek(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _offset: Offset,
        _whence: Whence,
    ) -> Result<Offset> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A process gives a command, with an argument that is a number, or an
    /// address for a [`UserSlice`](crate::uaccess::UserSlice). What is not known
    /// should be `ENOTTY`.
    fn ioctl(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _cmd: u32,
        _arg: usize,
    ) -> Result<isize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// As [`Self::ioctl`], from a 32-bit process on a 64-bit kernel. Without this
    /// one `ioctl` is called, with the argument as an address: right if all that
    /// it points to looks the same in both worlds.
    #[cfg(CONFIG_COMPAT)]
    fn compat_ioctl(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _cmd: u32,
        _arg: usize,
    ) -> Result<isize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Prints more lines into /proc/PID/fdinfo/FD.
    fn show_fdinfo(
        _device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _m: &SeqFile,
        _file: &File,
    ) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}
