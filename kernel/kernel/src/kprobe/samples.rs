// SPDX-License-Identifier: GPL-2.0-only

//! A handler that keeps the last calls.

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
    /// The time of the call, in nanoseconds of the clock `CLOCK_MONOTONIC`.
    ///
    /// In an NMI that interrupts the setting of the clock it may be off by some microseconds.
    pub time: u64,
    /// The number of the CPU.
    pub cpu: u32,
    /// The results of [`Regs::argument`] for 0 to 5.
    pub arguments: [usize; Regs::ARGUMENTS],
}

/// A handler that keeps the last calls until they are taken, in a ring of `N` entries.
///
/// If no entry is free, the newest call is dropped and counted. Any number of CPUs may add and take
/// at once, in any context, and nobody waits for anybody: a call that interrupts another one, such
/// as one in an NMI, goes into the next entry. The handler can neither sleep nor panic.
///
/// An entry takes 80 bytes, so a large ring belongs in a [`KVBox`](crate::prelude::KVBox).
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
    /// The numbers of samples that were added and taken.
    ///
    /// The entry of the `n`th is `n % N`.
    added: Atomic<u64>,
    taken: Atomic<u64>,
    dropped: Atomic<u64>,
    entries: [Entry; N],
}

/// The entry of one call.
struct Entry {
    /// Twice the number of samples that were taken from this entry, and one more while there is one
    /// that can be taken.
    turn: Atomic<u64>,
    time: Atomic<u64>,
    cpu: Atomic<u32>,
    arguments: [Atomic<usize>; Regs::ARGUMENTS],
}

impl Entry {
    const fn new() -> Self {
        Entry {
            turn: Atomic::new(0),
            time: Atomic::new(0),
            cpu: Atomic::new(0),
            arguments: [const { Atomic::new(0) }; Regs::ARGUMENTS],
        }
    }
}

impl<const N: usize> Samples<N> {
    const ENTRIES: u64 = {
        assert!(N > 0, "the ring needs an entry");
        N as u64
    };

    /// Returns an initialiser of an empty ring, which builds it in its place, because it may be
    /// large.
    pub fn new() -> impl Init<Self> {
        init!(Samples {
            added: Atomic::new(0),
            taken: Atomic::new(0),
            dropped: Atomic::new(0),
            entries <- init_array_from_fn(|_| Entry::new()),
        })
    }

    /// Returns the entry of the `n`th sample, and the number of that sample in the entry.
    fn entry(&self, n: u64) -> Option<(&Entry, u64)> {
        let entry = self.entries.get((n % Self::ENTRIES) as usize)?;
        Some((entry, n / Self::ENTRIES))
    }

    fn add(&self, sample: &Sample) {
        let mut n = self.added.load(Relaxed);
        let (entry, free) = loop {
            let Some((entry, round)) = self.entry(n) else {
                return;
            };
            let free = 2 * round;
            // `Acquire`: whoever freed the entry has read it.
            match entry.turn.load(Acquire).cmp(&free) {
                // The entry has the sample of the previous round, or is just being filled with it.
                Ordering::Less => {
                    self.dropped.add(1, Relaxed);
                    return;
                }
                Ordering::Equal => match self.added.cmpxchg(n, n + 1, Relaxed) {
                    Ok(_) => break (entry, free),
                    // Another call was first, so this loop repeats only while others make progress.
                    Err(now) => n = now,
                },
                Ordering::Greater => n = self.added.load(Relaxed),
            }
        };
        entry.time.store(sample.time, Relaxed);
        entry.cpu.store(sample.cpu, Relaxed);
        for (to, from) in entry.arguments.iter().zip(sample.arguments) {
            to.store(from, Relaxed);
        }
        // `Release`: whoever sees the turn sees the sample.
        entry.turn.store(free + 1, Release);
    }

    /// Takes the oldest sample.
    ///
    /// Several callers may do so at once: each gets other samples.
    ///
    /// Context: any.
    pub fn take(&self) -> Option<Sample> {
        let mut n = self.taken.load(Relaxed);
        let (entry, full) = loop {
            let (entry, round) = self.entry(n)?;
            let full = 2 * round + 1;
            // `Acquire`: what the call that filled the entry has written is visible.
            match entry.turn.load(Acquire).cmp(&full) {
                // The sample is not there, or not complete yet.
                Ordering::Less => return None,
                Ordering::Equal => match self.taken.cmpxchg(n, n + 1, Relaxed) {
                    Ok(_) => break (entry, full),
                    Err(now) => n = now,
                },
                Ordering::Greater => n = self.taken.load(Relaxed),
            }
        };
        let mut arguments = [0; Regs::ARGUMENTS];
        for (to, from) in arguments.iter_mut().zip(&entry.arguments) {
            *to = from.load(Relaxed);
        }
        let sample = Sample {
            time: entry.time.load(Relaxed),
            cpu: entry.cpu.load(Relaxed),
            arguments,
        };
        // `Release`: the entry was read before whoever sees the turn writes to it.
        entry.turn.store(full + 1, Release);
        Some(sample)
    }

    /// Returns how many calls found no free entry.
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
            // SAFETY: `koru_smp_processor_id()` reads a number, which stays right because the
            // handler runs with preemption disabled.
            cpu: unsafe { bindings::koru_smp_processor_id() },
            arguments,
        });
    }
}
