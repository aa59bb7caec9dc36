// SPDX-License-Identifier: GPL-2.0-only

//! A crate that calls itself `kernel`, `pin_init` and `core`, and has wrong items by the names that
//! the kernel crate's macros write.

#![no_std]
#![forbid(unsafe_code)]

extern crate core as real_core;
extern crate kernel as real;
extern crate self as core;
extern crate self as kernel;
extern crate self as pin_init;

pub use real::{__pin_data, __pinned_drop};

/// The module that would have the parameter, if `module!` meant this crate.
pub mod module_param {
    /// A parameter without a value that the loader could set.
    pub struct ModuleParamAccess<T>(pub T);

    impl<T> ModuleParamAccess<T> {
        /// Creates one from the default.
        pub const fn new(value: T) -> Self {
            Self(value)
        }
    }
}

/// The module that would say what is pinned, if `#[pin_data]` meant this crate.
pub mod __internal {
    pub use real::__internal::*;
    pub use real::__internal::{Pinned as Unpinned, Unpinned as Pinned};
}

const __LOG_PREFIX: &[u8] = b"misuse_names\0";

real::sync::global_lock! {
    static LOCKED: Mutex<u32> = 1;
}

mod inner {
    use crate::LOCKED;
    use real::prelude::*;
    use real::{new_mutex, sync::Mutex};

    module! {
        type: Names,
        name: "misuse_names",
        license: "GPL",
        params: {
            number: u32 {
                default: 1,
                description: "What is printed",
            },
        },
    }

    #[pin_data(PinnedDrop)]
    struct Names {
        #[pin]
        number: Mutex<u32>,
    }

    impl real::InPlaceModule for Names {
        fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
            try_pin_init!(Self {
                number <- new_mutex!(*module_parameters::number.value()),
                _: {
                    let number = *number.lock();
                    *LOCKED.lock() += number;
                    pr_info!("number {number}, locked {}\n", *LOCKED.lock());
                },
            })
        }
    }

    #[pinned_drop]
    impl PinnedDrop for Names {
        fn drop(self: Pin<&mut Self>) {
            pr_info!("dropped {}\n", *self.number.lock());
        }
    }
}
