// SPDX-License-Identifier: GPL-2.0-only

//! Probes on kernel functions.
//!
//! A [`Probe`] runs a handler each time a function of the running kernel is called, until the probe
//! is dropped. The handlers [`Count`], [`Histogram`] and [`Samples`] are ready-made and always safe
//! to use. For anything else a module implements [`Handler`], and must obey the rules there, most
//! of which the build checks.
//!
//! C header: `include/linux/kprobes.h`
//!
//! Reference: <https://docs.kernel.org/trace/kprobes.html>
//!
//! # Examples
//!
//! ```
//! use kernel::{kprobe::{Count, Probe}, prelude::*};
//!
//! fn watch() -> Result<Pin<KBox<Probe<Count>>>> {
//!     let probe = Probe::new(c"do_sys_openat2", Count::new());
//!     KBox::pin_init(probe, GFP_KERNEL)
//! }
//! ```

mod count;
mod handler;
mod histogram;
mod probe;
mod samples;

pub use count::Count;
pub use handler::{Handler, Regs};
pub use histogram::Histogram;
pub use probe::Probe;
pub use samples::{Sample, Samples};
