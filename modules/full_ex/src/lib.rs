// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/full_ex`: a deque of integers for every process that opens it.

#![no_std]
#![forbid(unsafe_code)]

mod deque;

use deque::Deque;
use kernel::fs::{file::Offset, File};
use kernel::pid::Pid;
use kernel::prelude::*;
use kernel::proc_fs::{self, ProcFile};
use kernel::sync::{aref::ARef, Mutex};
use kernel::uaccess::{UserSliceReader, UserSliceWriter};
use kernel::{new_mutex, InPlaceModule};

module! {
    type: FullEx,
    name: "full_ex",
    author: "The Koru authors",
    description: "/proc/full_ex: a deque of integers for every process that opens it",
    license: "GPL",
    version: "1.0",
}

/// The largest capacity of a deque, in integers.
const MAX_CAPACITY: u8 = 100;

/// The size of one integer, which each later read or write transfers.
const ELEMENT_SIZE: usize = size_of::<i32>();

/// The module's value is its file, which exists while the module is loaded.
#[pin_data]
struct FullEx {
    #[pin]
    file: ProcFile<Deques>,
}

impl InPlaceModule for FullEx {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"full_ex", proc_fs::Mode::new::<0o666>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Deques::new()),
        })
    }
}

/// The number of lists that the holders are distributed to.
///
/// Pids are given one after the other, so the lists are about equally long.
const LISTS: usize = 32;

type Holders = KVec<ARef<Pid>>;

/// The processes that hold the file open, each in the list that its pid chooses.
///
/// Only `open` and the last `close` use this: a read or a write finds everything in the open file.
#[pin_data]
struct Deques {
    #[pin]
    lists: Mutex<[Holders; LISTS]>,
}

/// An open file: the process that opened it, and its deque.
///
/// Everybody may open the file, so all of this memory is charged to the opener.
#[pin_data]
struct Opened {
    owner: ARef<Pid>,
    /// `None` until the first write has set the capacity.
    #[pin]
    deque: Mutex<Option<Deque<KVec<i32>>>>,
}

impl Deques {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            lists <- new_mutex!([const { Holders::new() }; LISTS]),
        })
    }
}

/// Returns the list for a process.
fn list_of<'a>(lists: &'a mut [Holders; LISTS], process: &Pid) -> &'a mut Holders {
    &mut lists[process.nr() as usize % LISTS]
}

impl Opened {
    fn new(owner: ARef<Pid>) -> Result<Pin<KBox<Self>>> {
        KBox::pin_init(
            pin_init!(Opened {
                owner,
                deque <- new_mutex!(None),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Checks that the caller is a thread of the owner.
    ///
    /// A process that inherited or received the descriptor is another one, and so is a later
    /// process with the owner's number.
    fn check_caller(&self) -> Result {
        if current!().belongs_to(&self.owner) {
            Ok(())
        } else {
            Err(EACCES)
        }
    }
}

/// Handles the first write: one byte, which is the capacity.
fn make_deque(from: &mut UserSliceReader) -> Result<Deque<KVec<i32>>> {
    if from.len() != 1 {
        return Err(EINVAL);
    }
    let capacity: u8 = from.read()?;
    if !(1..=MAX_CAPACITY).contains(&capacity) {
        return Err(EINVAL);
    }
    let slots = KVec::from_elem(0, usize::from(capacity), GFP_KERNEL_ACCOUNT)?;
    Ok(Deque::new(slots))
}

#[vtable]
impl proc_fs::Operations for Deques {
    type Data = Pin<KBox<Opened>>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        let owner = current!().process()?;
        let opened = Opened::new(owner.clone())?;
        let mut lists = self.lists.lock();
        let list = list_of(&mut lists, &owner);
        if list.iter().any(|holder| **holder == *owner) {
            return Err(EACCES);
        }
        list.push(owner, GFP_KERNEL_ACCOUNT)?;
        Ok(opened)
    }

    /// Called when the last descriptor is closed, in whichever process.
    ///
    /// The owner, if it still exists, may open the file again.
    fn release(&self, opened: Self::Data, _file: &File) {
        let mut lists = self.lists.lock();
        let list = list_of(&mut lists, &opened.owner);
        if let Some(at) = list.iter().position(|holder| **holder == *opened.owner) {
            let _ = list.remove(at);
        }
    }

    fn read(
        &self,
        opened: Pin<&Opened>,
        _file: &File,
        to: &mut UserSliceWriter,
        _pos: &mut Offset,
    ) -> Result<usize> {
        opened.check_caller()?;
        if to.len() < ELEMENT_SIZE {
            return Err(EINVAL);
        }
        // The lock is held until the reader has its integer, because two readers must not get the
        // same one. Copying may wait for a page, but then only this process waits.
        let mut made = opened.deque.lock();
        let Some(deque) = &mut *made else {
            return Err(EACCES);
        };
        // The integer is removed only if the reader has it: otherwise it would be lost.
        deque.pop(|value| to.write(&value)).ok_or(EACCES)??;
        Ok(ELEMENT_SIZE)
    }

    fn write(
        &self,
        opened: Pin<&Opened>,
        _file: &File,
        from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        opened.check_caller()?;
        let mut made = opened.deque.lock();
        let Some(deque) = &mut *made else {
            *made = Some(make_deque(from)?);
            return Ok(1);
        };
        if from.len() != ELEMENT_SIZE {
            return Err(EINVAL);
        }
        let value: i32 = from.read()?;
        deque.push(value).map_err(|deque::Full| EACCES)?;
        Ok(ELEMENT_SIZE)
    }
}
