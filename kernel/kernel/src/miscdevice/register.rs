// SPDX-License-Identifier: GPL-2.0-only

//! The registration of a device.

use super::device::{Erased, MiscDevice, MiscDeviceData, MiscDeviceRegistration};
use super::opening::is_opening;
use super::operations::Table;
use super::options::MiscDeviceOptions;
use crate::bindings;
use crate::error::code::EDEADLK;
use crate::error::{to_result, Error};
use crate::layout;
use crate::live::{Kind, Live};
use crate::sync::Arc;
use crate::try_pin_init;
use crate::types::Opaque;
use core::marker::PhantomData;
use pin_init::{pin_init_from_closure, PinInit};

impl<T: MiscDevice> MiscDeviceRegistration<T> {
    /// Returns an initialiser that registers the device.
    ///
    /// Context: any process, also one that is about to exit, or any kernel thread; it may sleep. It
    /// must not be called in [`MiscDevice::open`], which runs under a lock that this takes.
    ///
    /// # Errors
    ///
    /// `EEXIST` if another device of the class has the name, `EINVAL` if the name is not valid (see
    /// [`MiscDeviceOptions::name`]), `EBUSY` if there are too many devices, `EDEADLK` in
    /// [`MiscDevice::open`], `ENOMEM`.
    ///
    /// If two modules register the same name at the very same time, the second gets `EEXIST` too,
    /// but the kernel then also prints a warning about it.
    pub fn register(opts: MiscDeviceOptions) -> impl PinInit<Self, Error> {
        Self::new(opts, None)
    }

    fn new(opts: MiscDeviceOptions, data: Option<Erased>) -> impl PinInit<Self, Error> {
        // The order matters: once the last field is initialised, `open` may be called.
        try_pin_init!(Self {
            data,
            live: Live::new(Kind::MiscDevice),
            _device: PhantomData,
            // INVARIANT: the device is registered, and `data` is a `T::Data` or `None`.
            inner <- Self::register_inner(opts),
        }? Error)
    }

    fn register_inner(opts: MiscDeviceOptions) -> impl PinInit<Opaque<layout::MiscDevice>, Error> {
        let register = move |slot: *mut Opaque<layout::MiscDevice>| {
            opts.check()?;
            if is_opening() {
                return Err(EDEADLK);
            }
            // SAFETY: the slot has the size of a `struct miscdevice`, is pinned, and is
            // deregistered before it is freed. The name and the operations exist as long as the
            // module. The operations are those of `T`, for a registration of `T`.
            to_result(unsafe {
                bindings::koru_misc_register(
                    layout::MiscDevice::object(slot.cast()),
                    opts.name.as_ptr().cast(),
                    u32::from(T::MODE.bits()),
                    Table::<T>::get(),
                )
            })
        };
        // SAFETY: an `Opaque` is valid in every state, so the slot holds a value whatever the
        // closure returns.
        unsafe { pin_init_from_closure(register) }
    }
}

impl<T: MiscDeviceData> MiscDeviceRegistration<T> {
    /// Returns an initialiser that registers the device, with data that all open files can share.
    ///
    /// The context and the errors are those of [`Self::register`].
    pub fn register_with(opts: MiscDeviceOptions, data: Arc<T::Data>) -> impl PinInit<Self, Error> {
        Self::new(opts, Some(Erased::new(data)))
    }
}
