// SPDX-License-Identifier: GPL-2.0-only

//! A probe and its registration.

use super::handler::{Handler, Regs};
use crate::bindings;
use crate::error::{to_result, Error};
use crate::ffi::c_void;
use crate::layout;
use crate::live::{Kind, Live};
use crate::str::{CStrExt as _, CString};
use crate::types::Opaque;
use core::ffi::CStr;
use core::marker::PhantomPinned;
use core::pin::Pin;
use pin_init::{pin_data, pinned_drop, PinInit};

/// A registered probe.
///
/// # Invariants
///
/// The probe is registered, and does not move.
#[pin_data(PinnedDrop)]
struct Registered {
    #[pin]
    probe: Opaque<layout::Kprobe>,
    #[pin]
    _pin: PhantomPinned,
}

#[pinned_drop]
impl PinnedDrop for Registered {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: `unregister_kprobe()` needs a probe that is registered, which this one is by the
        // type's invariant, and must be called where sleeping is allowed, as the documentation of
        // `Probe` requires: the build refuses handlers that drop a probe. When it returns no
        // handler is running any more, so the memory may be reused.
        unsafe { bindings::koru_kprobe_unregister(self.probe.object()) }
    }
}

/// A probe at the start of a function, with its handler's data.
///
/// The probe is registered as long as the value exists. No handler runs, and nothing reports that,
/// while kprobes are disabled as a whole: root can write 0 to `/sys/kernel/debug/kprobes/enabled`,
/// and ftrace disables itself for good when it finds a bug of its own.
///
/// # Dropping
///
/// Dropping the value removes the probe from the function, and waits until all running handlers
/// have returned, on all CPUs. That sleeps, so it may be done in a process or a kernel thread that
/// holds no spinlock. It must not be done in a handler: the build refuses a module in which a
/// handler could drop a probe, also as the last owner of what holds one.
///
/// A probe that is never dropped - leaked by [`mem::forget`](core::mem::forget), kept in a static,
/// or in an [`Arc`](crate::sync::Arc) cycle because its data holds what holds it - continues to be
/// hit, and the module stays; see [`kernel::module`](crate::module).
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
    // First, so that it is dropped before the fields that it uses.
    #[pin]
    registered: Registered,
    // Dropped after the probe was unregistered.
    live: Live,
    symbol: CString,
    #[pin]
    data: T,
}

// SAFETY: any thread may call `unregister_kprobe()`, not only the one that registered the probe,
// and any thread may drop the `T`, which is `Send`.
unsafe impl<T: Handler> Send for Probe<T> {}
// SAFETY: a shared reference gives access to the name, which nobody changes, to a counter, which
// the C side reads in one access, and to the data, a `T`, which is `Sync`.
unsafe impl<T: Handler> Sync for Probe<T> {}

impl<T: Handler> Probe<T> {
    /// Returns an initialiser that builds the data, and then registers a probe on the function
    /// `symbol`.
    ///
    /// The handler may run before the initialiser returns.
    ///
    /// Context: process context without a spinlock held; it may sleep.
    ///
    /// # Errors
    ///
    /// - `ENOENT`: the kernel has no such function, or the module that contains it is not loaded.
    /// - `EINVAL`: the function must not be probed. The kernel's list is in
    ///   `/sys/kernel/debug/kprobes/blacklist`.
    /// - `EOPNOTSUPP`: the kernel was built without kprobes.
    /// - `ENOMEM`, or the error of the data's initialiser.
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
                // SAFETY: the initialisers above have run, so both fields may be read and pointed
                // to. They are pinned, and dropped after `registered`, so the pointers are valid as
                // long as the probe is registered; the text of a `CString` is on the heap and does
                // not move.
                let (symbol, data) = unsafe {
                    let this = this.as_ptr();
                    ((*this).symbol.as_char_ptr(), (&raw mut (*this).data).cast::<c_void>())
                };
                let init = move |slot: *mut Registered| {
                    // SAFETY: `koru_kprobe_register()` writes a `struct koru_kprobe`, for which the
                    // slot is large enough and aligned. It is pinned, so it stays until the probe
                    // is unregistered. The function keeps `symbol`, a C string, and `data`, which
                    // both live longer. It calls `run_handler::<T>` with `data`, which is a `T`
                    // that may be shared: `T` is `Sync`.
                    to_result(unsafe {
                        bindings::koru_kprobe_register(
                            (*slot).probe.object(),
                            symbol,
                            Some(run_handler::<T>),
                            data,
                        )
                    })
                };
                // INVARIANT: on success the probe is registered, in a slot that does not move.
                // SAFETY: on success the one field is initialised, and the other has no size; on
                // failure the slot holds nothing that needs to be dropped.
                unsafe { pin_init::pin_init_from_closure(init) }
            },
        }? Error)
    }

    /// Returns the name of the function.
    pub fn symbol(&self) -> &CStr {
        &self.symbol
    }

    /// Returns how often the kernel did not call the handler because this CPU was already in the
    /// handler of some probe.
    ///
    /// That happens if a handler, of any probe, calls the function, or if an interrupt does so that
    /// occurs during a handler. So the calls that a handler counts, together with these, are all
    /// calls, with two exceptions:
    ///
    /// - The kernel increments this number without atomics. If two CPUs miss a call at the very
    ///   same time, it may grow by only one.
    /// - A call inside the machinery itself, before a handler is reached, is refused by ftrace's
    ///   guard against recursion and counted nowhere.
    ///
    /// Neither can happen if no handler and no interrupt calls the function.
    ///
    /// Context: any.
    pub fn missed(&self) -> usize {
        // SAFETY: `koru_kprobe_missed()` reads a field of a `struct koru_kprobe`, which the storage
        // holds from registration to drop, by the invariant of `Registered`.
        unsafe { bindings::koru_kprobe_missed(self.registered.probe.object()) }
    }

    /// Returns the handler's data.
    pub fn data(&self) -> &T {
        &self.data
    }
}

/// Runs the handler of a probe, in the context that [`Handler`] describes.
///
/// # Safety
///
/// `data` must point to a `T`, and `regs` to the registers of the CPU. Both must be valid until
/// this returns, and may be shared.
// The build follows the calls of every function in this section.
#[link_section = ".text.koru_kprobe"]
unsafe extern "C" fn run_handler<T: Handler>(data: *mut c_void, regs: *const bindings::pt_regs) {
    // SAFETY: by this function's contract both pointers are valid, and what they point to changes
    // only by interior mutability. A `Regs` is a transparent `struct pt_regs`.
    let (data, regs) = unsafe { (&*data.cast::<T>(), &*regs.cast::<Regs>()) };
    data.pre_handler(regs);
}
