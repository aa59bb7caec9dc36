// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/elevator`: an elevator that a kernel thread moves.

#![no_std]
#![forbid(unsafe_code)]

mod scan;

use core::fmt::Write;
use kernel::fs::{file::Offset, File};
use kernel::kthread::{CurrentKThread, KThread};
use kernel::prelude::*;
use kernel::proc_fs::{self, ProcFile, Snapshot};
use kernel::sync::{Arc, CondVar, Mutex};
use kernel::time::Delta;
use kernel::uaccess::{UserSliceReader, UserSliceWriter};
use kernel::{new_condvar, new_mutex, InPlaceModule};
use scan::{Command, Elevator, Person, Queue, State};

module! {
    type: Building,
    name: "elevator",
    author: "The Koru authors",
    description: "/proc/elevator: an elevator that scans, moved by a kernel thread",
    license: "GPL",
    version: "1.0",
    params: {
        floor_ms: u32 { default: 2000, description: "Milliseconds from floor to floor" },
        load_ms: u32 { default: 1000, description: "Milliseconds that the doors are open" },
    },
}

/// The largest number of people who wait.
///
/// Everybody can write to the file. The memory for that many is allocated when the module is
/// loaded, so that a command allocates nothing.
const MAX_WAITING: usize = 10_000;

/// The length of the longest command, with its newline.
const MAX_COMMAND_LEN: usize = 6;

/// The module's value.
///
/// Its fields are dropped in order: the file first, so that nobody calls the elevator any more,
/// then the thread, whatever it is doing. What they share is dropped with the last of them.
#[pin_data]
struct Building {
    #[pin]
    file: ProcFile<Panel>,
    motor: KThread,
}

impl InPlaceModule for Building {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let shaft = Shaft::new();
        let options = proc_fs::Options::new(c"elevator", proc_fs::Mode::new::<0o666>());
        try_pin_init!(Self {
            motor: {
                let shaft = shaft.clone()?;
                KThread::spawn(c"elevator", move |thread| shaft.run(thread))?
            },
            file <- ProcFile::new(options, Panel { shaft: shaft? }),
        })
    }
}

/// The state that the file and the thread share.
#[pin_data]
struct Shaft {
    #[pin]
    elevator: Mutex<Elevator<KVec<Person>>>,
    #[pin]
    called: CondVar,
}

impl Queue for KVec<Person> {
    fn people(&self) -> &[Person] {
        self
    }

    fn take(&mut self, index: usize) -> Option<Person> {
        self.remove(index).ok()
    }
}

impl Shaft {
    fn new() -> Result<Arc<Self>> {
        let queue = KVec::with_capacity(MAX_WAITING, GFP_KERNEL)?;
        let init = pin_init!(Self {
            elevator <- new_mutex!(Elevator::new(queue)),
            called <- new_condvar!(),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Runs the elevator: the function of the thread.
    ///
    /// Each wait ends at once when the module is unloaded, and the thread then returns.
    fn run(&self, thread: &CurrentKThread) {
        let millis = |param: &u32| Delta::from_millis(i64::from(*param));
        let floor_time = millis(module_parameters::floor_ms.value());
        let load_time = millis(module_parameters::load_ms.value());
        let mut elevator = self.elevator.lock();
        loop {
            let time = match elevator.next() {
                State::Idle | State::Offline => {
                    if !thread.wait(&self.called, &mut elevator) {
                        return;
                    }
                    continue;
                }
                State::Loading => load_time,
                State::Up | State::Down => floor_time,
            };
            // Others can read and command while the elevator moves.
            drop(elevator);
            if !thread.sleep(time) {
                return;
            }
            elevator = self.elevator.lock();
            elevator.done();
        }
    }

    fn command(&self, command: Command) -> Result {
        let mut elevator = self.elevator.lock();
        match command {
            Command::Start => elevator.start(),
            Command::Stop => elevator.stop(),
            Command::Enter(person) => {
                if elevator.waiting().len() >= MAX_WAITING {
                    return Err(ENOSPC);
                }
                elevator.queue().push(person, GFP_KERNEL)?;
            }
        }
        self.called.notify_one();
        Ok(())
    }

    /// Returns the current state as text.
    fn text(&self) -> Result<Text> {
        let seen = self.look()?;
        let len = HEAD_LEN + seen.waiting().len() * PERSON_LEN;
        let mut text = Growing(KVec::with_capacity(len, GFP_KERNEL_ACCOUNT)?);
        write!(text, "{seen}").map_err(|_| ENOMEM)?;
        Ok(Text(Arc::new(text.0, GFP_KERNEL_ACCOUNT)?))
    }

    /// Returns a copy of the current state, so that the motor waits neither for the formatting nor
    /// for memory.
    fn look(&self) -> Result<Elevator<KVec<Person>>> {
        let mut capacity = self.elevator.lock().waiting().len();
        loop {
            let mut people = KVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?;
            let elevator = self.elevator.lock();
            if elevator.waiting().len() <= capacity {
                people.extend_from_slice(elevator.waiting(), GFP_KERNEL_ACCOUNT)?;
                return Ok(elevator.with_queue(people));
            }
            // More people have come meanwhile. There is space for all who may come next time.
            capacity = MAX_WAITING;
        }
    }
}

/// The approximate length of the text without those who wait.
const HEAD_LEN: usize = 512;
/// The length of the text of one who waits, such as ` L4`.
const PERSON_LEN: usize = 3;

/// A text that grows.
struct Growing(KVec<u8>);

impl Write for Growing {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        let added = self.0.extend_from_slice(s.as_bytes(), GFP_KERNEL_ACCOUNT);
        added.map_err(|_| core::fmt::Error)
    }
}

/// A text that its readers share.
#[derive(Clone)]
struct Text(Arc<KVec<u8>>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The file's data: whoever writes calls the elevator, and whoever reads looks at it.
struct Panel {
    shaft: Arc<Shaft>,
}

#[vtable]
impl proc_fs::Operations for Panel {
    /// The text that an open file returns, for reads that take it in pieces.
    type Data = Pin<KBox<Snapshot<Text>>>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        // Everybody may open the file, so the memory is charged to the opener.
        KBox::pin_init(Snapshot::new(), GFP_KERNEL_ACCOUNT)
    }

    fn read(
        &self,
        snapshot: Pin<&Snapshot<Text>>,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // A read from the start takes a new snapshot; any other continues with the kept one.
        snapshot.read(to, pos, || self.shaft.text())
    }

    fn write(
        &self,
        _snapshot: Pin<&Snapshot<Text>>,
        _file: &File,
        from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        let len = from.len();
        if len == 0 {
            return Ok(0);
        }
        // One more byte than fits shows that a command is too long.
        let mut text = [0; MAX_COMMAND_LEN + 1];
        let text = text.get_mut(..len.min(MAX_COMMAND_LEN + 1)).ok_or(EINVAL)?;
        from.read_slice(text)?;
        self.shaft.command(Command::parse(text).ok_or(EINVAL)?)?;
        Ok(len)
    }
}
