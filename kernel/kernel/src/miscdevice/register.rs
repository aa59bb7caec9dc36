// SPDX-License-Identifier: GPL-2.0-only

//! How a device is registered.

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
    /// Makes the device.
    ///
    /// # Context
    ///
    /// May sleep. Any process, also one that is about to end, and any kernel thread;
    /// but not [`MiscDevice::open`], which runs under a lock that this takes.
    ///
    /// # Errors
    ///
    /// `EEXIST` if another device of the class has the name, `EINVAL` if it is none
    /// (see [`MiscDeviceOptions::name`]), `EBUSY` if there are too many devices,
    /// `EDEADLK` in [`MiscDevice::open`], `ENOMEM`.
    ///
    /// Of two modules that register one name at the very same time the second gets
    /// `EEXIST` too, but the kernel then also prints a warning about it.
    pub fn register(opts: MiscDeviceOptions) -> impl PinInit<Self, Error> {
        Self::new(opts, None)
    }

    fn new(opts: MiscDeviceOptions, data: Option<Erased>) -> impl PinInit<Self, Error> {
        // In this order: with the last, `open` may be called.
        try_pin_init!(Self {
            data,
            live: Live::new(Kind::MiscDevice),
            _device: PhantomData,
            inner <- Self::register_inner(opts),
        }? Error)
    }

    fn register_inner(opts: MiscDeviceOptions) -> impl PinInit<Opaque<layout::MiscDevice>, Error> {
        let register = move |slot: *mut Opaque<layout::MiscDevice>| {
            opts.check()?;
            if is_opening() {
                return Err(EDEADLK);
            }
            // SAFETY: the slot has the size of a `struct miscdevice`, is pinned,
            // and is deregistered before it goes. The name and the operations
            // are there for as long as the module. Those are this `T`'s, for a
            // registration of `T`.
            to_result(unsafe {
                bindings::koru_misc_register(
                    layout::MiscDevice::object(slot.cast()),
                    opts.name.as_ptr().cast(),
                    u32::from(T::MODE.bits()),
                    Table::<T>::get(),
                )
            })
        };
        // SAFETY: every state of an `Opaque` is valid.
        unsafe { pin_init_from_closure(register) }
    }
}

impl<T: MiscDeviceData> MiscDeviceRegistration<T> {
    /// Makes the device, with data that all open files can share. As
    /// [`Self::register`] otherwise.
    pub fn register_with(opts: MiscDeviceOptions, data: Arc<T::Data>) -> impl PinInit<Self, Error> {
        Self::new(opts, Some(Erased::new(data)))
    }
}
