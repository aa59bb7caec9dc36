// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes the calls.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, SpliceFFlags, open, splice},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigEvent, SigevNotify, Signal, kill},
        socket::{AddressFamily, SockFlag, SockType, socketpair},
        stat::Mode,
        timer::{Expiration, Timer, TimerSetTimeFlags},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    time::ClockId,
    unistd::{Pid, Whence, dup, fsync, gettid, lseek64, pipe2},
};

use super::{Call, FILES, THREADS, Word};
use crate::{
    message::{receive, send},
    raw::{Arena, Transfer, fork, let_alarms_interrupt},
};

/// How often a call that blocks is interrupted.
const ALARM: Duration = Duration::from_millis(20);

/// How long children may run after the last call.
const CHILD_ROUNDS: u32 = 40;

type Files = Vec<Option<Arc<OwnedFd>>>;

/// What all threads use.
struct Shared {
    arena: Arena,
    files: Mutex<Files>,
    /// A file in memory, into which the kernel copies from mappings.
    sink: OwnedFd,
}

/// Makes calls, with threads and children.
pub struct Player {
    shared: Arc<Shared>,
    _alarm: Timer,
    threads: Vec<Option<Sender<Call>>>,
    done: (Sender<()>, Receiver<()>),
    /// How many calls of other threads have not ended.
    begun: usize,
    children: Vec<Pid>,
}

impl Player {
    pub fn new() -> Result<Player, Errno> {
        let_alarms_interrupt()?;
        let sink = nix::sys::memfd::memfd_create("sink", nix::sys::memfd::MFdFlags::empty())?;
        Ok(Player {
            shared: Arc::new(Shared {
                arena: Arena::new()?,
                files: Mutex::new(vec![None; usize::from(FILES)]),
                sink,
            }),
            _alarm: alarm()?,
            threads: vec![None; usize::from(THREADS)],
            done: channel(),
            begun: 0,
            children: Vec::new(),
        })
    }

    /// Makes these calls, and then closes all files.
    pub fn run(&mut self, calls: &[Call]) {
        for (index, call) in calls.iter().enumerate() {
            match (call.name(), call.thread) {
                ("fork", _) => self.fork(&calls[index + 1..]),
                ("end", _) => self.end(),
                (_, 0) => _ = self.shared.call(call),
                (_, thread) => self.begin(thread, call),
            }
        }
        self.end();
    }

    /// Makes one call, and returns its result. `None` means that another thread makes it.
    pub fn result(&mut self, call: &Call) -> Option<Result<i64, Errno>> {
        match (call.name(), call.thread) {
            ("end", _) => self.end(),
            (_, 0) => return Some(self.shared.call(call)),
            (_, thread) => self.begin(thread, call),
        }
        None
    }

    fn begin(&mut self, number: u8, call: &Call) {
        let (shared, done) = (self.shared.clone(), self.done.0.clone());
        let thread = self.threads[usize::from(number)].get_or_insert_with(|| {
            let (to, calls) = channel::<Call>();
            thread::spawn(move || {
                let _alarm = alarm();
                for call in calls {
                    _ = shared.call(&call);
                    _ = done.send(());
                }
            });
            to
        });
        if thread.send(call.clone()).is_ok() {
            self.begun += 1;
        }
    }

    /// Starts a child that makes these calls, all in its one thread.
    pub fn fork(&mut self, calls: &[Call]) {
        // No other thread of the parent has this lock when the child begins.
        let files = self.shared.files();
        let now = files.clone();
        let child = fork(|| {
            drop(files);
            let calls = calls.iter().take_while(|call| call.name() != "end");
            for call in calls.filter(|call| call.name() != "fork") {
                _ = self.shared.call(call);
            }
        });
        drop(now);
        if let Ok(pid) = child {
            self.children.push(pid);
        }
    }

    /// Waits for threads and children, and closes all files.
    fn end(&mut self) {
        for _ in 0..std::mem::take(&mut self.begun) {
            _ = self.done.1.recv();
        }
        for pid in std::mem::take(&mut self.children) {
            let mut rounds = 0;
            let still = || waitpid(pid, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive);
            while still() {
                thread::sleep(Duration::from_millis(1));
                rounds += 1;
                if rounds == CHILD_ROUNDS {
                    _ = kill(pid, Signal::SIGKILL);
                }
            }
        }
        let closed = std::mem::replace(&mut *self.shared.files(), vec![None; usize::from(FILES)]);
        drop(closed);
        _ = self.shared.arena.unmap();
    }
}

/// Interrupts calls of this thread that block.
fn alarm() -> Result<Timer, Errno> {
    let event = SigEvent::new(SigevNotify::SigevThreadId {
        signal: Signal::SIGALRM,
        thread_id: gettid().as_raw(),
        si_value: 0,
    });
    let mut timer = Timer::new(ClockId::CLOCK_MONOTONIC, event)?;
    let every = Expiration::Interval(ALARM.into());
    timer.set(every, TimerSetTimeFlags::empty())?;
    Ok(timer)
}

impl Shared {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, file: u8) -> Result<Arc<OwnedFd>, Errno> {
        self.files()[usize::from(file)].clone().ok_or(Errno::EBADF)
    }

    fn put(&self, file: u8, opened: Option<OwnedFd>) -> Option<Arc<OwnedFd>> {
        let opened = opened.map(Arc::new);
        std::mem::replace(&mut self.files()[usize::from(file)], opened)
    }

    fn call(&self, call: &Call) -> Result<i64, Errno> {
        // Memory is in slots of the thread's own.
        let slot = usize::from(call.thread) * 2;
        let address = |word: &Word, index: usize| match word {
            Word::Memory(memory) => memory.address(&self.arena, slot + index),
            Number(number) => *number as u64,
            _ => 0,
        };
        let transfer = |kind, file, parts: &[&Word], at| {
            let pairs = parts.chunks(2).enumerate();
            let parts: Vec<(u64, u64)> = pairs
                .map(|(index, pair)| (address(pair[0], index), address(pair[1], 0)))
                .collect();
            self.arena
                .transfer(self.file(file)?.as_fd(), kind, &parts, at)
        };
        use Transfer::{Read, Write};
        use Word::{File, Number, Path};
        match (call.name(), call.words.as_slice()) {
            ("open", [File(file), Path(path), Number(flags)]) => {
                let flags = OFlag::from_bits_retain(*flags as i32);
                let opened = open(path.as_str(), flags, Mode::empty())?;
                drop(self.put(*file, Some(opened)));
                Ok(0)
            }
            ("read", [File(file), to, n]) => transfer(Read, *file, &[to, n], None),
            ("pread", [File(f), to, n, Number(at)]) => transfer(Read, *f, &[to, n], Some(*at)),
            ("readv", [File(file), a, m, b, n]) => transfer(Read, *file, &[a, m, b, n], None),
            ("write", [File(file), from, n]) => transfer(Write, *file, &[from, n], None),
            ("pwrite", [File(f), from, n, Number(at)]) => {
                transfer(Write, *f, &[from, n], Some(*at))
            }
            ("writev", [File(file), a, m, b, n]) => transfer(Write, *file, &[a, m, b, n], None),
            ("seek", [File(file), Number(offset), Number(whence)]) => {
                let whence = match whence {
                    1 => Whence::SeekCur,
                    2 => Whence::SeekEnd,
                    _ => Whence::SeekSet,
                };
                lseek64(&*self.file(*file)?, *offset, whence)
            }
            ("poll", [File(file), Number(events)]) => {
                let events = PollFlags::from_bits_truncate(*events as i16);
                let file = self.file(*file)?;
                let mut polled = [PollFd::new(file.as_fd(), events)];
                poll(&mut polled, PollTimeout::ZERO).map(i64::from)
            }
            ("ioctl", [File(file), Number(number), argument]) => {
                let argument = address(argument, 0);
                let file = self.file(*file)?;
                self.arena.ioctl(file.as_fd(), *number as u32, argument)
            }
            ("mmap", [File(file), Number(size), Number(at), Number(protection)]) => {
                let (size, protection) = (*size as usize, *protection as i32);
                self.arena.map(&*self.file(*file)?, size, *at, protection)?;
                self.touch(size);
                Ok(0)
            }
            ("munmap", []) => self.arena.unmap().map(|()| 0),
            ("dup", [File(from), File(to)]) => {
                let copy = dup(&*self.file(*from)?)?;
                drop(self.put(*to, Some(copy)));
                Ok(0)
            }
            ("pass", [File(from), File(to)]) => {
                let passed = pass(&*self.file(*from)?)?;
                drop(self.put(*to, Some(passed)));
                Ok(0)
            }
            ("splice-from", [File(file), Number(n)]) => {
                let (_read, write) = pipe2(OFlag::O_NONBLOCK)?;
                let file = self.file(*file)?;
                let flags = SpliceFFlags::SPLICE_F_NONBLOCK;
                splice(&*file, None, &write, None, *n as usize, flags).map(|n| n as i64)
            }
            ("splice-to", [File(file), Number(n)]) => {
                let (read, write) = pipe2(OFlag::O_NONBLOCK)?;
                let bytes = vec![b'1'; (*n as usize).min(Arena::SLOT)];
                nix::unistd::write(&write, &bytes)?;
                let file = self.file(*file)?;
                let flags = SpliceFFlags::SPLICE_F_NONBLOCK;
                splice(&read, None, &*file, None, *n as usize, flags).map(|n| n as i64)
            }
            ("sync", [File(file)]) => fsync(&*self.file(*file)?).map(|()| 0),
            ("close", [File(file)]) => match self.put(*file, None) {
                Some(_) => Ok(0),
                None => Err(Errno::EBADF),
            },
            _ => Err(Errno::ENOSYS),
        }
    }

    /// Makes the kernel read each page of what is mapped. It returns an error where this process
    /// would get a signal.
    fn touch(&self, size: usize) {
        let pages = size.min(Arena::WINDOW_SIZE).div_ceil(4096) as u64;
        for page in 0..pages {
            let part = [(self.arena.window() + page * 4096, 1)];
            let sink = self.sink.as_fd();
            _ = self.arena.transfer(sink, Transfer::Write, &part, Some(0));
        }
    }
}

/// Sends an open file through a socket, and returns what arrives.
fn pass(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    let (from, to) = socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::empty(),
    )?;
    send(&from, file)?;
    receive(&to)
}
