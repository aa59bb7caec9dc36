//! A guest that this process owns.

use crate::{
    Accel, Error, Event, GuestConfig, Result, Session,
    accel::Decision,
    console::{Console, evidence},
    error::{at_path, doing},
    kernel::BootImage,
    monitor::{Monitor, Order},
    qemu::{self, Machine, Start},
    saved,
    session::check_version,
    shared::SharedMemory,
};
use koru_protocol::{Death, Ready};
use rustix::process::Pid;
use std::{
    fs::File,
    io::ErrorKind,
    path::Path,
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// A running guest. It ends when this is dropped, and when the process ends,
/// however that comes about.
pub struct Guest {
    session: Session,
    ready: Ready,
    accel: Accel,
    boot_time: Duration,
    console: Console,
    pid: Pid,
    orders: Sender<Order>,
    monitor: Option<JoinHandle<()>>,
}

/// A QEMU to be started, with somebody to watch it.
pub(crate) struct Launch<'a> {
    pub config: &'a GuestConfig,
    pub accel: Accel,
    pub pvh: bool,
    pub start: Start<'a>,
    /// Where the guest's memory is kept.
    pub ram: Option<&'a Path>,
    /// Memory for the channel beside the line.
    pub shared: Option<SharedMemory>,
}

impl Launch<'_> {
    pub fn run(self) -> Result<Guest> {
        let config = self.config;
        config.tell(match self.start {
            Start::Boot { .. } => Event::Starting(self.accel),
            Start::Resume(_) => Event::Resuming,
        });
        // Not for a machine that others go on from.
        let made = matches!(self.start, Start::Boot { .. }) && self.ram.is_some();
        let gdb = config.gdb.as_deref().filter(|_| !made);
        let qemu = qemu::start(&Machine {
            qemu: &config.qemu,
            accel: self.accel,
            memory_mb: config.memory_mb,
            cpus: config.cpus,
            in_turn: config.in_turn,
            pvh: self.pvh,
            start: self.start,
            ram: self.ram,
            shared: self.shared.as_ref().map(|s| &s.file),
            replay: config.replay,
            gdb,
        })?;
        let pid = qemu.pid;
        let console = Console::default();
        let (orders, ordered) = channel();
        let (hung, hangs) = channel();
        let (session, monitor) =
            Monitor::start(qemu, self.shared, console.clone(), ordered, hangs)?;
        session.tell_hangs_to(hung);
        if gdb.is_some() {
            session.be_patient();
        }
        Ok(Guest {
            session,
            ready: Ready {
                protocol: 0,
                agent: String::new(),
                release: String::new(),
                version: String::new(),
                uptime_ms: 0,
                shared: false,
            },
            accel: self.accel,
            boot_time: Duration::ZERO,
            console,
            pid,
            orders,
            monitor: Some(monitor),
        })
    }
}

impl Guest {
    /// Starts a guest and waits until its agent answers. It goes on from a saved
    /// machine where that works, and boots else.
    pub fn start(config: GuestConfig) -> Result<Guest> {
        let image = BootImage::prepare(&config.kernel, &config.cache)?;
        let decision = Decision::make(config.accel, &config.cache);
        // A KVM that works boots fast; and what does not boot need not be saved.
        if config.resume && decision.accel == Accel::Tcg && !decision.on_probation {
            if let Some(guest) = saved::start(&config, &image, decision.accel) {
                return Ok(guest);
            }
        }
        let initrd = config.initrd(true)?;
        match Self::boot(
            &config,
            &image,
            &initrd,
            decision.accel,
            decision.on_probation,
        )? {
            Some(guest) => {
                if decision.on_probation {
                    decision.remember(decision.accel);
                }
                Ok(guest)
            }
            None => {
                decision.remember(Accel::Tcg);
                let tcg = Self::boot(&config, &image, &initrd, Accel::Tcg, false)?;
                tcg.ok_or_else(|| doing("start the guest")(std::io::ErrorKind::Other.into()))
            }
        }
    }

    /// One try; `None` when KVM on probation gave no sign of life.
    fn boot(
        config: &GuestConfig,
        image: &BootImage,
        initrd: &File,
        accel: Accel,
        on_probation: bool,
    ) -> Result<Option<Guest>> {
        /// A real KVM's guest speaks within a tenth of this.
        const SIGN_OF_LIFE: Duration = Duration::from_secs(6);
        let start = Instant::now();
        let mut guest = Launch {
            config,
            accel,
            pvh: image.pvh,
            start: Start::Boot {
                image,
                // On probation the kernel's own first words count as well.
                cmdline: config.boot_cmdline(accel, !on_probation),
                initrd,
            },
            ram: None,
            shared: Some(SharedMemory::new()?),
        }
        .run()?;
        if on_probation
            && !guest.session.wait_heard(SIGN_OF_LIFE)
            && guest.console.text().is_empty()
        {
            let why = match guest.session.death() {
                Some(Death::Vanished { detail, .. }) => detail.lines().next().unwrap_or("").into(),
                _ => format!("no sign of life in {} s", SIGN_OF_LIFE.as_secs()),
            };
            config.tell(Event::FellBack(why));
            return Ok(None); // Dropping it ends this QEMU.
        }
        let Some(ready) = guest.session.wait_ready(config.boot_limit) else {
            return Err(guest.boot_error(config.boot_limit));
        };
        check_version(&ready)?;
        guest.session.set_time()?;
        config.tell(Event::Ready {
            release: ready.release.clone(),
            after: start.elapsed(),
        });
        guest.is_ready(ready, start.elapsed());
        Ok(Some(guest))
    }

    /// The agent has answered.
    pub(crate) fn is_ready(&mut self, ready: Ready, after: Duration) {
        self.ready = ready;
        self.boot_time = after;
    }

    /// Saves the state of its devices and ends it.
    pub(crate) fn save(mut self, state: &Path) -> Result<()> {
        let (done, outcome) = channel();
        let _ = self.orders.send(Order::Save(state.into(), done));
        let outcome = outcome.recv().unwrap_or(Err(ErrorKind::BrokenPipe.into()));
        self.join();
        outcome.map_err(at_path("save the machine in", state))
    }

    pub(crate) fn boot_error(mut self, limit: Duration) -> Error {
        if self.session.death().is_none() {
            let secs = limit.as_secs();
            let what = format!("its agent did not answer in {secs} s");
            self.session.hang_found(&what);
            self.join();
        }
        let why = match self.session.death() {
            Some(Death::Panicked { reason, .. }) => format!("its kernel panicked: {reason}"),
            Some(Death::Vanished { detail, .. }) => detail,
            Some(Death::Hung { what, .. }) => what,
            Some(Death::PoweredOff) | None => "it powered itself off".into(),
        };
        Error::Boot {
            why,
            console: evidence(&self.console.text()),
        }
    }

    /// How it is worked with.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What the agent said of itself.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// What runs its instructions.
    pub fn accel(&self) -> Accel {
        self.accel
    }

    /// From the start of QEMU to the agent's first word.
    pub fn boot_time(&self) -> Duration {
        self.boot_time
    }

    /// QEMU's process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get() as u32
    }

    /// What it wrote to its console. That is little: what the kernel holds
    /// important, and what was written to `/dev/console`.
    pub fn console(&self) -> String {
        self.console.text()
    }

    /// Ends it at once, from any thread.
    pub fn ender(&self) -> impl FnOnce() + Send + 'static {
        let orders = self.orders.clone();
        move || _ = orders.send(Order::Kill)
    }

    /// Powers it off in order.
    pub fn power_off(self) -> Result<()> {
        self.session.power_off()
    }

    fn join(&mut self) {
        if let Some(monitor) = self.monitor.take() {
            let _ = monitor.join();
        }
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Death {
        self.join();
        self.session.death().unwrap_or(Death::PoweredOff)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Kill);
        self.join();
    }
}
