// SPDX-License-Identifier: GPL-2.0-only

//! Probes on kernel functions.
//!
//! A [`Probe`] runs a handler each time a function of the running kernel is
//! called. It is there while the value is; dropping it waits for handlers that are
//! running.
//!
//! # Examples
//!
//! ```
//! use core::sync::atomic::{AtomicU64, Ordering};
//! use kernel::{kprobe::{Handler, Probe, Regs}, prelude::*};
//!
//! struct Opens(AtomicU64);
//!
//! impl Handler for Opens {
//!     fn pre_handler(&self, _regs: &Regs) {
//!         self.0.fetch_add(1, Ordering::Relaxed);
//!     }
//! }
//!
//! fn watch() -> Result<Pin<KBox<Probe<Opens>>>> {
//!     let probe = Probe::new(c"do_sys_openat2", Opens(AtomicU64::new(0)));
//!     KBox::pin_init(probe, GFP_KERNEL)
//! }
//! ```
//!
//! C header: [`include/linux/kprobes.h`](https://docs.kernel.org/trace/kprobes.html)

use crate::bindings;
use crate::error::{to_result, Error};
use crate::ffi::c_void;
use crate::layout;
use crate::live::{Kind, Live};
use crate::str::{CStrExt as _, CString};
use crate::types::Opaque;
use core::ffi::CStr;
use core::marker::PhantomPinned;
use pin_init::{pin_data, PinInit};

/// What a [`Probe`] does.
///
/// # Examples
///
/// ```
/// use kernel::{kprobe::{Handler, Regs}};
/// struct Nothing;
/// impl Handler for Nothing {
///     fn pre_handler(&self, _regs: &Regs) {}
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// The function is about to run, on this CPU, for whoever called it.
    ///
    /// Runs with preemption off, maybe in an interrupt, even one that cannot be
    /// masked, and on several CPUs at once. So it must not sleep, allocate with
    /// `GFP_KERNEL`, or take a lock that other code takes: atomics are what it
    /// should work with. Functions that it calls are not probed meanwhile; see
    /// [`Probe::missed`].
    fn pre_handler(&self, regs: &Regs);
}

/// The CPU's registers where a probe was hit: `struct pt_regs`.
///
/// # Examples
///
/// ```
/// use kernel::kprobe::Regs;
/// fn first(regs: &Regs) -> usize {
///     regs.argument(0)
/// }
/// ```
#[repr(transparent)]
pub struct Regs(Opaque<bindings::pt_regs>);

impl Regs {
    /// The function's argument `n`, from 0, as the number in its register; 0 for
    /// those that are not in registers (`n` above 5 on x86). Only right at a
    /// function's start, which is where a [`Probe`] is.
    pub fn argument(&self, n: u32) -> usize {
        if n > 5 {
            return 0;
        }
        // SAFETY: the kernel's registers are valid while the handler runs.
        unsafe { bindings::koru_regs_argument(self.0.get(), n) }
    }
}

/// The probe itself.
///
/// # Invariants
///
/// It is registered, and stays where it is.
#[pin_data(PinnedDrop)]
struct Registered {
    #[pin]
    probe: Opaque<layout::Kprobe>,
    #[pin]
    _pin: PhantomPinned,
}

#[pin_init::pinned_drop]
impl PinnedDrop for Registered {
    fn drop(self: core::pin::Pin<&mut Self>) {
        // SAFETY: by the type's invariant. It waits for running handlers.
        unsafe { bindings::koru_kprobe_unregister(self.probe.object()) }
    }
}

/// A probe at the start of a function, with its handler's data.
///
/// # Examples
///
/// ```
/// use kernel::{kprobe::{Handler, Probe}};
/// fn data<T: Handler>(probe: &Probe<T>) -> &T {
///     probe.data()
/// }
/// ```
#[pin_data]
pub struct Probe<T: Handler> {
    // First, so that it is dropped before what it uses.
    #[pin]
    registered: Registered,
    // Dropped after the probe was unregistered.
    live: Live,
    symbol: CString,
    #[pin]
    data: T,
}

// SAFETY: every thread may unregister it; `T` is `Send`.
unsafe impl<T: Handler> Send for Probe<T> {}
// SAFETY: a shared reference reads a counter and the data; `T` is `Sync`.
unsafe impl<T: Handler> Sync for Probe<T> {}

impl<T: Handler> Probe<T> {
    /// Makes the data, then the probe on the function of that name. May sleep.
    ///
    /// # Errors
    ///
    /// The kernel's: `ENOENT` if it has no such function, `EINVAL` if that one must
    /// not be probed. `ENOMEM`, or what the data's initialiser says.
    pub fn new<E>(symbol: &CStr, data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let symbol = symbol.to_cstring();
        crate::try_pin_init!(&this in Self {
            data <- data,
            symbol: symbol?,
            live: Live::new(Kind::Probe),
            registered <- {
                // SAFETY: both are initialised above, do not move, and outlive the
                // registration. A `CString`'s text stays where it is.
                let (symbol, data) = unsafe {
                    let this = this.as_ptr();
                    ((*this).symbol.as_char_ptr(), (&raw mut (*this).data).cast::<c_void>())
                };
                let init = move |slot: *mut Registered| {
                    // SAFETY: the slot is valid, of the right size, and stays;
                    // `hit` takes a pointer to a `T` from any CPU.
                    to_result(unsafe {
                        bindings::koru_kprobe_register(
                            (*slot).probe.object(),
                            symbol,
                            Some(hit::<T>),
                            data,
                        )
                    })
                };
                // SAFETY: success means that it is registered in the slot; the
                // other field has no size.
                unsafe { pin_init::pin_init_from_closure(init) }
            },
        }? Error)
    }

    /// The function's name.
    pub fn symbol(&self) -> &CStr {
        &self.symbol
    }

    /// How often the function ran without the handler, because this CPU was in a
    /// probe's handler already.
    pub fn missed(&self) -> usize {
        // SAFETY: it is registered.
        unsafe { bindings::koru_kprobe_missed(self.registered.probe.object()) }
    }

    /// The handler's data.
    pub fn data(&self) -> &T {
        &self.data
    }
}

/// # Safety
///
/// Called by the shim, with the `T` of a probe that is registered.
unsafe extern "C" fn hit<T: Handler>(data: *mut c_void, regs: *const bindings::pt_regs) {
    // SAFETY: as the caller says; the registers are valid until this returns.
    let (data, regs) = unsafe { (&*data.cast::<T>(), &*regs.cast::<Regs>()) };
    data.pre_handler(regs);
}
