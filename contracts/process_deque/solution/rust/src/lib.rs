// SPDX-License-Identifier: GPL-2.0-only

//! A deque for each process.

#![no_std]
#![forbid(unsafe_code)]

use kernel::fs::{File, Mode};
use kernel::ioctl::{_IOR, _IOW};
use kernel::miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::pid::Pid;
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use kernel::sync::{new_mutex, Arc, Mutex};
use kernel::uaccess::UserSlice;
use kernel::InPlaceModule;

module! {
    type: ProcessDeque,
    name: "process_deque",
    author: "The Koru authors",
    description: "A deque for each process",
    license: "GPL",
}

const DEQUE_CAPACITY: u32 = _IOW::<i32>('d' as u32, 1);
const DEQUE_PUSH_LEFT: u32 = _IOW::<i32>('d' as u32, 2);
const DEQUE_PUSH_RIGHT: u32 = _IOW::<i32>('d' as u32, 3);
const DEQUE_POP_LEFT: u32 = _IOR::<i32>('d' as u32, 4);
const DEQUE_POP_RIGHT: u32 = _IOR::<i32>('d' as u32, 5);
/// The count and the capacity.
const DEQUE_INFO: u32 = _IOR::<[i32; 2]>('d' as u32, 6);

const MOST: usize = 100;

#[pin_data]
struct ProcessDeque {
    #[pin]
    device: MiscDeviceRegistration<Opened>,
}

impl InPlaceModule for ProcessDeque {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions {
            name: c"process_deque",
        };
        try_pin_init!(Self {
            device <- MiscDeviceRegistration::register_with(
                options,
                Arc::pin_init(new_mutex!(KVec::new()), GFP_KERNEL)?,
            ),
        })
    }
}

/// The processes that have the device open.
type Owners = Mutex<KVec<ARef<Pid>>>;

/// The open file of a process.
#[pin_data]
struct Opened {
    place: Place,
    #[pin]
    deque: Mutex<Deque>,
}

/// The place of a process among the owners, which is free again when this is dropped.
struct Place {
    owner: ARef<Pid>,
    owners: Arc<Owners>,
}

/// Integers from left to right, in a vector with room for as many as fit.
struct Deque {
    values: KVec<i32>,
    /// 0 until it is set.
    capacity: usize,
}

impl MiscDeviceData for Opened {
    type Data = Owners;
}

#[vtable]
impl MiscDevice for Opened {
    type Ptr = Pin<KBox<Self>>;

    const MODE: Mode = Mode::new::<0o666>();

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        let place = Place::take(misc.data()?)?;
        let opened = try_pin_init!(Opened {
            place,
            deque <- new_mutex!(Deque { values: KVec::new(), capacity: 0 }),
        });
        KBox::pin_init(opened, GFP_KERNEL)
    }

    fn ioctl(opened: Pin<&Self>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        if !current!().belongs_to(&opened.place.owner) {
            return Err(EACCES);
        }
        let address = UserPtr::from_addr(arg);
        let integer = || UserSlice::new(address, size_of::<i32>());
        match cmd {
            DEQUE_CAPACITY => {
                let capacity = integer().reader().read::<i32>()?;
                opened.deque.lock().set_capacity(capacity)?;
            }
            DEQUE_PUSH_LEFT | DEQUE_PUSH_RIGHT => {
                let value = integer().reader().read::<i32>()?;
                let mut deque = opened.deque.lock();
                deque.push(cmd == DEQUE_PUSH_LEFT, value)?;
            }
            DEQUE_POP_LEFT | DEQUE_POP_RIGHT => {
                let mut deque = opened.deque.lock();
                let at = deque.end(cmd == DEQUE_POP_LEFT)?;
                // The value stays in the deque if it cannot be written to the process.
                integer().writer().write(&deque.values[at])?;
                deque.values.remove(at)?;
            }
            DEQUE_INFO => {
                let info = opened.deque.lock().info()?;
                let mut to = UserSlice::new(address, size_of_val(&info)).writer();
                to.write(&info)?;
            }
            _ => return Err(ENOTTY),
        }
        Ok(0)
    }
}

impl Place {
    fn take(owners: Arc<Owners>) -> Result<Self> {
        let owner = current!().process()?;
        let mut all = owners.lock();
        if all.contains(&owner) {
            return Err(EBUSY);
        }
        all.push(owner.clone(), GFP_KERNEL)?;
        drop(all);
        Ok(Place { owner, owners })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.owners.lock().retain(|other| *other != self.owner);
    }
}

impl Deque {
    fn set_capacity(&mut self, capacity: i32) -> Result {
        let capacity = usize::try_from(capacity)?;
        if capacity == 0 || capacity > MOST {
            return Err(EINVAL);
        }
        self.values = KVec::with_capacity(capacity, GFP_KERNEL)?;
        self.capacity = capacity;
        Ok(())
    }

    fn check_capacity(&self) -> Result {
        match self.capacity {
            0 => Err(EACCES),
            _ => Ok(()),
        }
    }

    fn push(&mut self, left: bool, value: i32) -> Result {
        self.check_capacity()?;
        if self.values.len() == self.capacity {
            return Err(ENOSPC);
        }
        let at = if left { 0 } else { self.values.len() };
        self.values.insert_within_capacity(at, value)?;
        Ok(())
    }

    /// Returns where the value is that a pop takes.
    fn end(&self, left: bool) -> Result<usize> {
        self.check_capacity()?;
        let last = self.values.len().checked_sub(1).ok_or(ENODATA)?;
        Ok(if left { 0 } else { last })
    }

    fn info(&self) -> Result<[i32; 2]> {
        self.check_capacity()?;
        Ok([self.values.len() as i32, self.capacity as i32])
    }
}
