// SPDX-License-Identifier: GPL-2.0-only

//! Misc devices for tests/guest/tests/miscdevice.rs.

#![no_std]
#![forbid(unsafe_code)]

mod hostile;
mod memory;
mod plain;

use hostile::Hostile;
use kernel::{
    miscdevice::{MiscDeviceOptions, MiscDeviceRegistration},
    new_mutex,
    prelude::*,
    sync::Arc,
    time::{delay::fsleep, Delta},
    InPlaceModule,
};
use memory::{Memory, Shared};
use plain::Plain;

module! {
    type: MiscTest,
    name: "misc_test",
    description: "Misc devices to be tested",
    license: "GPL",
    params: {
        slow: i64 { default: 0, description: "How many milliseconds init takes, with the devices there" },
        fail: bool { default: false, description: "Fail after that" },
        twice: bool { default: false, description: "Register a name twice" },
        name: &'static CStr { default: c"misc_test_dir/plain", description: "The plain device's" },
    },
}

#[pin_data]
struct MiscTest {
    #[pin]
    memory: MiscDeviceRegistration<Memory>,
    #[pin]
    hostile: MiscDeviceRegistration<Hostile>,
    _finished: (),
}

impl InPlaceModule for MiscTest {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            memory <- MiscDeviceRegistration::register_with(named(c"misc_test"), shared()?),
            hostile <- MiscDeviceRegistration::register(named(c"misc_test_hostile")),
            _finished: finish()?,
        })
    }
}

fn named(name: &'static CStr) -> MiscDeviceOptions {
    MiscDeviceOptions { name }
}

/// Creates what the devices share. The plain device exists until a command removes it.
fn shared() -> Result<Arc<Shared>> {
    let plain = MiscDeviceRegistration::<Plain>::register(named(module_parameters::name.value()));
    let plain = KBox::pin_init(plain, GFP_KERNEL)?;
    let shared = Arc::pin_init(
        try_pin_init!(Shared {
            plain <- new_mutex!(Some(plain)),
        }),
        GFP_KERNEL,
    )?;
    Ok(shared)
}

/// Runs the end of the module's init, after the devices are registered.
fn finish() -> Result {
    fsleep(Delta::from_millis(*module_parameters::slow.value()));
    if *module_parameters::twice.value() {
        let again = MiscDeviceRegistration::<Plain>::register(named(c"misc_test"));
        KBox::pin_init(again, GFP_KERNEL)?;
    }
    if *module_parameters::fail.value() {
        return Err(EDOM);
    }
    Ok(())
}
