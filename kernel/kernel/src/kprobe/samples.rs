// SPDX-License-Identifier: GPL-2.0-only

//! [`Samples`]: a probe's handler that keeps the last calls.

use super::handler::{Handler, Regs};
use crate::bindings;
use crate::sync::atomic::{Acquire, Atomic, Relaxed, Release};
use crate::{init, init_array_from_fn, Init};
use core::cmp::Ordering;

/// One call of a probed function.
///
/// # Examples
///
/// ```
/// use kernel::kprobe::Sample;
/// fn offset_of_lseek(sample: &Sample) -> i64 {
///     sample.arguments[1] as i64
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was, in nanoseconds of the clock `CLOCK_MONOTONIC`. From an NMI that
    /// interrupts the setting of the clock it may be some microseconds off.
    pub time: u64,
    /// The CPU's number.
    pub cpu: u32,
    /// What [`Regs::argument`] gives for 0 to 5.
    pub arguments: [usize; Regs::ARGUMENTS],
}

/// A handler that keeps the last calls until they are taken, in a ring of `N` places.
///
/// When no place is free, the newest call is dropped and counted. Any number of CPUs may
/// add and take at once, in any context, and nobody waits for anybody: a call that comes
/// in the midst of another one, as from an NMI, goes into the next place. It can neither
/// sleep nor panic.
///
/// A place takes 80 bytes, so a large ring is for [`KVBox`](crate::prelude::KVBox).
///
/// # Examples
///
/// ```
/// use kernel::{kprobe::{Probe, Samples}, prelude::*};
///
/// fn watch() -> Result<Pin<KBox<Probe<Samples<64>>>>> {
///     KBox::pin_init(Probe::new(c"ksys_lseek", Samples::new()), GFP_KERNEL)
/// }
/// fn print(calls: &Samples<64>) {
///     while let Some(call) = calls.take() {
///         pr_info!("{} on CPU {}: offset {}\n", call.time, call.cpu, call.arguments[1]);
///     }
///     pr_info!("{} more\n", calls.dropped());
/// }
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {}
/// ```
pub struct Samples<const N: usize> {
    /// How many were added, and how many taken. The place of the `n`th is `n % N`.
    added: Atomic<u64>,
    taken: Atomic<u64>,
    dropped: Atomic<u64>,
    places: [Place; N],
}

/// What one call left.
struct Place {
    /// Twice the number of samples that were taken from here; one more while there is
    /// one that can be taken.
    turn: Atomic<u64>,
    time: Atomic<u64>,
    cpu: Atomic<u32>,
    arguments: [Atomic<usize>; Regs::ARGUMENTS],
}

impl Place {
    const fn new() -> Self {
        Place {
            turn: Atomic::new(0),
            time: Atomic::new(0),
            cpu: Atomic::new(0),
            arguments: [const { Atomic::new(0) }; Regs::ARGUMENTS],
        }
    }
}

impl<const N: usize> Samples<N> {
    const PLACES: u64 = {
        assert!(N > 0, "a ring without a place");
        N as u64
    };

    /// Makes an empty ring, where it is to be: it may be large.
    pub fn new() -> impl Init<Self> {
        init!(Samples {
            added: Atomic::new(0),
            taken: Atomic::new(0),
            dropped: Atomic::new(0),
            places <- init_array_from_fn(|_| Place::new()),
        })
    }

    /// Returns the place of the `n`th sample, and which sample of that place it is.
    fn place(&self, n: u64) -> Option<(&Place, u64)> {
        let place = self.places.get((n % Self::PLACES) as usize)?;
        Some((place, n / Self::PLACES))
    }

    fn add(&self, sample: &Sample) {
        let mut n = self.added.load(Relaxed);
        let (place, free) = loop {
            let Some((place, round)) = self.place(n) else {
                return;
            };
            let free = 2 * round;
            // `Acquire`: whoever gave the place back has read it.
            match place.turn.load(Acquire).cmp(&free) {
                // It has the sample of a round ago, or is just being filled with that.
                Ordering::Less => {
                    self.dropped.add(1, Relaxed);
                    return;
                }
                Ordering::Equal => match self.added.cmpxchg(n, n + 1, Relaxed) {
                    Ok(_) => break (place, free),
                    // Another call was first, so this goes on only while others get on.
                    Err(now) => n = now,
                },
                Ordering::Greater => n = self.added.load(Relaxed),
            }
        };
        place.time.store(sample.time, Relaxed);
        place.cpu.store(sample.cpu, Relaxed);
        for (to, from) in place.arguments.iter().zip(sample.arguments) {
            to.store(from, Relaxed);
        }
        // `Release`: whoever sees the turn sees the sample.
        place.turn.store(free + 1, Release);
    }

    /// Takes the oldest sample. May be called in any context, and by several callers at
    /// once: each gets others.
    pub fn take(&self) -> Option<Sample> {
        let mut n = self.taken.load(Relaxed);
        let (place, full) = loop {
            let (place, round) = self.place(n)?;
            let full = 2 * round + 1;
            // `Acquire`: what whoever filled the place has written is seen.
            match place.turn.load(Acquire).cmp(&full) {
                // Not there, or not whole yet.
                Ordering::Less => return None,
                Ordering::Equal => match self.taken.cmpxchg(n, n + 1, Relaxed) {
                    Ok(_) => break (place, full),
                    Err(now) => n = now,
                },
                Ordering::Greater => n = self.taken.load(Relaxed),
            }
        };
        let mut arguments = [0; Regs::ARGUMENTS];
        for (to, from) in arguments.iter_mut().zip(&place.arguments) {
            *to = from.load(Relaxed);
        }
        let sample = Sample {
            time: place.time.load(Relaxed),
            cpu: place.cpu.load(Relaxed),
            arguments,
        };
        // `Release`: it was read before whoever sees the turn writes to it.
        place.turn.store(full + 1, Release);
        Some(sample)
    }

    /// Returns how many calls found no free place.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

impl<const N: usize> Handler for Samples<N> {
    fn pre_handler(&self, regs: &Regs) {
        let mut arguments = [0; Regs::ARGUMENTS];
        for (n, argument) in (0..).zip(&mut arguments) {
            *argument = regs.argument(n);
        }
        self.add(&Sample {
            // SAFETY: `ktime_get_mono_fast_ns()` may be called in any context.
            time: unsafe { bindings::koru_ktime_get_mono_fast() },
            // SAFETY: a number is read; the handler runs with preemption off.
            cpu: unsafe { bindings::koru_smp_processor_id() },
            arguments,
        });
    }
}
