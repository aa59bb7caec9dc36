// SPDX-License-Identifier: GPL-2.0-only

//! A circular queue behind a device.

#![no_std]
#![forbid(unsafe_code)]

use kernel::fs::{file, File, Kiocb, Mode};
use kernel::ioctl::{_IO, _IOR};
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::prelude::*;
use kernel::sync::lock::mutex::MutexGuard;
use kernel::sync::poll::{flags, PollCondVar, PollTable};
use kernel::sync::{new_mutex, Arc, ArcBorrow, Mutex};
use kernel::uaccess::UserSlice;
use kernel::{new_poll_condvar, sizes, InPlaceModule};

module! {
    type: ByteQueue,
    name: "byte_queue",
    author: "The Koru authors",
    description: "A circular queue behind a device",
    license: "GPL",
    params: {
        size: u32 { default: 16, perm: 0o444, description: "How many bytes there is room for" },
    },
}

const COUNT: u32 = _IOR::<i32>('q' as u32, 1);
const CLEAR: u32 = _IO('q' as u32, 2);

#[pin_data]
struct ByteQueue {
    #[pin]
    device: MiscDeviceRegistration<Queue>,
}

impl InPlaceModule for ByteQueue {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions {
            name: c"byte_queue",
        };
        try_pin_init!(Self {
            device <- MiscDeviceRegistration::register_with(options, Queue::new()?),
        })
    }
}

#[pin_data]
struct Queue {
    #[pin]
    ring: Mutex<Ring>,
    #[pin]
    changed: PollCondVar,
}

struct Ring {
    bytes: KVec<u8>,
    first: usize,
    count: usize,
}

impl Queue {
    fn new() -> Result<Arc<Self>> {
        let size = *module_parameters::size.value() as usize;
        if size == 0 || size > sizes::SZ_1M {
            return Err(EINVAL);
        }
        let ring = Ring {
            bytes: KVec::from_elem(0, size, GFP_KERNEL)?,
            first: 0,
            count: 0,
        };
        let queue = try_pin_init!(Queue {
            ring <- new_mutex!(ring),
            changed <- new_poll_condvar!(),
        });
        Arc::pin_init(queue, GFP_KERNEL)
    }

    /// Locks the ring when it is neither empty (for a read) nor full (for a write).
    fn lock_when(
        &self,
        file: &File,
        is_ready: impl Fn(&Ring) -> bool,
    ) -> Result<MutexGuard<'_, Ring>> {
        let mut ring = self.ring.lock();
        while !is_ready(&ring) {
            if file.flags() & file::flags::O_NONBLOCK != 0 {
                return Err(EAGAIN);
            }
            if self.changed.wait_interruptible(&mut ring) {
                return Err(ERESTARTSYS);
            }
        }
        Ok(ring)
    }
}

impl Ring {
    fn room(&self) -> usize {
        self.bytes.len() - self.count
    }

    /// Takes out what fits and can be written to the process.
    fn pop(&mut self, to: &mut IovIterDest<'_>) -> usize {
        let mut done = 0;
        while self.count > 0 && !to.is_empty() {
            let part = self.count.min(self.bytes.len() - self.first);
            let copied = to.copy_to_iter(&self.bytes[self.first..self.first + part]);
            if copied == 0 {
                break;
            }
            self.first = (self.first + copied) % self.bytes.len();
            self.count -= copied;
            done += copied;
        }
        done
    }

    /// Puts in what there is room for and can be read from the process.
    fn push(&mut self, from: &mut IovIterSource<'_>) -> usize {
        let mut done = 0;
        while self.room() > 0 && !from.is_empty() {
            let size = self.bytes.len();
            let end = (self.first + self.count) % size;
            let part = self.room().min(size - end);
            let copied = from.copy_from_iter(&mut self.bytes[end..end + part]);
            if copied == 0 {
                break;
            }
            self.count += copied;
            done += copied;
        }
        done
    }
}

impl MiscDeviceData for Queue {
    type Data = Queue;
}

#[vtable]
impl MiscDevice for Queue {
    type Ptr = Arc<Self>;

    const MODE: Mode = Mode::new::<0o666>();

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Arc<Self>> {
        misc.data()
    }

    fn read_iter(kiocb: Kiocb<'_, Arc<Self>>, to: &mut IovIterDest<'_>) -> Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        let queue = kiocb.file();
        let done = queue
            .lock_when(kiocb.ki_filp(), |ring| ring.count > 0)?
            .pop(to);
        queue.changed.notify_all();
        if done == 0 {
            return Err(EFAULT);
        }
        Ok(done)
    }

    fn write_iter(kiocb: Kiocb<'_, Arc<Self>>, from: &mut IovIterSource<'_>) -> Result<usize> {
        if from.is_empty() {
            return Ok(0);
        }
        let queue = kiocb.file();
        let done = queue
            .lock_when(kiocb.ki_filp(), |ring| ring.room() > 0)?
            .push(from);
        queue.changed.notify_all();
        if done == 0 {
            return Err(EFAULT);
        }
        Ok(done)
    }

    fn ioctl(queue: ArcBorrow<'_, Self>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        match cmd {
            COUNT => {
                let count = queue.ring.lock().count as i32;
                let address = UserPtr::from_addr(arg);
                let mut to = UserSlice::new(address, size_of_val(&count)).writer();
                to.write(&count)?;
            }
            CLEAR => {
                let mut ring = queue.ring.lock();
                (ring.first, ring.count) = (0, 0);
                drop(ring);
                queue.changed.notify_all();
            }
            _ => return Err(ENOTTY),
        }
        Ok(0)
    }

    fn poll(queue: ArcBorrow<'_, Self>, file: &File, table: PollTable<'_>) -> u32 {
        table.register_wait(file, &queue.changed);
        let ring = queue.ring.lock();
        let mut ready = 0;
        if ring.count > 0 {
            ready |= flags::EPOLLIN | flags::EPOLLRDNORM;
        }
        if ring.room() > 0 {
            ready |= flags::EPOLLOUT | flags::EPOLLWRNORM;
        }
        ready
    }
}
