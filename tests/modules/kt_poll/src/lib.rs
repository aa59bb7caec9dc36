// SPDX-License-Identifier: GPL-2.0-only

//! A device that is polled, for tests/guest/tests/kernel_poll.rs.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{File, Kiocb},
    iov::{IovIterDest, IovIterSource},
    miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceOptions, MiscDeviceRegistration},
    new_mutex, new_poll_condvar,
    prelude::*,
    sync::{
        poll::{flags, PollCondVar, PollTable},
        Arc, ArcBorrow, Mutex,
    },
    InPlaceModule,
};

module! {
    type: Module,
    name: "kt_poll",
    description: "A device to be polled",
    license: "GPL",
}

#[pin_data]
struct Module {
    #[pin]
    device: MiscDeviceRegistration<Counter>,
}

impl InPlaceModule for Module {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions { name: c"kt_poll" };
        try_pin_init!(Self {
            device <- MiscDeviceRegistration::register_with(options, Counter::new()?),
        })
    }
}

/// A count, which a `+` adds to and a read of a byte takes from.
#[pin_data]
struct Counter {
    #[pin]
    state: Mutex<State>,
}

struct State {
    count: usize,
    changed: Pin<KBox<PollCondVar>>,
    /// Return all bits.
    wild: bool,
}

impl Counter {
    fn new() -> Result<Arc<Self>> {
        let state = State {
            count: 0,
            changed: KBox::pin_init(new_poll_condvar!("kt_poll"), GFP_KERNEL)?,
            wild: false,
        };
        let counter = pin_init!(Counter {
            state <- new_mutex!(state),
        });
        Arc::pin_init(counter, GFP_KERNEL)
    }

    fn command(&self, command: u8) -> Result {
        match command {
            b'+' => {
                let mut state = self.state.lock();
                state.count += 1;
                state.changed.notify_one();
            }
            // Drops what others may be waiting for.
            b's' => {
                let new = KBox::pin_init(new_poll_condvar!("kt_poll"), GFP_KERNEL)?;
                let old = core::mem::replace(&mut self.state.lock().changed, new);
                drop(old);
            }
            b'w' => self.state.lock().wild = true,
            _ => return Err(EINVAL),
        }
        Ok(())
    }
}

impl MiscDeviceData for Counter {
    type Data = Counter;
}

#[vtable]
impl MiscDevice for Counter {
    type Ptr = Arc<Self>;

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Arc<Self>> {
        misc.data()
    }

    fn read_iter(kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let counter = kiocb.file();
        let mut state = counter.state.lock();
        state.count = state.count.checked_sub(1).ok_or(EAGAIN)?;
        Ok(iov.copy_to_iter(b"x"))
    }

    fn write_iter(kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let mut command = [0];
        let n = iov.copy_from_iter(&mut command);
        kiocb.file().command(command[0])?;
        Ok(n)
    }

    fn poll(counter: ArcBorrow<'_, Self>, file: &File, table: PollTable<'_>) -> u32 {
        let state = counter.state.lock();
        table.register_wait(file, &state.changed);
        // Twice does no harm.
        table.register_wait(file, &state.changed);
        match (state.wild, state.count) {
            (true, _) => u32::MAX,
            (_, 0) => flags::EPOLLOUT,
            _ => flags::EPOLLIN | flags::EPOLLOUT,
        }
    }
}
