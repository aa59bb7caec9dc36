// SPDX-License-Identifier: GPL-2.0-only

//! Misuses that compile, and must do no harm: the parameter `what` names one. Each logs what it
//! saw.

#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU32, Ordering};
use kernel::{
    fs::{file::Offset, File},
    kthread::KThread,
    new_mutex,
    prelude::*,
    proc_fs::{Mode, Operations, Options, ProcFile},
    sync::{aref::ARef, Arc, Mutex},
    task::Task,
    time::{delay::fsleep, Delta},
    uaccess::{UserSlice, UserSliceReader, UserSliceWriter},
};

module! {
    type: Misuse,
    name: "misuse_core",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        what: &'static CStr { default: c"", description: "Which misuse" },
    },
}

kernel::sync::global_lock! {
    /// This is upstream's form; nobody calls `init`.
    unsafe(uninit) static SLEEPING: Mutex<u32> = 1;
}
kernel::sync::global_lock! {
    static SPINNING: SpinLock<u32> = 2;
}

/// Uses global locks before anything else, and from two threads at once.
fn global_locks() -> Result {
    let held = SLEEPING.lock();
    let thread = KThread::spawn(c"misuse_core", |_| {
        *SLEEPING.lock() += 1;
        *SPINNING.lock() += 1;
    })?;
    fsleep(Delta::from_millis(100));
    drop(held);
    drop(thread);
    let _ = SPINNING.try_lock().map(|mut n| *n += 1);
    pr_info!("global locks: {} {}\n", *SLEEPING.lock(), *SPINNING.lock());
    Ok(())
}

/// Lets two threads give up their references to the same values at once. Each value must go to
/// exactly one of them, and be dropped once.
fn unique() -> Result {
    const ROUNDS: usize = 2000;
    /// How often the others are waited for: they may need the same processor.
    const PATIENCE: u32 = 1000;

    struct Counted(Arc<AtomicU32>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Shared {
        won: AtomicU32,
        places: [AtomicU32; 2],
    }

    let dropped = Arc::new(AtomicU32::new(0), GFP_KERNEL)?;
    let shared = Arc::new(
        Shared {
            won: AtomicU32::new(0),
            places: [AtomicU32::new(0), AtomicU32::new(0)],
        },
        GFP_KERNEL,
    )?;
    let (mut ours, mut theirs) = (KVec::new(), KVec::new());
    for _ in 0..ROUNDS {
        let value = Arc::new(Counted(dropped.clone()), GFP_KERNEL)?;
        theirs.push(value.clone(), GFP_KERNEL)?;
        ours.push(value, GFP_KERNEL)?;
    }
    let give_up = |mine: usize, values: KVec<Arc<Counted>>, shared: Arc<Shared>| {
        move || {
            let [me, other] = match mine {
                0 => [&shared.places[0], &shared.places[1]],
                _ => [&shared.places[1], &shared.places[0]],
            };
            for value in values {
                let place = me.fetch_add(1, Ordering::Relaxed) + 1;
                for _ in 0..PATIENCE {
                    if other.load(Ordering::Relaxed) >= place {
                        break;
                    }
                    core::hint::spin_loop();
                }
                if Arc::into_unique_or_drop(value).is_some() {
                    shared.won.fetch_add(1, Ordering::Relaxed);
                }
                // With one processor, and without preemption, everything else would have to wait.
                kernel::task::cond_resched();
            }
        }
    };
    let one = give_up(0, ours, shared.clone());
    let two = give_up(1, theirs, shared.clone());
    let one = KThread::spawn(c"misuse_core", move |_| one())?;
    let two = KThread::spawn(c"misuse_core", move |_| two())?;
    while !(one.is_finished() && two.is_finished()) {
        fsleep(Delta::from_millis(10));
    }
    drop((one, two));
    let (won, dropped) = (&shared.won, &dropped);
    let [won, dropped] = [won, dropped].map(|n| n.load(Ordering::Relaxed));
    pr_info!("of {ROUNDS} values, {won} were won and {dropped} dropped\n");
    Ok(())
}

/// Reads and writes in a kernel thread where a process has memory.
fn user_memory() -> Result {
    let thread = KThread::spawn(c"misuse_core", |_| {
        let at = || UserSlice::new(UserPtr::from_addr(0x40_1000), 8);
        let mut text = [0; 8];
        let (mut read, mut copied) = (0, 0);
        for _ in 0..50 {
            // Meanwhile a process runs, whose memory stays mapped.
            fsleep(Delta::from_millis(10));
            read += u32::from(at().reader().read::<u64>().is_ok());
            copied += u32::from(at().reader().strcpy_into_buf(&mut text).is_ok());
        }
        let written = at().writer().write(&0u64);
        pr_info!("user memory: read {read}, copied {copied}, written {written:?}\n");
    })?;
    while !thread.is_finished() {
        fsleep(Delta::from_millis(10));
    }
    Ok(())
}

/// Allocates with flags that safe code can make: complements, and contradictions.
fn gfp() -> Result {
    let quiet = __GFP_NOWARN;
    let all = [
        !GFP_KERNEL,
        !(GFP_KERNEL | quiet),
        !GFP_ATOMIC,
        !quiet,
        GFP_KERNEL | GFP_ATOMIC | GFP_NOWAIT,
        GFP_ATOMIC | __GFP_HIGHMEM,
        GFP_KERNEL & !GFP_ATOMIC,
        quiet,
    ];
    let mut made = 0;
    for flags in all {
        for size in [64, 100_000, 2 << 20] {
            let k = KVec::<u8>::with_capacity(size, flags);
            let v = VVec::<u8>::with_capacity(size, flags);
            let mut kv = KVVec::<u8>::with_capacity(size, flags);
            let grown = kv
                .as_mut()
                .is_ok_and(|v| v.reserve(2 * size, flags).is_ok());
            made += u32::from(k.is_ok()) + u32::from(v.is_ok()) + u32::from(grown);
        }
    }
    pr_info!(
        "flags: {}\n",
        if made > 0 { "some memory" } else { "no memory" }
    );
    let atomic = VVec::<u8>::with_capacity(64, GFP_ATOMIC).is_ok();
    pr_info!("vmalloc with GFP_ATOMIC: {atomic}\n");
    Ok(())
}

/// Logs what `{:p}` prints for values on this stack and for statics.
fn addresses() -> Result {
    static PLACE: u32 = 0;
    let local = 0u32;
    pr_info!("static {:p} {:p}\n", &PLACE, &PLACE);
    pr_info!("local {:p} {:p}\n", &local, core::ptr::from_ref(&local));
    let mut text = KVec::new();
    for at in [
        core::ptr::from_ref(&PLACE).addr(),
        core::ptr::from_ref(&local).addr(),
    ] {
        text.push(at, GFP_KERNEL)?;
    }
    pr_info!("really {:x} {:x}\n", text[0], text[1]);
    let me = current!().process()?;
    pr_info!(
        "ids {:x} {:x}\n",
        me.id(),
        current!().group_leader().process()?.id()
    );
    pr_info!("plain {:#}, debug {:#?}\n", "a\nb", ["c"]);
    Ok(())
}

/// Keeps the task that writes, whatever becomes of it.
#[pin_data]
struct Keeper {
    #[pin]
    kept: Mutex<Option<ARef<Task>>>,
}

#[vtable]
impl Operations for Keeper {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    fn write(
        &self,
        _data: (),
        _file: &File,
        from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        *self.kept.lock() = Some(ARef::from(&**current!()));
        Ok(from.len())
    }

    fn read(
        &self,
        _data: (),
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        let task = self.kept.lock().clone().ok_or(ENOENT)?;
        // The end of the task must not harm any of these.
        task.wake_up();
        let leader = task.group_leader();
        let text = kernel::str::CString::try_from_fmt(fmt!(
            "{} {} {} {} {} {} {}\n",
            task.pid(),
            task.tgid(),
            leader.pid(),
            task.uid().into_uid_in_current_ns(),
            task.euid().into_uid_in_current_ns(),
            task.process().is_ok(),
            task.signal_pending(),
        ))?;
        to.write_slice_file(text.to_bytes(), pos)
    }
}

struct Misuse {
    _keeper: Option<Pin<KBox<ProcFile<Keeper>>>>,
}

impl kernel::Module for Misuse {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut keeper = None;
        match module_parameters::what.value().to_bytes() {
            b"global_locks" => global_locks()?,
            b"unique" => unique()?,
            b"user_memory" => user_memory()?,
            b"gfp" => gfp()?,
            b"addresses" => addresses()?,
            b"task" => {
                let options = Options::new(c"misuse_core", Mode::new::<0o666>());
                let init = pin_init!(Keeper { kept <- new_mutex!(None) });
                keeper = Some(KBox::pin_init(ProcFile::new(options, init), GFP_KERNEL)?);
            }
            _ => return Err(EINVAL),
        }
        Ok(Misuse { _keeper: keeper })
    }
}
