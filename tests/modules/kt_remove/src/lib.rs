// SPDX-License-Identifier: GPL-2.0-only

//! Has files whose calls block, and drops registrations in unusual places.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{file::Offset, File},
    kthread::KThread,
    miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceOptions, MiscDeviceRegistration},
    new_condvar, new_mutex,
    prelude::*,
    proc_fs::{Mode, Operations, Options, ProcFile, Show, ShowFile},
    seq_file::SeqFile,
    seq_print,
    sync::{Arc, CondVar, Mutex},
    time::{delay::fsleep, Delta},
    uaccess::{UserSliceReader, UserSliceWriter},
    InPlaceModule,
};

module! {
    type: Removed,
    name: "kt_remove",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        deaf: bool { default: false, description: "Do nothing when a file is removed" },
        linger_ms: u32 { default: 0, description: "How long the removal is prepared" },
    },
}

const EVERYBODY: Mode = Mode::new::<0o666>();

#[pin_data]
struct Removed {
    #[pin]
    file: ProcFile<Blocking>,
    #[pin]
    show: ShowFile<Blocking>,
    #[pin]
    control: ProcFile<Control>,
}

impl InPlaceModule for Removed {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let desks = || Ok::<_, Error>([Desk::new()?, Desk::new()?]);
        let (file, show) = (Options::new(c"kt_remove", EVERYBODY), c"kt_remove_show");
        let show = Options::new(show, EVERYBODY);
        let control = Options::new(c"kt_remove_control", EVERYBODY);
        pin_init::pin_init_scope(move || {
            let desks = desks()?;
            let [first, second] = desks.clone();
            Ok(try_pin_init!(Self {
                control <- ProcFile::new(control, Control::new(desks)?),
                show <- ShowFile::new(show, Blocking(second)),
                file <- ProcFile::new(file, Blocking(first)),
            }))
        })
    }
}

/// The place where the readers of one kind of file wait.
#[pin_data]
struct Desk {
    #[pin]
    state: Mutex<State>,
    #[pin]
    changed: CondVar,
}

#[derive(Clone, Copy, Default)]
struct State {
    tokens: u32,
    waiting: u32,
    removing: bool,
}

impl Desk {
    fn new() -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            state <- new_mutex!(State::default()),
            changed <- new_condvar!(),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Waits for a token, and takes it.
    fn take(&self) -> Result {
        let mut state = self.state.lock();
        loop {
            if state.removing {
                return Err(EIO);
            }
            if state.tokens > 0 {
                state.tokens -= 1;
                return Ok(());
            }
            state.waiting += 1;
            let signal = self.changed.wait_interruptible(&mut state);
            state.waiting -= 1;
            if signal {
                return Err(ERESTARTSYS);
            }
        }
    }

    fn give(&self) {
        self.state.lock().tokens += 1;
        self.changed.notify_one();
    }

    fn remove(&self) {
        if *module_parameters::deaf.value() {
            return;
        }
        self.state.lock().removing = true;
        self.changed.notify_all();
        fsleep(Delta::from_millis(i64::from(
            *module_parameters::linger_ms.value(),
        )));
    }
}

/// A file whose readers wait.
struct Blocking(Arc<Desk>);

impl Show for Blocking {
    fn show(&self, m: &SeqFile) -> Result {
        self.0.take()?;
        seq_print!(m, "token\n");
        Ok(())
    }

    fn removing(&self) {
        self.0.remove();
    }
}

#[vtable]
impl Operations for Blocking {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    fn read(
        &self,
        _data: (),
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        if *pos == 0 {
            self.0.take()?;
        }
        to.write_slice_file(b"token\n", pos)
    }

    fn removing(&self) {
        self.0.remove();
    }
}

/// The registrations that commands make and drop.
#[pin_data]
struct Slots {
    #[pin]
    file: Mutex<Option<Pin<KBox<ProcFile<Extra>>>>>,
    #[pin]
    show: Mutex<Option<Pin<KBox<ShowFile<Extra>>>>>,
    #[pin]
    device: Mutex<Option<Pin<KBox<MiscDeviceRegistration<Opened>>>>>,
    #[pin]
    kept: Mutex<u32>,
}

/// A file that drops itself.
struct Extra(Arc<Slots>);

impl Extra {
    fn drop_itself(&self) {
        let (file, show) = (self.0.file.lock().take(), self.0.show.lock().take());
        drop((file, show));
        pr_info!("it came back\n");
    }
}

impl Show for Extra {
    fn show(&self, _m: &SeqFile) -> Result {
        self.drop_itself();
        Ok(())
    }
}

#[vtable]
impl Operations for Extra {
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
        self.drop_itself();
        Ok(from.len())
    }

    fn removing(&self) {
        pr_info!("the extra file is being removed\n");
    }
}

struct Opened;

impl MiscDeviceData for Opened {
    type Data = Slots;
}

#[vtable]
impl MiscDevice for Opened {
    type Ptr = ();

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result {
        let slots = misc.data()?;
        let own = slots.device.lock().take();
        drop(own);
        pr_info!("it came back\n");
        Err(ENXIO)
    }
}

struct Control {
    desks: [Arc<Desk>; 2],
    slots: Arc<Slots>,
}

impl Control {
    fn new(desks: [Arc<Desk>; 2]) -> Result<Self> {
        let slots = pin_init!(Slots {
            file <- new_mutex!(None),
            show <- new_mutex!(None),
            device <- new_mutex!(None),
            kept <- new_mutex!(0),
        });
        let slots = Arc::pin_init(slots, GFP_KERNEL)?;
        Ok(Control { desks, slots })
    }

    fn command(&self, command: &str) -> Result {
        let extra = || Extra(self.slots.clone());
        let options = Options::new(c"kt_remove_extra", EVERYBODY);
        match command {
            "give" => self.desks.iter().for_each(|desk| desk.give()),
            "file" => {
                let file = KBox::pin_init(ProcFile::new(options, extra()), GFP_KERNEL)?;
                *self.slots.file.lock() = Some(file);
            }
            "show" => {
                let file = KBox::pin_init(ShowFile::new(options, extra()), GFP_KERNEL)?;
                *self.slots.show.lock() = Some(file);
            }
            "device" => {
                let options = MiscDeviceOptions { name: c"kt_remove" };
                let device = MiscDeviceRegistration::register_with(options, self.slots.clone());
                *self.slots.device.lock() = Some(KBox::pin_init(device, GFP_KERNEL)?);
            }
            // This is in a call of another file.
            "drop" => self.slots.drop_all(),
            "thread" => {
                let slots = self.slots.clone();
                let thread = KThread::spawn(c"kt_remove", move |_| slots.drop_all())?;
                // The thread must not be stopped before it runs.
                while !thread.is_finished() {
                    fsleep(Delta::from_millis(1));
                }
            }
            "forget" => core::mem::forget(self.slots.kept.lock()),
            "lock" => *self.slots.kept.lock() += 1,
            _ => return Err(EINVAL),
        }
        Ok(())
    }
}

impl Slots {
    fn drop_all(&self) {
        let (file, show) = (self.file.lock().take(), self.show.lock().take());
        let device = self.device.lock().take();
        let any = file.is_some() || show.is_some() || device.is_some();
        drop((file, show, device));
        pr_info!("dropped: {any}\n");
    }
}

#[vtable]
impl Operations for Control {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    /// Returns how many wait, and how many files are being removed.
    fn read(
        &self,
        _data: (),
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        use core::fmt::Write;
        let [file, show] = self.desks.each_ref().map(|desk| *desk.state.lock());
        let mut text = kernel::str::ArrayString::<64>::new();
        writeln!(
            text,
            "{} {} {} {}",
            file.waiting, show.waiting, file.removing, show.removing
        )?;
        to.write_slice_file(text.as_bytes(), pos)
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
        self.command(core::str::from_utf8(text)?.trim())?;
        Ok(text.len())
    }
}
