// SPDX-License-Identifier: GPL-2.0-only

//! Handlers of kprobes. The build refuses all of them except those at the end.

#![no_std]
#![forbid(unsafe_code)]

use core::fmt::{self, Write as _};

use kernel::kprobe::{Handler, Probe, Regs};
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, Mutex, SpinLock};
use kernel::time::{delay::fsleep, Delta, Instant, Monotonic};
use kernel::uaccess::{UserPtr, UserSlice};
use kernel::{new_mutex, new_spinlock};

module! {
    type: Handlers,
    name: "handlers",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

fn sleep() {
    fsleep(Delta::from_millis(1));
}

struct Sleeps;

impl Handler for Sleeps {
    fn pre_handler(&self, _regs: &Regs) {
        sleep();
    }
}

/// Sleeps three functions further down, in one branch.
struct Deep(Atomic<u64>);

#[inline(never)]
fn one(seen: &Atomic<u64>) {
    two(seen);
    seen.add(1, Relaxed);
}

#[inline(never)]
fn two(seen: &Atomic<u64>) {
    three(seen);
    seen.add(2, Relaxed);
}

#[inline(never)]
fn three(seen: &Atomic<u64>) {
    if seen.load(Relaxed) == 7 {
        sleep();
    }
    seen.add(3, Relaxed);
}

impl Handler for Deep {
    fn pre_handler(&self, _regs: &Regs) {
        one(&self.0);
    }
}

/// Sleeps in a function that is a type parameter.
struct Generic(Atomic<u64>);

fn apply<F: Fn()>(f: F) {
    f();
}

impl Handler for Generic {
    fn pre_handler(&self, _regs: &Regs) {
        apply(|| apply(sleep));
        self.0.add(1, Relaxed);
    }
}

trait Act: Send + Sync {
    fn act(&self);
}

impl Act for u8 {
    fn act(&self) {}
}

/// Calls a function of the handler's data, through a vtable.
struct Dynamic(&'static dyn Act);

impl Handler for Dynamic {
    fn pre_handler(&self, _regs: &Regs) {
        self.0.act();
        self.0.act();
    }
}

/// Calls a function pointer in the handler's data.
struct Pointer(fn(), Atomic<u64>);

impl Handler for Pointer {
    fn pre_handler(&self, _regs: &Regs) {
        (self.0)();
        self.1.add(1, Relaxed);
    }
}

/// Calls a function pointer in the handler's data by a jump at its end.
struct TailCall(fn(&Regs));

impl Handler for TailCall {
    fn pre_handler(&self, regs: &Regs) {
        (self.0)(regs);
    }
}

/// Calls one of several functions, through a table of the module.
struct Table;

static TABLE: [fn(&Regs) -> usize; 2] = [
    |regs| regs.argument(0),
    |_| {
        sleep();
        0
    },
];

impl Handler for Table {
    fn pre_handler(&self, regs: &Regs) {
        if TABLE[regs.argument(1) & 1](regs) == 1 {
            pr_info!("one\n");
        }
    }
}

#[pin_data]
struct Locks {
    #[pin]
    count: Mutex<u32>,
}

impl Handler for Locks {
    fn pre_handler(&self, _regs: &Regs) {
        *self.count.lock() += 1;
    }
}

#[pin_data]
struct Spins {
    #[pin]
    count: SpinLock<u32>,
}

impl Handler for Spins {
    fn pre_handler(&self, _regs: &Regs) {
        *self.count.lock() += 1;
    }
}

struct Allocates;

impl Handler for Allocates {
    fn pre_handler(&self, regs: &Regs) {
        let _ = KBox::new(regs.argument(0), GFP_ATOMIC);
    }
}

struct ReadsUser;

impl Handler for ReadsUser {
    fn pre_handler(&self, regs: &Regs) {
        let user = UserSlice::new(UserPtr::from_addr(regs.argument(1)), 8);
        let _ = user.reader().read::<u64>();
    }
}

/// May drop the last reference to an inner probe, which is unregistered then.
struct DropsProbe(Arc<Pin<KBox<Probe<Fine>>>>);

impl Handler for DropsProbe {
    fn pre_handler(&self, _regs: &Regs) {
        drop(self.0.clone());
    }
}

struct Sleepy;

impl fmt::Display for Sleepy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sleep();
        write!(f, "z")
    }
}

struct Prints;

impl Handler for Prints {
    fn pre_handler(&self, _regs: &Regs) {
        pr_info!("{}\n", Sleepy);
    }
}

/// Prints a value of the handler's data, whose formatting function core calls.
struct PrintsData(&'static (dyn fmt::Debug + Send + Sync));

struct Field(&'static (dyn fmt::Debug + Send + Sync));

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("of", self.0).finish()
    }
}

impl Handler for PrintsData {
    fn pre_handler(&self, _regs: &Regs) {
        pr_info!("{}\n", Field(self.0));
    }
}

/// Waits for the task that is setting the clock, which the handler may have interrupted.
struct AsksClock(Atomic<i64>);

impl Handler for AsksClock {
    fn pre_handler(&self, _regs: &Regs) {
        let now = Instant::<Monotonic>::now();
        self.0.store(now.elapsed().as_nanos(), Relaxed);
    }
}

// The build allows the handlers from here on.

struct Fine(Atomic<u64>);

impl Handler for Fine {
    fn pre_handler(&self, regs: &Regs) {
        self.0.add(regs.argument(1) as u64, Relaxed);
    }
}

struct Plain;

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain ")?;
        write!(f, "{} and ", 7)?;
        write!(f, "this")?;
        f.write_char('!')
    }
}

struct Says;

impl Handler for Says {
    fn pre_handler(&self, regs: &Regs) {
        let (first, second) = (regs.argument(0), regs.argument(1));
        pr_info!("{first} {second:#x} {:>5} {:?} {}\n", "text", 'c', Plain);
    }
}

struct Recurses(Atomic<u64>);

#[inline(never)]
fn even(seen: &Atomic<u64>, n: usize) -> bool {
    seen.add(1, Relaxed);
    n == 0 || !odd(seen, n - 1)
}

#[inline(never)]
fn odd(seen: &Atomic<u64>, n: usize) -> bool {
    seen.add(2, Relaxed);
    n != 0 && !even(seen, n - 1)
}

impl Handler for Recurses {
    fn pre_handler(&self, regs: &Regs) {
        if even(&self.0, regs.argument(0) & 7) {
            self.0.add(1, Relaxed);
        }
    }
}

/// May panic, which is a BUG in any context.
struct Panics([u8; 4]);

impl Handler for Panics {
    fn pre_handler(&self, regs: &Regs) {
        assert!(self.0[regs.argument(0)] < 7, "seven");
    }
}

fn probe<H, E>(handler: impl PinInit<H, E>) -> Result<Pin<KBox<Probe<H>>>>
where
    H: Handler,
    Error: From<E>,
{
    let probe = Probe::new(c"ksys_lseek", handler);
    KBox::try_pin_init::<Error>(probe, GFP_KERNEL)
}

struct Handlers;

impl kernel::Module for Handlers {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        probe(Sleeps)?;
        probe(Deep(Atomic::new(0)))?;
        probe(Generic(Atomic::new(0)))?;
        probe(Dynamic(&7))?;
        probe(Pointer(sleep, Atomic::new(0)))?;
        probe(TailCall(|_| {}))?;
        probe(Table)?;
        probe(pin_init!(Locks { count <- new_mutex!(1) }))?;
        probe(pin_init!(Spins { count <- new_spinlock!(1) }))?;
        probe(Allocates)?;
        probe(ReadsUser)?;
        let fine = Arc::new(probe(Fine(Atomic::new(0)))?, GFP_KERNEL)?;
        probe(DropsProbe(fine))?;
        probe(Prints)?;
        probe(PrintsData(&7))?;
        probe(AsksClock(Atomic::new(0)))?;
        probe(Says)?;
        probe(Recurses(Atomic::new(0)))?;
        probe(Panics([1; 4]))?;
        Ok(Handlers)
    }
}
