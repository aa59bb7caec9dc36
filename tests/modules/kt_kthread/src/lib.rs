// SPDX-License-Identifier: GPL-2.0-only

//! Runs threads that sleep, wait, return and are stopped.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kthread::{KThread, Wake},
    new_condvar, new_mutex,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, CondVar, Mutex,
    },
    time::{delay::fsleep, Delta, Instant, Monotonic},
};

module! {
    type: Threads,
    name: "kt_kthread",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        rounds: u32 { default: 200, description: "How often to start and stop" },
        refuse: bool { default: false, description: "Fail, with threads running" },
    },
}

struct Threads {
    _sleeper: KThread,
    _waiter: KThread,
    finished: Option<KThread<Noted>>,
}

/// A value that logs when it is dropped.
struct Noted(&'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        pr_info!("{} is dropped\n", self.0);
    }
}

#[pin_data]
struct Place {
    #[pin]
    turn: Mutex<u32>,
    #[pin]
    changed: CondVar,
}

fn place() -> Result<Arc<Place>> {
    let init = pin_init!(Place {
        turn <- new_mutex!(0),
        changed <- new_condvar!(),
    });
    Arc::pin_init(init, GFP_KERNEL)
}

fn check(what: &str, holds: bool) -> Result {
    if holds {
        return Ok(());
    }
    pr_err!("wrong: {what}\n");
    Err(EINVAL)
}

fn finish<T: Send>(thread: &KThread<T>) {
    while !thread.is_finished() {
        fsleep(Delta::from_millis(1));
    }
}

/// A value that counts its drops.
struct Counted(Arc<Atomic<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.add(1, Relaxed);
    }
}

/// Stops threads at any moment, also before their first step; nothing must hang or leak.
fn stopped_at_once(rounds: u32) -> Result {
    let (drops, place) = (Arc::new(Atomic::<u32>::new(0), GFP_KERNEL)?, place()?);
    let mut ran = 0;
    for round in 0..rounds {
        let (counted, theirs) = (Counted(drops.clone()), place.clone());
        let thread = KThread::spawn(c"kt_at_once", move |thread| {
            let counted = counted;
            let mut turn = theirs.turn.lock();
            if round % 2 == 0 {
                while thread.wait(&theirs.changed, &mut turn) {}
            } else {
                while thread.wait_timeout(&theirs.changed, &mut turn, 1 << 40) != Wake::Stop {}
            }
            counted
        })?;
        for _ in 0..round % 50 {
            kernel::time::delay::udelay(Delta::from_micros(5));
        }
        if round % 3 == 0 {
            place.changed.notify_all();
        }
        ran += u32::from(thread.stop().is_some());
    }
    check("all were dropped", drops.load(Relaxed) == rounds)?;
    check("not more ran than were started", ran <= rounds)
}

fn results() -> Result {
    let thread = KThread::spawn(c"kt_result", |_| 6 * 7)?;
    check("a number", thread.pid() > 0)?;
    finish(&thread);
    check("result", thread.stop() == Some(42))?;
    let start = Instant::<Monotonic>::now();
    let thread = KThread::spawn(c"kt_sleeps", |thread| thread.sleep(Delta::from_millis(20)))?;
    finish(&thread);
    check("slept", start.elapsed() >= Delta::from_millis(20))?;
    check("undisturbed", thread.stop() == Some(true))?;
    let thread = KThread::spawn(c"kt_no_sleep", |thread| {
        thread.sleep(Delta::ZERO) && thread.sleep(Delta::from_secs(-5)) && !thread.should_stop()
    })?;
    finish(&thread);
    check("no time", thread.stop() == Some(true))
}

/// Lets two threads take turns, and their owner wait for them as they do for each other.
fn turns() -> Result {
    const TURNS: u32 = 200;
    let place = place()?;
    let player = |mine: u32, place: Arc<Place>| {
        move |_: &_| {
            let mut turn = place.turn.lock();
            while *turn < TURNS {
                if *turn % 2 == mine {
                    *turn += 1;
                    place.changed.notify_all();
                } else {
                    place.changed.wait(&mut turn);
                }
            }
        }
    };
    let even = KThread::spawn(c"kt_even", player(0, place.clone()))?;
    let odd = KThread::spawn(c"kt_odd", player(1, place.clone()))?;
    let mut turn = place.turn.lock();
    while *turn < TURNS {
        place.changed.wait(&mut turn);
    }
    drop(turn);
    finish(&even);
    finish(&odd);
    Ok(())
}

fn time_limit() -> Result {
    let place = place()?;
    let thread = KThread::spawn(c"kt_limit", move |thread| {
        let mut turn = place.turn.lock();
        thread.wait_timeout(&place.changed, &mut turn, 3)
    })?;
    finish(&thread);
    check("limit", thread.stop() == Some(Wake::Timeout))
}

impl kernel::Module for Threads {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        results()?;
        turns()?;
        time_limit()?;
        stopped_at_once(*module_parameters::rounds.value())?;
        let sleeper = KThread::spawn(c"kt_sleeper", |thread| {
            let _noted = Noted("the sleeper");
            while thread.sleep(Delta::from_secs(1 << 40)) {}
        })?;
        let place = place()?;
        let waiter = KThread::spawn(c"kt_waiter", move |thread| {
            let _noted = Noted("the waiter");
            let mut turn = place.turn.lock();
            while thread.wait(&place.changed, &mut turn) {}
        })?;
        let finished = KThread::spawn(c"kt_finished", |_| Noted("the result"))?;
        finish(&finished);
        fsleep(Delta::from_millis(10));
        if *module_parameters::refuse.value() {
            return Err(EBUSY);
        }
        pr_info!("all is right\n");
        Ok(Threads {
            _sleeper: sleeper,
            _waiter: waiter,
            finished: Some(finished),
        })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(noted) = self.finished.take().and_then(KThread::stop) {
            pr_info!("the owner has {}\n", noted.0);
        }
    }
}
