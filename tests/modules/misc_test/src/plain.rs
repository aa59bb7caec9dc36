// SPDX-License-Identifier: GPL-2.0-only

//! A device that does almost nothing.

use kernel::{
    device::Device,
    fs::{File, Mode},
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
    sync::aref::ARef,
};

pub(crate) struct Plain {
    dev: ARef<Device>,
}

#[vtable]
impl MiscDevice for Plain {
    type Ptr = KBox<Self>;
    const MODE: Mode = Mode::new::<0o640>();

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
        Ok(KBox::new(
            Plain {
                dev: misc.device().into(),
            },
            GFP_KERNEL,
        )?)
    }

    fn release(plain: KBox<Self>, _file: &File) {
        dev_info!(plain.dev, "released\n");
    }

    fn ioctl(_plain: &Self, _file: &File, _cmd: u32, _arg: usize) -> Result<isize> {
        Ok(64)
    }

    #[cfg(CONFIG_COMPAT)]
    fn compat_ioctl(_plain: &Self, _file: &File, _cmd: u32, _arg: usize) -> Result<isize> {
        Ok(32)
    }
}
