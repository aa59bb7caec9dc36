// SPDX-License-Identifier: GPL-2.0-only

//! Files whose operations fail with any code, and registrations from any place, as a command that
//! is written to /proc/kt_files asks for.

#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::SeqCst};
use kernel::{
    fs::{file::Offset, File, Kiocb},
    iov::{IovIterDest, IovIterSource},
    kthread::KThread,
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    prelude::*,
    proc_fs::{Mode, Operations, Options, ProcFile, Show, ShowFile, Whence},
    seq_file::SeqFile,
    seq_print,
    time::{delay::fsleep, Delta},
    uaccess::{UserSliceReader, UserSliceWriter},
    InPlaceModule,
};

module! {
    type: Files,
    name: "kt_files",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        name: &'static CStr { default: c"kt_files_other", description: "What is registered by a command" },
    },
}

/// The code of the failing operations, positive; 0 for success.
static CODE: AtomicI32 = AtomicI32::new(0);
/// Whether opening fails as well.
static OPENING: AtomicBool = AtomicBool::new(false);
/// Whether a read of the failing file first waits for a signal.
static WAITING: AtomicBool = AtomicBool::new(false);
static READS: AtomicU32 = AtomicU32::new(0);
/// Whether the control file's release registers.
static LATE: AtomicBool = AtomicBool::new(false);
/// Whether the device's open registers.
static INSIDE: AtomicBool = AtomicBool::new(false);

#[pin_data]
struct Files {
    #[pin]
    control: ProcFile<Control>,
    #[pin]
    bad: ProcFile<Bad>,
    #[pin]
    show: ShowFile<Bad>,
    #[pin]
    device: MiscDeviceRegistration<Bad>,
}

impl InPlaceModule for Files {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let everybody = Mode::new::<0o666>();
        let show = Options::new(c"kt_files_show", everybody).size_hint(usize::MAX);
        try_pin_init!(Self {
            control <- ProcFile::new(Options::new(c"kt_files", everybody), Control),
            bad <- ProcFile::new(Options::new(c"kt_files_bad", everybody), Bad),
            show <- ShowFile::new(show, Bad),
            device <- MiscDeviceRegistration::register(MiscDeviceOptions { name: c"kt_files" }),
        })
    }
}

fn code() -> Result {
    match CODE.load(SeqCst) {
        0 => Ok(()),
        code => Err(Error::from_errno(-code)),
    }
}

/// A type without a size, and with an alignment that no allocation has by itself.
#[repr(align(512))]
struct Text;

impl Show for Text {
    fn show(&self, m: &SeqFile) -> Result {
        seq_print!(m, "{}\n", core::ptr::from_ref(self).addr() % 512);
        Ok(())
    }
}

fn proc_file() -> Result<Pin<KBox<ShowFile<Text>>>> {
    let options = Options::new(module_parameters::name.value(), Mode::new::<0o444>());
    KBox::pin_init(ShowFile::new(options, Text), GFP_KERNEL)
}

fn device() -> Result<Pin<KBox<MiscDeviceRegistration<Bad>>>> {
    let name = module_parameters::name.value();
    let device = MiscDeviceRegistration::register(MiscDeviceOptions { name });
    KBox::pin_init(device, GFP_KERNEL)
}

/// Registers a file and a device, and logs the results.
fn both(place: &str) {
    pr_info!(
        "{place}: {:?} {:?}\n",
        proc_file().map(drop),
        device().map(drop)
    );
}

/// Registers a name that this module itself has.
fn twice() -> Result {
    let _first = (proc_file()?, device()?);
    pr_info!(
        "again: {:?} {:?}\n",
        proc_file().map(drop),
        device().map(drop)
    );
    Ok(())
}

struct Control;

#[vtable]
impl Operations for Control {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    fn write(
        &self,
        _data: (),
        _file: &File,
        from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        let mut text = [0; 32];
        let text = text.get_mut(..from.len()).ok_or(EINVAL)?;
        from.read_slice(text)?;
        let words = core::str::from_utf8(text)?.trim();
        let (command, number) = words.split_once(' ').unwrap_or((words, "0"));
        let number = number.parse().map_err(|_| EINVAL)?;
        match command {
            "both" => both("here"),
            "twice" => twice()?,
            "late" => LATE.store(true, SeqCst),
            "inside" => INSIDE.store(true, SeqCst),
            "thread" => {
                let thread = KThread::spawn(c"kt_files", |_| both("thread"))?;
                // The thread must not be stopped before it runs.
                while !thread.is_finished() {
                    fsleep(Delta::from_millis(1));
                }
            }
            "code" | "open" | "wait" => {
                CODE.store(number, SeqCst);
                OPENING.store(command == "open", SeqCst);
                WAITING.store(command == "wait", SeqCst);
            }
            _ => return Err(EINVAL),
        }
        Ok(text.len())
    }

    fn release(&self, _data: (), _file: &File) {
        if LATE.swap(false, SeqCst) {
            both("late");
        }
    }
}

struct Bad;

impl Show for Bad {
    fn show(&self, _m: &SeqFile) -> Result {
        code()
    }
}

#[vtable]
impl Operations for Bad {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        if OPENING.load(SeqCst) {
            code()?;
        }
        Ok(())
    }

    fn read(
        &self,
        _data: (),
        _file: &File,
        _to: &mut UserSliceWriter,
        _pos: &mut Offset,
    ) -> Result<usize> {
        pr_info!("read {}\n", READS.fetch_add(1, SeqCst) + 1);
        if WAITING.swap(false, SeqCst) {
            while !current!().signal_pending() {
                fsleep(Delta::from_millis(1));
            }
            let result = code();
            CODE.store(0, SeqCst);
            result?;
        }
        code()?;
        Ok(0)
    }

    fn write(
        &self,
        _data: (),
        _file: &File,
        from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        code()?;
        Ok(from.len())
    }

    fn lseek(&self, _data: (), _file: &File, offset: Offset, _whence: Whence) -> Result<Offset> {
        code()?;
        Ok(offset)
    }
}

#[vtable]
impl MiscDevice for Bad {
    type Ptr = ();

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result {
        if INSIDE.swap(false, SeqCst) {
            both("inside");
        }
        if OPENING.load(SeqCst) {
            code()?;
        }
        Ok(())
    }

    fn read_iter(_kiocb: Kiocb<'_, ()>, _iov: &mut IovIterDest<'_>) -> Result<usize> {
        code()?;
        Ok(0)
    }

    fn write_iter(_kiocb: Kiocb<'_, ()>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        code()?;
        Ok(iov.len())
    }

    fn lseek(_device: (), _file: &File, offset: Offset, _whence: Whence) -> Result<Offset> {
        code()?;
        Ok(offset)
    }

    /// Command 1 returns the code as a successful number.
    fn ioctl(_device: (), _file: &File, cmd: u32, _arg: usize) -> Result<isize> {
        if cmd == 1 {
            return Ok(-(CODE.load(SeqCst) as isize));
        }
        code()?;
        Ok(0)
    }
}
