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

#[pinned_drop]
impl PinnedDrop for Registered {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: `unregister_kprobe()` wants a probe that is registered, which it is by
        // the type's invariant, and to be called where sleeping is allowed, as the
        // documentation of `Probe` asks: the build refuses handlers that drop one. When it
        // returns no handler runs any more, so the memory may be used for something else.
        unsafe { bindings::koru_kprobe_unregister(self.probe.object()) }
    }
}

/// A probe at the start of a function, with its handler's data.
///
/// # Dropping
///
/// It is registered for as long as it exists. Dropping it takes it from the function and
/// waits until all handlers that still run have ended, on all CPUs. That sleeps, so it may
/// be dropped in a process or a kernel thread that holds no spinlock. A handler, its own
/// or another, is no such place: the build refuses a module in which one could drop a
/// probe, also as the last owner of what holds one.
///
/// A probe that is never dropped - leaked by [`mem::forget`](core::mem::forget), kept in a
/// static, or in an [`Arc`](crate::sync::Arc) cycle because its data holds what holds it -
/// goes on being hit, and the module stays; see [`kernel::module`](crate::module).
///
/// Handlers do not run, and nothing says so, while kprobes are off as a whole: root can
/// write 0 to `/sys/kernel/debug/kprobes/enabled`, and a bug that ftrace finds in itself
/// stops it for good.
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

// SAFETY: `unregister_kprobe()` may be called by any thread, not just the one that
// registered the probe, and `T` may be dropped by any: it is `Send`.
unsafe impl<T: Handler> Send for Probe<T> {}
// SAFETY: by a shared reference the name is read, which nobody changes, a counter, which
// the C side reads in one access, and the data; `T` is `Sync`.
unsafe impl<T: Handler> Sync for Probe<T> {}

impl<T: Handler> Probe<T> {
    /// Makes the data, then the probe on the function `symbol`. The handler may run before
    /// the initialiser returns. May sleep: for a process that holds no spinlock.
    ///
    /// # Errors
    ///
    /// - `ENOENT`: the kernel has no such function, or the module that has it is not
    ///   loaded.
    /// - `EINVAL`: the function must not be probed. The kernel's list is in
    ///   `/sys/kernel/debug/kprobes/blacklist`.
    /// - `EOPNOTSUPP`: the kernel was built without kprobes.
    /// - `ENOMEM`, or what the data's initialiser returns.
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
                // SAFETY: the initialisers above have run, so both fields may be read and
                // pointed to. They are pinned, and dropped after `registered`, so the
                // pointers are valid for as long as the probe is registered; the text of
                // a `CString` is on the heap and does not move.
                let (symbol, data) = unsafe {
                    let this = this.as_ptr();
                    ((*this).symbol.as_char_ptr(), (&raw mut (*this).data).cast::<c_void>())
                };
                let init = move |slot: *mut Registered| {
                    // SAFETY: `koru_kprobe_register()` writes a `struct koru_kprobe`, for
                    // which the slot is large enough and aligned, and which stays where it
                    // is until it is unregistered, as the slot is pinned. It keeps `symbol`,
                    // a C string, and `data`, which both live longer. It calls `run_handler::<T>`
                    // with `data`, which is a `T` that may be shared: `T` is `Sync`.
                    to_result(unsafe {
                        bindings::koru_kprobe_register(
                            (*slot).probe.object(),
                            symbol,
                            Some(run_handler::<T>),
                            data,
                        )
                    })
                };
                // SAFETY: on success the probe is registered, which is the type's invariant,
                // and the other field has no size; on failure the slot holds nothing that
                // has to be dropped.
                unsafe { pin_init::pin_init_from_closure(init) }
            },
        }? Error)
    }

    /// Returns the function's name.
    pub fn symbol(&self) -> &CStr {
        &self.symbol
    }

    /// Returns how often the kernel did not call the handler, because this CPU was in the
    /// handler of some probe already. May be called in any context.
    ///
    /// That happens if a handler, of whatever probe, calls the function, or if an
    /// interrupt does that comes during a handler. So calls that a handler counts, together
    /// with these, are all of them, with two exceptions:
    ///
    /// - The kernel increments this number without atomics. If two CPUs miss a call at the
    ///   very same time, it may grow by one only.
    /// - A call inside the machinery itself, before a handler is reached, is refused by
    ///   ftrace's guard against recursion and counted nowhere.
    ///
    /// Neither can happen if no handler calls the function, and no interrupt does.
    pub fn missed(&self) -> usize {
        // SAFETY: `koru_kprobe_missed()` reads a field of a `struct koru_kprobe`, which the
        // storage holds from registration to drop, by the invariant of `Registered`.
        unsafe { bindings::koru_kprobe_missed(self.registered.probe.object()) }
    }

    /// Returns the handler's data.
    pub fn data(&self) -> &T {
        &self.data
    }
}

/// Runs the handler of a probe. The kernel calls this in the context that [`Handler`]
/// describes.
///
/// # Safety
///
/// `data` must point to a `T` and `regs` to the registers of the CPU; both must be valid
/// until this returns, and may be shared.
// The build follows what it finds in this section.
#[link_section = ".text.koru_kprobe"]
unsafe extern "C" fn run_handler<T: Handler>(data: *mut c_void, regs: *const bindings::pt_regs) {
    // SAFETY: the caller vouches for both pointers, and for that nothing changes what they
    // point to but by interior mutability. A `Regs` is a `struct pt_regs`.
    let (data, regs) = unsafe { (&*data.cast::<T>(), &*regs.cast::<Regs>()) };
    data.pre_handler(regs);
}
