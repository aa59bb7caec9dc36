// SPDX-License-Identifier: GPL-2.0-only

//! Character devices of the misc class: a file in /dev, without the trouble of
//! device numbers.
//!
//! A type that implements [`MiscDevice`] says what the file does. A
//! [`MiscDeviceRegistration`] of it is the file: it is there while that value
//! is. devtmpfs makes the node, for root only unless [`MiscDevice::MODE`] says
//! otherwise.
//!
//! An open file keeps the module loaded: `rmmod` says `EWOULDBLOCK` until it is
//! closed. It may outlive its registration, if the module drops that earlier:
//! the file then works on, and nobody can open it anew.
//!
//! Nobody gets in while the module's `init` runs: `open` is `ENODEV` until it
//! succeeded. The node is there before that, and user space has been told of it
//! (uevent): a program that udev starts for it, and that opens it at once, has to try
//! again. Registering last in `init` makes that time short.
//!
//! C header: [`include/linux/miscdevice.h`](https://docs.kernel.org/driver-api/misc_devices.html)
//!
//! # Examples
//!
//! ```
//! # extern crate kernel as pin_init;
//! use kernel::{
//!     fs::{File, Kiocb},
//!     iov::IovIterDest,
//!     miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
//!     prelude::*,
//!     InPlaceModule,
//! };
//!
//! /// What belongs to one open file.
//! struct Greeting {
//!     text: &'static [u8],
//! }
//!
//! #[vtable]
//! impl MiscDevice for Greeting {
//!     type Ptr = KBox<Self>;
//!
//!     fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
//!         Ok(KBox::new(Greeting { text: b"Hello world\n" }, GFP_KERNEL)?)
//!     }
//!
//!     fn read_iter(mut kiocb: Kiocb<'_, KBox<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
//!         let greeting = kiocb.file();
//!         iov.simple_read_from_buffer(kiocb.ki_pos_mut(), greeting.text)
//!     }
//! }
//!
//! #[pin_data]
//! struct Module {
//!     #[pin]
//!     device: MiscDeviceRegistration<Greeting>,
//! }
//!
//! impl InPlaceModule for Module {
//!     fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
//!         try_pin_init!(Self {
//!             device <- MiscDeviceRegistration::register(MiscDeviceOptions { name: c"greeting" }),
//!         })
//!     }
//! }
//! ```

mod operations;

use crate::bindings;
use crate::device::Device;
use crate::error::code::{EDEADLK, EINVAL, ENODEV};
use crate::error::{to_result, Error, Result, VTABLE_DEFAULT_ERROR};
use crate::ffi::c_void;
use crate::fs::{file::Offset, is_file_name, File, Kiocb, Mode, Whence};
use crate::iov::{IovIterDest, IovIterSource};
use crate::layout;
use crate::live::{waits_for_itself, Kind, Live};
use crate::macros::vtable;
use crate::seq_file::SeqFile;
use crate::sync::Arc;
use crate::types::{ForeignOwnable, Opaque};
use crate::{build_error, try_pin_init};
use core::ffi::CStr;
use core::marker::PhantomData;
use core::pin::Pin;
use operations::Table;
use pin_init::{pin_data, pin_init_from_closure, pinned_drop, PinInit};

/// How a device is called.
///
/// # Examples
///
/// ```
/// use kernel::miscdevice::MiscDeviceOptions;
/// let dev_example = MiscDeviceOptions { name: c"example" };
/// # let _ = dev_example;
/// ```
#[derive(Clone, Copy)]
pub struct MiscDeviceOptions {
    /// The name: the node is `/dev/NAME`. With `DIR/NAME` it is in a directory.
    ///
    /// At most 255 bytes, of which none is a control character or `!`; no part of it is
    /// empty, `.` or `..`. If there is a node of that name that belongs to no misc
    /// device, such as `null`, the device is registered and has no node.
    pub name: &'static CStr,
}

impl MiscDeviceOptions {
    /// Whether it is a path that stays below /dev.
    fn check(&self) -> Result {
        let name = self.name.to_bytes();
        // The device model has `!` for a slash, and devtmpfs turns both into one.
        let fits = name.len() <= 255 && !name.contains(&b'!');
        if fits && name.split(|&byte| byte == b'/').all(is_file_name) {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}

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
    inner: Opaque<layout::MiscDevice>,
    data: Option<Erased>,
    // Dropped after the device was deregistered.
    live: Live,
    _device: PhantomData<T>,
}

// SAFETY: it may be dropped by every thread: `Erased` is `Send`, and of a `T` it
// has none.
unsafe impl<T> Send for MiscDeviceRegistration<T> {}
// SAFETY: shared references give out `Device`s and references to the data, both
// of which every thread may have.
unsafe impl<T> Sync for MiscDeviceRegistration<T> {}

impl<T: MiscDevice> MiscDeviceRegistration<T> {
    /// Makes the device.
    ///
    /// # Context
    ///
    /// May sleep. Any process, also one that is about to end, and any kernel thread;
    /// but not [`MiscDevice::open`], which runs under a lock that this takes.
    ///
    /// # Errors
    ///
    /// `EEXIST` if another device of the class has the name, `EINVAL` if it is none
    /// (see [`MiscDeviceOptions::name`]), `EBUSY` if there are too many devices,
    /// `EDEADLK` in [`MiscDevice::open`], `ENOMEM`.
    ///
    /// Of two modules that register one name at the very same time the second gets
    /// `EEXIST` too, but the kernel then also prints a warning about it.
    pub fn register(opts: MiscDeviceOptions) -> impl PinInit<Self, Error> {
        Self::new(opts, None)
    }

    fn new(opts: MiscDeviceOptions, data: Option<Erased>) -> impl PinInit<Self, Error> {
        // In this order: with the last, `open` may be called.
        try_pin_init!(Self {
            data,
            live: Live::new(Kind::MiscDevice),
            _device: PhantomData,
            inner <- Self::register_inner(opts),
        }? Error)
    }

    fn register_inner(opts: MiscDeviceOptions) -> impl PinInit<Opaque<layout::MiscDevice>, Error> {
        let register = move |slot: *mut Opaque<layout::MiscDevice>| {
            opts.check()?;
            if operations::is_opening() {
                return Err(EDEADLK);
            }
            // SAFETY: the slot has the size of a `struct miscdevice`, is pinned,
            // and is deregistered before it goes. The name and the operations
            // are there for as long as the module. Those are this `T`'s, for a
            // registration of `T`.
            to_result(unsafe {
                bindings::koru_misc_register(
                    layout::MiscDevice::object(slot.cast()),
                    opts.name.as_ptr().cast(),
                    u32::from(T::MODE.bits()),
                    Table::<T>::get(),
                )
            })
        };
        // SAFETY: every state of an `Opaque` is valid.
        unsafe { pin_init_from_closure(register) }
    }

    /// The device, for messages.
    pub fn device(&self) -> &Device {
        // SAFETY: by the invariants it is registered, and has a device until it
        // no longer is.
        unsafe { Device::from_raw(bindings::koru_misc_device(self.inner.object())) }
    }
}

impl<T: MiscDeviceData> MiscDeviceRegistration<T> {
    /// Makes the device, with data that all open files can share. As
    /// [`Self::register`] otherwise.
    pub fn register_with(opts: MiscDeviceOptions, data: Arc<T::Data>) -> impl PinInit<Self, Error> {
        Self::new(opts, Some(Erased::new(data)))
    }

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
        if operations::is_opening() {
            // Registered it stays, for the memory is never given back.
            waits_for_itself(format_args!("drops a misc device in the open of one"));
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
struct Erased {
    ptr: *mut c_void,
    drop: unsafe fn(*mut c_void),
}

// SAFETY: `new` takes only data that every thread may use and drop.
unsafe impl Send for Erased {}
// SAFETY: by a shared reference the data can be had as an `Arc`, and `new` takes only data
// that is `Send` and `Sync`.
unsafe impl Sync for Erased {}

impl Erased {
    fn new<D: Send + Sync + 'static>(data: Arc<D>) -> Self {
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
