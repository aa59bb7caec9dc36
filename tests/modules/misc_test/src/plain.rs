//! A device that does nearly nothing.

use kernel::{
    fs::{File, Mode},
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

pub(crate) struct Plain;

#[vtable]
impl MiscDevice for Plain {
    type Ptr = ();
    const MODE: Mode = Mode::new::<0o640>();

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result {
        Ok(())
    }

    fn release(_device: (), _file: &File) {
        pr_info!("plain released\n");
    }

    fn ioctl(_device: (), _file: &File, _cmd: u32, _arg: usize) -> Result<isize> {
        Ok(64)
    }

    #[cfg(CONFIG_COMPAT)]
    fn compat_ioctl(_device: (), _file: &File, _cmd: u32, _arg: usize) -> Result<isize> {
        Ok(32)
    }
}
