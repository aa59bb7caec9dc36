// SPDX-License-Identifier: GPL-2.0-only

//! Leaks everything that can be registered, in every way.

#![no_std]
#![forbid(unsafe_code)]

use core::mem::forget;
use kernel::{
    fs::File,
    kprobe::{Handler, Probe, Regs},
    kthread::{CurrentKThread, KThread},
    miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceOptions, MiscDeviceRegistration},
    new_mutex,
    prelude::*,
    proc_fs::{Mode, Operations, Options, ProcFile, Show, ShowFile},
    seq_file::SeqFile,
    seq_print,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, Mutex,
    },
    time::{delay::fsleep, Delta},
};

module! {
    type: Leaky,
    name: "kt_leak",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        what: &'static CStr { default: c"nothing", description: "What to leak, and how" },
        refuse: bool { default: false, description: "Fail after that" },
    },
}

struct Leaky(Arc<Atomic<bool>>);

impl Drop for Leaky {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl kernel::Module for Leaky {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let leaving = Arc::new(Atomic::<bool>::new(false), GFP_KERNEL)?;
        leak(module_parameters::what.value().to_str()?, &leaving)?;
        if *module_parameters::refuse.value() {
            leaving.store(true, Relaxed);
            return Err(EBUSY);
        }
        Ok(Leaky(leaving))
    }
}

fn leak(what: &str, leaving: &Arc<Atomic<bool>>) -> Result {
    match what {
        "nothing" => {}
        "thread_forget" => forget(thread()?),
        "thread_leak" => _ = KBox::leak(KBox::new(thread()?, GFP_KERNEL)?),
        "thread_cycle" => thread_cycle()?,
        "thread_own" | "thread_own_stop" => own(leaving.clone())?,
        "thread_late" => late(leaving.clone())?,
        "show_forget" => forget(KBox::pin_init(show(None), GFP_KERNEL)?),
        "show_cycle" => held_by_itself(|own| KBox::pin_init(show(Some(own)), GFP_KERNEL))?,
        "show_vec" => forget(kernel::kvec![KBox::pin_init(show(None), GFP_KERNEL)?]?),
        "proc_forget" => forget(KBox::pin_init(proc_file(None), GFP_KERNEL)?),
        "proc_arc" => forget(Arc::pin_init(proc_file(None), GFP_KERNEL)?),
        "proc_cycle" => held_by_itself(|own| KBox::pin_init(proc_file(Some(own)), GFP_KERNEL))?,
        "misc_forget" => forget(KBox::pin_init(misc(None)?, GFP_KERNEL)?),
        "misc_arc" => forget(Arc::pin_init(misc(None)?, GFP_KERNEL)?),
        "misc_cycle" => held_by_itself(|own| KBox::pin_init(misc(Some(own))?, GFP_KERNEL))?,
        "probe_forget" => forget(KBox::pin_init(probe(None), GFP_KERNEL)?),
        "probe_arc" => forget(Arc::pin_init(probe(None), GFP_KERNEL)?),
        "probe_cycle" => held_by_itself(|own| KBox::pin_init(probe(Some(own)), GFP_KERNEL))?,
        "several" => {
            forget([thread()?, thread()?]);
            forget(KBox::pin_init(show(None), GFP_KERNEL)?);
            forget(KBox::pin_init(misc(None)?, GFP_KERNEL)?);
            forget(KBox::pin_init(probe(None), GFP_KERNEL)?);
        }
        _ => return Err(EINVAL),
    }
    Ok(())
}

const TURN: Delta = Delta::from_millis(20);

fn thread() -> Result<KThread> {
    KThread::spawn(
        c"kt_leak",
        |thread: &CurrentKThread| while thread.sleep(TURN) {},
    )
}

/// A value that holds itself, once it is filled with what holds it.
#[pin_data]
struct Cycle {
    #[pin]
    held: Mutex<Option<Held>>,
}

#[expect(dead_code, reason = "what is held is there to be leaked")]
enum Held {
    Thread(KThread),
    Show(Pin<KBox<ShowFile<Calls>>>),
    Proc(Pin<KBox<ProcFile<Calls>>>),
    Misc(Pin<KBox<MiscDeviceRegistration<Calls>>>),
    Probe(Pin<KBox<Probe<Calls>>>),
}

macro_rules! held {
    ($($variant:ident $ty:ty),* $(,)?) => {$(
        impl From<$ty> for Held {
            fn from(value: $ty) -> Self {
                Held::$variant(value)
            }
        }
    )*};
}
held! {
    Thread KThread,
    Show Pin<KBox<ShowFile<Calls>>>,
    Proc Pin<KBox<ProcFile<Calls>>>,
    Misc Pin<KBox<MiscDeviceRegistration<Calls>>>,
    Probe Pin<KBox<Probe<Calls>>>,
}

fn empty() -> Result<Arc<Cycle>> {
    Arc::pin_init(pin_init!(Cycle { held <- new_mutex!(None) }), GFP_KERNEL)
}

fn held_by_itself<T: Into<Held>>(make: impl FnOnce(Arc<Cycle>) -> Result<T>) -> Result {
    let cycle = empty()?;
    let made = make(cycle.clone())?;
    *cycle.held.lock() = Some(made.into());
    Ok(())
}

/// Makes the cycle of a natural first design: the device holds the thread, and the thread the
/// device.
fn thread_cycle() -> Result {
    held_by_itself(|device| {
        KThread::spawn(c"kt_leak", move |thread| {
            while thread.sleep(TURN) {
                let _held: bool = device.held.lock().is_some();
            }
        })
    })
}

/// A value that logs when it is dropped.
struct Noted(&'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        pr_info!("{} is dropped\n", self.0);
    }
}

/// Starts a thread that drops itself, and runs until after the module's exit.
fn own(leaving: Arc<Atomic<bool>>) -> Result {
    held_by_itself(|device| {
        let noted = Noted("the closure");
        KThread::spawn(c"kt_own", move |thread| {
            let _noted = noted;
            let mine = loop {
                if let Some(Held::Thread(mine)) = device.held.lock().take() {
                    break mine;
                }
                fsleep(TURN);
            };
            drop(device);
            pr_info!("to stop: {}\n", thread.should_stop());
            if module_parameters::what.value() == c"thread_own_stop" {
                pr_info!("result: {}\n", mine.stop().is_some());
            } else {
                drop(mine);
            }
            pr_info!(
                "to stop: {}, sleeps: {}\n",
                thread.should_stop(),
                thread.sleep(TURN)
            );
            while !leaving.load(Relaxed) {
                fsleep(TURN);
            }
            fsleep(Delta::from_millis(100));
        })
    })
}

/// Drops everything some time after the module's exit, when that has already been reported.
fn late(leaving: Arc<Atomic<bool>>) -> Result {
    let file = KBox::pin_init(show(None), GFP_KERNEL)?;
    held_by_itself(|device| {
        KThread::spawn(c"kt_late", move |_| {
            while !leaving.load(Relaxed) {
                fsleep(TURN);
            }
            fsleep(Delta::from_secs(3));
            drop(file);
            let mine = device.held.lock().take();
            drop(mine);
            pr_info!("late\n");
        })
    })
}

/// A handler that counts calls.
struct Calls {
    count: Atomic<u64>,
    _own: Option<Arc<Cycle>>,
}

impl Calls {
    fn new(own: Option<Arc<Cycle>>) -> Self {
        Calls {
            count: Atomic::<u64>::new(0),
            _own: own,
        }
    }
}

fn options() -> Options {
    Options::new(c"kt_leak", Mode::new::<0o444>())
}

fn show(own: Option<Arc<Cycle>>) -> impl PinInit<ShowFile<Calls>, Error> {
    ShowFile::new(options(), Calls::new(own))
}

fn proc_file(own: Option<Arc<Cycle>>) -> impl PinInit<ProcFile<Calls>, Error> {
    ProcFile::new(options(), Calls::new(own))
}

fn misc(own: Option<Arc<Cycle>>) -> Result<impl PinInit<MiscDeviceRegistration<Calls>, Error>> {
    let data = Arc::new(Calls::new(own), GFP_KERNEL)?;
    let options = MiscDeviceOptions { name: c"kt_leak" };
    Ok(MiscDeviceRegistration::register_with(options, data))
}

fn probe(own: Option<Arc<Cycle>>) -> impl PinInit<Probe<Calls>, Error> {
    // This function is rarely called, so that no other CPU is just running it.
    Probe::new(c"__x64_sys_sethostname", Calls::new(own))
}

impl Show for Calls {
    fn show(&self, m: &SeqFile) -> Result {
        self.count.add(1, Relaxed);
        seq_print!(m, "still here\n");
        Ok(())
    }
}

#[vtable]
impl Operations for Calls {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        self.count.add(1, Relaxed);
        Err(ENXIO)
    }
}

impl MiscDeviceData for Calls {
    type Data = Calls;
}

#[vtable]
impl MiscDevice for Calls {
    type Ptr = ();

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result {
        misc.data()?.count.add(1, Relaxed);
        Err(ENXIO)
    }
}

impl Handler for Calls {
    fn pre_handler(&self, _regs: &Regs) {
        self.count.add(1, Relaxed);
    }
}
