// SPDX-License-Identifier: GPL-2.0-only

//! What a process waits for that polls a file: poll, select, epoll and io_uring.
//!
//! A file's `poll` says which calls would not wait now. Whoever waits for a change calls it again
//! after a notification of a [`PollCondVar`] that `poll` has named. Naming comes first and looking
//! second, or a change between the two would be missed.
//!
//! Only misc devices have a `poll`. A file in /proc that is removed is released while processes
//! still poll it, so nothing would keep the queues for them.
//!
//! C header: `include/linux/poll.h`
//!
//! # Examples
//!
//! A device that everybody can read once for each write:
//!
//! ```
//! # extern crate kernel as pin_init;
//! use kernel::{
//!     fs::{File, Kiocb},
//!     iov::{IovIterDest, IovIterSource},
//!     miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceRegistration},
//!     new_mutex, new_poll_condvar,
//!     prelude::*,
//!     sync::poll::{flags, PollCondVar, PollTable},
//!     sync::{Arc, ArcBorrow, Mutex},
//! };
//!
//! #[pin_data]
//! struct Bell {
//!     #[pin]
//!     rung: Mutex<usize>,
//!     #[pin]
//!     changed: PollCondVar,
//! }
//!
//! impl Bell {
//!     /// Is the data that the device is registered with.
//!     fn new() -> Result<Arc<Self>> {
//!         let bell = try_pin_init!(Bell {
//!             rung <- new_mutex!(0),
//!             changed <- new_poll_condvar!(),
//!         });
//!         Arc::pin_init(bell, GFP_KERNEL)
//!     }
//! }
//!
//! impl MiscDeviceData for Bell {
//!     type Data = Bell;
//! }
//!
//! #[vtable]
//! impl MiscDevice for Bell {
//!     type Ptr = Arc<Self>;
//!
//!     fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Arc<Self>> {
//!         misc.data()
//!     }
//!
//!     fn read_iter(kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
//!         let bell = kiocb.file();
//!         let mut rung = bell.rung.lock();
//!         *rung = rung.checked_sub(1).ok_or(EAGAIN)?;
//!         Ok(iov.copy_to_iter(b"!"))
//!     }
//!
//!     fn write_iter(kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
//!         let bell = kiocb.file();
//!         *bell.rung.lock() += 1;
//!         bell.changed.notify_all();
//!         Ok(iov.len())
//!     }
//!
//!     fn poll(bell: ArcBorrow<'_, Self>, file: &File, table: PollTable<'_>) -> u32 {
//!         table.register_wait(file, &bell.changed);
//!         match *bell.rung.lock() {
//!             0 => flags::EPOLLOUT,
//!             _ => flags::EPOLLIN | flags::EPOLLOUT,
//!         }
//!     }
//! }
//! ```

use super::condvar::CondVar;
use super::lock_class::LockClassKey;
use super::Arc;
use crate::alloc::flags::GFP_KERNEL;
use crate::bindings;
use crate::error::Error;
use crate::fs::File;
use crate::init::InPlaceInit;
use crate::try_pin_init;
use core::cell::Cell;
use core::ffi::CStr;
use core::ops::Deref;
use core::pin::Pin;
use pin_init::{pin_data, PinInit};

/// Creates an initialiser of a [`PollCondVar`] with a lock class of its own.
///
/// The name is optional, and defaults to the place in the source.
///
/// # Examples
///
/// ```
/// use kernel::{new_poll_condvar, prelude::*, sync::poll::PollCondVar};
/// fn make() -> Result<Pin<KBox<PollCondVar>>> {
///     KBox::pin_init(new_poll_condvar!("example"), GFP_KERNEL)
/// }
/// ```
#[macro_export]
macro_rules! new_poll_condvar {
    ($($name:literal)? $(,)?) => {
        $crate::sync::poll::PollCondVar::new(
            $crate::optional_name!($($name)?), $crate::static_lock_class!())
    };
}

/// The bits of what `poll` returns.
///
/// # Examples
///
/// ```
/// use kernel::sync::poll::flags;
/// let readable = flags::EPOLLIN | flags::EPOLLRDNORM;
/// # let _ = readable;
/// ```
pub mod flags {
    /// A read does not wait.
    pub const EPOLLIN: u32 = 0x1;
    /// There is something urgent.
    pub const EPOLLPRI: u32 = 0x2;
    /// A write does not wait.
    pub const EPOLLOUT: u32 = 0x4;
    /// An error has happened; whoever waits need not ask for this one.
    pub const EPOLLERR: u32 = 0x8;
    /// The other end is gone; whoever waits need not ask for this one.
    pub const EPOLLHUP: u32 = 0x10;
    /// A read of normal data does not wait, as [`EPOLLIN`].
    pub const EPOLLRDNORM: u32 = 0x40;
    /// A read of priority data does not wait.
    pub const EPOLLRDBAND: u32 = 0x80;
    /// A write of normal data does not wait, as [`EPOLLOUT`].
    pub const EPOLLWRNORM: u32 = 0x100;
    /// A write of priority data does not wait.
    pub const EPOLLWRBAND: u32 = 0x200;
    /// The other end will not write any more.
    pub const EPOLLRDHUP: u32 = 0x2000;
}

/// All of [`flags`]. Others have a meaning inside the kernel, as the one that ends an epoll entry.
const KNOWN: u32 = flags::EPOLLIN
    | flags::EPOLLPRI
    | flags::EPOLLOUT
    | flags::EPOLLERR
    | flags::EPOLLHUP
    | flags::EPOLLRDNORM
    | flags::EPOLLRDBAND
    | flags::EPOLLWRNORM
    | flags::EPOLLWRBAND
    | flags::EPOLLRDHUP;

/// A [`CondVar`] for which processes can also wait by polling a file.
///
/// Every notification, also one of [`CondVar::notify_one`], reaches all who poll.
///
/// It may be dropped while somebody polls: nothing notifies them any more then, but the kernel
/// still looks at the wait queue. So that is not in this value, and stays until the files are
/// closed that have named it. A file for which `poll` makes a new one at each call therefore keeps
/// them all. (In upstream, the queue is in the value, dropping it waits for RCU, and a process in
/// poll or select is left with memory that is freed.)
///
/// Context: as for a [`CondVar`]; dropping works in any context but NMIs.
///
/// # Examples
///
/// ```
/// use kernel::{fs::File, sync::poll::{PollCondVar, PollTable}};
/// fn wait_for_either(file: &File, table: PollTable<'_>, full: &PollCondVar, empty: &PollCondVar) {
///     table.register_wait(file, full);
///     table.register_wait(file, empty);
/// }
/// ```
#[pin_data]
pub struct PollCondVar {
    inner: Arc<CondVar>,
}

impl PollCondVar {
    /// Returns an initialiser; [`new_poll_condvar!`](crate::new_poll_condvar!) is shorter.
    ///
    /// Context: process context; it may sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`. (Upstream's cannot fail.)
    pub fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            inner: Arc::pin_init(CondVar::new(name, key), GFP_KERNEL)?,
        }? Error)
    }
}

impl Deref for PollCondVar {
    type Target = CondVar;

    #[inline]
    fn deref(&self) -> &CondVar {
        &self.inner
    }
}

/// What a caller of poll brings, to be told what to wait for.
///
/// It belongs to one call.
///
/// # Examples
///
/// ```
/// use kernel::{fs::File, sync::poll::{flags, PollCondVar, PollTable}};
/// fn always_ready(file: &File, table: PollTable<'_>, changed: &PollCondVar) -> u32 {
///     table.register_wait(file, changed);
///     flags::EPOLLIN
/// }
/// ```
///
/// # Invariants
///
/// `table` is null or valid, and belongs to a poll of `file`, which will be released by
/// `release`, and not before this value is gone.
pub struct PollTable<'a> {
    table: *mut bindings::poll_table_struct,
    file: &'a File,
    /// Set if there was no memory.
    failed: &'a Cell<bool>,
}

impl PollTable<'_> {
    /// Says that a change will be notified by `cv`.
    ///
    /// `file` is the one that is polled. If there is no memory to wait, the poll returns at once,
    /// with `EPOLLERR`.
    ///
    /// Context: process context, in the call that the table belongs to; it may sleep.
    pub fn register_wait(&self, _file: &File, cv: &PollCondVar) {
        let file = self.file.as_ptr();
        // SAFETY: the table is null or valid, by the type's invariant.
        if unsafe { bindings::koru_poll_waits(self.table) } == 0 {
            return;
        }
        let queue = Arc::into_raw(cv.inner.clone());
        // SAFETY: `koru_poll_keep()` only compares and stores the two addresses.
        let kept = unsafe { bindings::koru_poll_keep(file, queue.cast()) };
        if kept != 1 {
            // SAFETY: the pointer is from `into_raw`, above, and was not stored.
            drop(unsafe { Arc::from_raw(queue) });
        }
        if kept < 0 {
            return self.failed.set(true);
        }
        // SAFETY: `poll_wait()` takes a file and the table of a poll of it, which these are by the
        // type's invariant, and a queue that stays until nobody polls the file any more. The file
        // has a reference to it until `release`, which is called then.
        unsafe { bindings::koru_poll_wait(file, cv.inner.queue(), self.table) }
    }
}

/// Runs `poll` for a file, and returns its result for C.
///
/// # Safety
///
/// `table` must be null or valid, and belong to a poll of `file`. The file must not be released
/// before this returns, and must be released by [`release`].
pub(crate) unsafe fn poll(
    file: &File,
    table: *mut bindings::poll_table_struct,
    poll: impl FnOnce(PollTable<'_>) -> u32,
) -> u32 {
    let failed = Cell::new(false);
    // INVARIANT: this is what the caller promises. The value cannot leave `poll`, which takes one
    // with any lifetime.
    let ready = poll(PollTable {
        table,
        file,
        failed: &failed,
    });
    match failed.get() {
        true => ready & KNOWN | flags::EPOLLERR,
        false => ready & KNOWN,
    }
}

/// Drops what a file has kept for those who polled it.
///
/// # Safety
///
/// The kernel must be releasing the file, so that nobody polls it any more.
pub(crate) unsafe fn release(file: &File) {
    loop {
        // SAFETY: the function only compares the address.
        let queue = unsafe { bindings::koru_poll_unkeep(file.as_ptr()) };
        if queue.is_null() {
            return;
        }
        // SAFETY: `register_wait` made this pointer by `Arc::into_raw`, and no other call gets it,
        // because it is not kept any more. Nobody polls the file, by this function's contract, so
        // nobody is on the queue because of it.
        drop(unsafe { Arc::<CondVar>::from_raw(queue.cast()) });
    }
}
