// SPDX-License-Identifier: GPL-2.0-only

//! A handler that counts by the size of an argument.

use super::handler::{Handler, Regs};
use crate::sync::atomic::{Atomic, Relaxed};

/// A handler that counts the calls by the size of an argument.
///
/// Bucket 0 is for the value 0, and bucket `n` for values of `n` significant bits: from `1 << (n -
/// 1)` to `(1 << n) - 1`. Arguments are taken as unsigned numbers of 64 bits; the upper half of a
/// register that holds a narrower argument may have any value.
///
/// It can neither sleep nor panic. Calls on several CPUs at once are all counted.
///
/// # Examples
///
/// The lengths of the buffers that are written:
///
/// ```
/// use kernel::{kprobe::{Histogram, Probe}, prelude::*};
///
/// fn watch() -> Result<Pin<KBox<Probe<Histogram>>>> {
///     KBox::pin_init(Probe::new(c"ksys_write", Histogram::of_argument(2)), GFP_KERNEL)
/// }
/// fn print(sizes: &Histogram) {
///     for (bucket, calls) in sizes.buckets().enumerate() {
///         if calls > 0 {
///             pr_info!("from {}: {calls}\n", Histogram::start(bucket));
///         }
///     }
/// }
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {}
/// ```
pub struct Histogram {
    argument: u32,
    buckets: [Atomic<u64>; Histogram::BUCKETS],
}

impl Histogram {
    /// The number of buckets.
    pub const BUCKETS: usize = usize::BITS as usize + 1;

    /// Creates an empty histogram of the function's argument `n`, counted from 0 as by
    /// [`Regs::argument`].
    pub const fn of_argument(n: u32) -> Self {
        Histogram {
            argument: n,
            buckets: [const { Atomic::new(0) }; Histogram::BUCKETS],
        }
    }

    /// Returns the number of calls in each bucket, from bucket 0 on.
    ///
    /// Calls that happen meanwhile may or may not be included.
    ///
    /// Context: any.
    pub fn buckets(&self) -> impl Iterator<Item = u64> + '_ {
        self.buckets.iter().map(|calls| calls.load(Relaxed))
    }

    /// Returns the smallest value of a bucket, or `usize::MAX` if the bucket does not exist.
    pub const fn start(bucket: usize) -> usize {
        match bucket {
            0 => 0,
            1..=64 => 1 << (bucket - 1),
            _ => usize::MAX,
        }
    }
}

impl Handler for Histogram {
    fn pre_handler(&self, regs: &Regs) {
        let value = regs.argument(self.argument);
        let bits = (usize::BITS - value.leading_zeros()) as usize;
        // There is a bucket for every number of bits.
        if let Some(calls) = self.buckets.get(bits) {
            calls.add(1, Relaxed);
        }
    }
}
