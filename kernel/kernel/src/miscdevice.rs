// SPDX-License-Identifier: GPL-2.0-only

//! Misc devices: character devices with a file in /dev, without the work of device numbers.
//!
//! A type that implements [`MiscDevice`] defines what the file does. A [`MiscDeviceRegistration`]
//! of the type is the device, which exists as long as that value. devtmpfs makes the node, for root
//! only unless [`MiscDevice::MODE`] says otherwise.
//!
//! An open file keeps the module loaded: `rmmod` fails with `EWOULDBLOCK` until it is closed. It
//! may outlive its registration, if the module drops that earlier: the file then continues to work,
//! and nobody can open it again.
//!
//! Nobody can open the device while the module's `init` runs: `open` fails with `ENODEV` until that
//! has succeeded. The node exists before, and user space has been notified of it (by a uevent), so
//! a program that udev starts for it, and that opens it at once, has to try again. Registering last
//! in `init` keeps that time short.
//!
//! C header: `include/linux/miscdevice.h`
//!
//! Reference: <https://docs.kernel.org/driver-api/misc_devices.html>
//!
//! # Examples
//!
//! ```
//! # extern crate kernel as pin_init;
//! use kernel::{
//!     fs::{File, Kiocb},
//!     iov::IovIterDest,
//!     miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
//!     prelude::*,
//!     InPlaceModule,
//! };
//!
//! /// What belongs to one open file.
//! struct Greeting {
//!     text: &'static [u8],
//! }
//!
//! #[vtable]
//! impl MiscDevice for Greeting {
//!     type Ptr = KBox<Self>;
//!
//!     fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
//!         Ok(KBox::new(Greeting { text: b"Hello world\n" }, GFP_KERNEL)?)
//!     }
//!
//!     fn read_iter(mut kiocb: Kiocb<'_, KBox<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
//!         let greeting = kiocb.file();
//!         iov.simple_read_from_buffer(kiocb.ki_pos_mut(), greeting.text)
//!     }
//! }
//!
//! #[pin_data]
//! struct Module {
//!     #[pin]
//!     device: MiscDeviceRegistration<Greeting>,
//! }
//!
//! impl InPlaceModule for Module {
//!     fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
//!         try_pin_init!(Self {
//!             device <- MiscDeviceRegistration::register(MiscDeviceOptions { name: c"greeting" }),
//!         })
//!     }
//! }
//! ```

mod device;
mod opening;
mod operations;
mod options;
mod register;

pub use device::{MiscDevice, MiscDeviceData, MiscDeviceRegistration};
pub use options::MiscDeviceOptions;
