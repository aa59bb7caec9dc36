// SPDX-License-Identifier: GPL-2.0-only

//! Has tokens in /proc/kt_wait: reading waits for one and takes it, writing adds some.
//!
//! When it is loaded, it checks atomics, completions and `LockedBy`.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{file::Offset, File},
    kthread::KThread,
    new_condvar, new_mutex,
    prelude::*,
    proc_fs::{Mode, Operations, Options, ProcFile, Show, ShowFile},
    seq_file::SeqFile,
    seq_print,
    sync::{
        atomic::{Acquire, Atomic, AtomicFlag, Full, Relaxed, Release},
        Arc, Completion, CondVar, CondVarTimeoutResult, LockedBy, Mutex,
    },
    time::Delta,
    uaccess::{UserSliceReader, UserSliceWriter},
};

module! {
    type: Wait,
    name: "kt_wait",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

struct Wait {
    _file: Pin<KBox<ProcFile<Tokens>>>,
    _state: Pin<KBox<ShowFile<State>>>,
}

impl kernel::Module for Wait {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        atomics()?;
        locked_by()?;
        completion()?;
        pr_info!("all is right\n");
        let bench = bench()?;
        let state = Options::new(c"kt_wait_state", Mode::new::<0o444>());
        let state = ShowFile::new(state, State(bench.clone()));
        let file = Options::new(c"kt_wait", Mode::new::<0o666>());
        let file = ProcFile::new(file, Tokens(bench));
        Ok(Wait {
            _file: KBox::pin_init(file, GFP_KERNEL)?,
            _state: KBox::pin_init(state, GFP_KERNEL)?,
        })
    }
}

fn check(what: &str, holds: bool) -> Result {
    if holds {
        return Ok(());
    }
    pr_err!("wrong: {what}\n");
    Err(EINVAL)
}

fn atomics() -> Result {
    let n = Atomic::<i32>::new(i32::MAX);
    check("add", n.fetch_add(1, Full) == i32::MAX)?;
    check("wraps", n.load(Relaxed) == i32::MIN)?;
    check("sub", n.fetch_sub(1, Relaxed) == i32::MIN)?;
    n.store(5, Release);
    check("xchg", n.xchg(6, Acquire) == 5)?;
    check("cmpxchg fails", n.cmpxchg(5, 7, Full) == Err(6))?;
    check("cmpxchg", n.cmpxchg(6, 7, Full) == Ok(6))?;
    n.add(1, Release);
    check("sum", n.load(Acquire) == 8)?;
    let flag = Atomic::<bool>::new(false);
    check("claim", flag.cmpxchg(false, true, Full) == Ok(false))?;
    check("claimed", flag.cmpxchg(false, true, Full) == Err(true))?;
    let mut flag = AtomicFlag::new(false);
    check("flag claim", flag.cmpxchg(false, true, Full) == Ok(false))?;
    check(
        "flag claimed",
        flag.cmpxchg(false, true, Acquire) == Err(true),
    )?;
    check(
        "flag xchg",
        flag.xchg(false, Release) && !flag.load(Relaxed),
    )?;
    flag.store(true, Release);
    *flag.get_mut() = !flag.load(Acquire);
    check("flag", !flag.load(Acquire))?;
    // Two threads count in one number.
    let total = Arc::new(Atomic::<u64>::new(0), GFP_KERNEL)?;
    let count =
        |total: Arc<Atomic<u64>>| move |_: &_| (0..50_000).for_each(|_| total.add(1, Relaxed));
    let threads = [
        KThread::spawn(c"kt_wait/0", count(total.clone()))?,
        KThread::spawn(c"kt_wait/1", count(total.clone()))?,
    ];
    while !threads.iter().all(KThread::is_finished) {
        kernel::time::delay::fsleep(Delta::from_millis(1));
    }
    check("none is lost", total.load(Relaxed) == 100_000)
}

fn locked_by() -> Result {
    let owner = KBox::pin_init(new_mutex!(1u32), GFP_KERNEL)?;
    let locked = LockedBy::new(&owner, 5u64);
    *locked.access_mut(&mut owner.lock()) += 1;
    let guard = owner.lock();
    check("locked by", *locked.access(&guard) == 6)
}

fn completion() -> Result {
    let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
    let theirs = done.clone();
    let thread = KThread::spawn(c"kt_wait/c", move |_| {
        theirs.wait_for_completion();
        theirs.wait_for_completion();
        5
    })?;
    kernel::time::delay::fsleep(Delta::from_millis(5));
    check("it waits", !thread.is_finished())?;
    done.complete_all();
    done.wait_for_completion();
    while !thread.is_finished() {
        kernel::time::delay::fsleep(Delta::from_millis(1));
    }
    check("result", thread.stop() == Some(5))
}

#[pin_data]
struct Bench {
    #[pin]
    count: Mutex<Count>,
    #[pin]
    changed: CondVar,
}

#[derive(Clone, Copy, Default)]
struct Count {
    tokens: u32,
    waiting: u32,
}

fn bench() -> Result<Arc<Bench>> {
    let init = pin_init!(Bench {
        count <- new_mutex!(Count::default()),
        changed <- new_condvar!("kt_wait::changed"),
    });
    Arc::pin_init(init, GFP_KERNEL)
}

struct State(Arc<Bench>);

impl Show for State {
    fn show(&self, m: &SeqFile) -> Result {
        let count = *self.0.count.lock();
        seq_print!(m, "tokens {} waiting {}\n", count.tokens, count.waiting);
        Ok(())
    }
}

struct Tokens(Arc<Bench>);

impl Bench {
    fn take(&self) -> Result {
        let mut count = self.count.lock();
        count.waiting += 1;
        while count.tokens == 0 {
            if self.changed.wait_interruptible(&mut count) {
                count.waiting -= 1;
                return Err(EINTR);
            }
        }
        count.waiting -= 1;
        count.tokens -= 1;
        Ok(())
    }

    /// Waits again as often as it wakes for no reason.
    fn take_until(&self, mut ticks: usize) -> Result<&'static [u8]> {
        let mut count = self.count.lock();
        count.waiting += 1;
        let result = loop {
            if count.tokens > 0 {
                count.tokens -= 1;
                break Ok(&b"in time\n"[..]);
            }
            match self.changed.wait_interruptible_timeout(&mut count, ticks) {
                CondVarTimeoutResult::Timeout => break Ok(&b"too late\n"[..]),
                CondVarTimeoutResult::Woken { jiffies } => ticks = jiffies,
                CondVarTimeoutResult::Signal { .. } => break Err(EINTR),
            }
        };
        count.waiting -= 1;
        result
    }
}

#[vtable]
impl Operations for Tokens {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    /// Waits for ever at offset 0, and for as many ticks as the offset otherwise.
    fn read(
        &self,
        _data: (),
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        let text = match usize::try_from(*pos)? {
            0 => self.0.take().map(|()| &b"token\n"[..])?,
            ticks => self.0.take_until(ticks)?,
        };
        to.write_slice_file(text, &mut 0)
    }

    /// Handles a byte n as n tokens and a notification of all, and 0 as a token and a notification
    /// of one.
    fn write(
        &self,
        _data: (),
        _file: &File,
        from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        let n = from.read::<u8>()?;
        self.0.count.lock().tokens += u32::from(n.max(1));
        match n {
            0 => self.0.changed.notify_sync(),
            1 => self.0.changed.notify_one(),
            _ => self.0.changed.notify_all(),
        }
        Ok(1)
    }
}
