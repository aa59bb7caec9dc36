//! A guest that this process owns.

use crate::{
    Accel, AccelChoice, Error, Initramfs, Result, Session,
    accel::Decision,
    complaint::first_complaint,
    console::{Console, evidence, panic_reason, records_after},
    error::{at_path, doing},
    kernel::BootImage,
    qemu::{self, Ended, Machine, Qemu, Start},
    qmp::Qmp,
    saved,
    session::{check_version, hang_limit},
    shared::SharedMemory,
};
use koru_protocol::{Death, LogRecord, Ready, SCRIPTED};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::{
    fmt,
    fs::File,
    io::{BufWriter, ErrorKind, Seek, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// isa-debug-exit's status for the agent's orderly end: 42 << 1 | 1.
const POWERED_OFF: i32 = 85;

/// What to boot, and how.
pub struct GuestConfig {
    pub(crate) kernel: PathBuf,
    pub(crate) cache: PathBuf,
    pub(crate) initramfs: Initramfs,
    /// What this one guest has besides the initramfs.
    pub files: Initramfs,
    /// Goes on from a saved machine of this kind instead of booting. The first
    /// one makes it.
    pub resume: bool,
    /// The emulator, found in `PATH`.
    pub qemu: PathBuf,
    /// Megabytes of memory.
    pub memory_mb: u32,
    /// Processors.
    pub cpus: u32,
    /// Under TCG its processors take turns, instead of running at once. Then kernel
    /// code may be rewritten while others run it, as a probe on a busy function
    /// does: QEMU before 8.1 may go on with what one of them read just before, and
    /// the kernel oopses at a breakpoint that it has long taken away.
    pub in_turn: bool,
    /// KVM or TCG.
    pub accel: AccelChoice,
    /// Added to the kernel's command line.
    pub cmdline: Vec<String>,
    /// Limit for the way from the start to the agent.
    pub boot_limit: Duration,
    /// A socket for a debugger, which may stop the guest for as long as it likes.
    pub gdb: Option<PathBuf>,
    /// For a guest that plays a script: see [`crate::Replay`].
    pub(crate) replay: Option<u64>,
    on_event: Option<OnEvent>,
}

type OnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

impl GuestConfig {
    /// A guest of one processor and 256 MB. `kernel` is a `vmlinuz` or
    /// `vmlinux`; `cache` a folder for what is made once. The initramfs must
    /// have the agent as `/init`.
    pub fn new(
        kernel: impl Into<PathBuf>,
        cache: impl Into<PathBuf>,
        initramfs: Initramfs,
    ) -> Self {
        GuestConfig {
            kernel: kernel.into(),
            cache: cache.into(),
            initramfs,
            files: Initramfs::new(),
            resume: false,
            qemu: "qemu-system-x86_64".into(),
            memory_mb: 256,
            cpus: 1,
            in_turn: false,
            accel: AccelChoice::Auto,
            cmdline: Vec::new(),
            boot_limit: Duration::from_secs(60),
            gdb: None,
            replay: None,
            on_event: None,
        }
    }

    /// Another folder for what is made once.
    pub fn set_cache(&mut self, cache: impl Into<PathBuf>) -> &mut Self {
        self.cache = cache.into();
        self
    }

    /// Has progress told to a function; any thread may call it.
    pub fn on_event(&mut self, tell: impl Fn(&Event) + Send + Sync + 'static) -> &mut Self {
        self.on_event = Some(Arc::new(tell));
        self
    }

    pub(crate) fn tell(&self, event: Event) {
        if let Some(on_event) = &self.on_event {
            on_event(&event);
        }
    }

    /// The initramfs as a file, with this guest's own files or without.
    pub(crate) fn initrd(&self, with_files: bool) -> Result<File> {
        let mut initrd = qemu::memory_file("initramfs")?;
        let mut out = BufWriter::with_capacity(1 << 20, &mut initrd);
        self.initramfs.write_to(&mut out)?;
        if with_files {
            // The kernel unpacks one archive after the other.
            self.files.write_to(&mut out)?;
        }
        out.flush().map_err(doing("write the initramfs"))?;
        drop(out);
        initrd.rewind().map_err(doing("read the initramfs"))?;
        Ok(initrd)
    }

    pub(crate) fn cmdline(&self, accel: Accel, pvh_quiet: bool) -> String {
        let mut words = vec![
            "console=ttyS0",
            // A panic ends QEMU, and writes the whole log to the console first.
            "panic=-1",
            // (0x20), with every processor's stack (0x40).
            "panic_print=0x60",
            "log_buf_len=1M",
            // What inject-nmi is for.
            "unknown_nmi_panic",
            "cryptomgr.notests",
            "rdinit=/init",
        ];
        if pvh_quiet {
            words.extend(["quiet", "loglevel=4"]);
        }
        if accel == Accel::Tcg {
            // On a busy host the emulated timer may miss the short test of it, and
            // the kernel would panic: it is there, so the test is left out.
            words.extend(["noreplace-smp", "no_timer_check"]);
        }
        words.extend(self.cmdline.iter().map(String::as_str));
        let scripted = format!("{SCRIPTED}=1");
        if self.replay.is_some() {
            words.push(&scripted);
        }
        words.join(" ")
    }
}

/// Progress of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// QEMU is being started.
    Starting(Accel),
    /// KVM gave no sign of life: TCG is used, and will be until the host's
    /// next boot. With what was seen of it.
    FellBack(String),
    /// A machine is booted that later guests go on from.
    Saving,
    /// A guest goes on from a saved machine.
    Resuming,
    /// That did not work, for this reason; the guest boots.
    NotResumed(String),
    /// The agent is up.
    Ready {
        /// The kernel's release.
        release: String,
        /// Since the start.
        after: Duration,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Starting(accel) => write!(f, "starting a guest ({accel})"),
            Event::FellBack(why) => {
                write!(
                    f,
                    "KVM does not work here ({why}): going on without it, slower"
                )
            }
            Event::Saving => f.write_str("making a machine to start from (once)"),
            Event::Resuming => f.write_str("starting a guest"),
            Event::NotResumed(why) => write!(f, "starting from a saved machine failed: {why}"),
            Event::Ready { release, after } => {
                write!(f, "Linux {release} ready in {:.2} s", after.as_secs_f64())
            }
        }
    }
}

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

/// What the monitor is told.
enum Order {
    Kill,
    /// To save the machine in this file, and end it.
    Save(PathBuf, Sender<std::io::Result<()>>),
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
                cmdline: config.cmdline(accel, !on_probation),
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

/// Watches a guest: its end, its heart.
struct Monitor {
    session: Session,
    console: Console,
    console_thread: JoinHandle<()>,
    reader_ended: Receiver<()>,
    qmp: Option<Qmp>,
    pid: Pid,
    ended: Receiver<Ended>,
    orders: Receiver<Order>,
    hangs: Receiver<String>,
}

impl Monitor {
    fn start(
        qemu: Qemu,
        shared: Option<SharedMemory>,
        console: Console,
        orders: Receiver<Order>,
        hangs: Receiver<String>,
    ) -> Result<(Session, JoinHandle<()>)> {
        let console_thread = console.clone().read_from(qemu.console);
        let (reader_end, reader_ended) = channel();
        let session = Session::over(qemu.protocol, shared, move |_| _ = reader_end.send(()))?;
        let mut monitor = Monitor {
            session: session.clone(),
            console,
            console_thread,
            reader_ended,
            qmp: Some(qemu.qmp),
            pid: qemu.pid,
            ended: qemu.ended,
            orders,
            hangs,
        };
        let thread = thread::Builder::new()
            .name("guest-monitor".into())
            .spawn(move || {
                let death = monitor.watch();
                let session = monitor.session.clone();
                drop(monitor);
                session.bury(death);
            })
            .map_err(doing("start a thread"))?;
        Ok((session, thread))
    }

    /// Until the end; what it was.
    fn watch(&mut self) -> Death {
        const TICK: Duration = Duration::from_millis(100);
        let limit = hang_limit();
        let mut silent = Duration::ZERO;
        let mut heard = None;
        let mut tick = Instant::now();
        loop {
            match self.ended.recv_timeout(TICK) {
                Ok(ended) => return self.post_mortem(&ended),
                Err(RecvTimeoutError::Disconnected) => {
                    return Death::Vanished {
                        detail: "QEMU is gone".into(),
                        console: self.console.tail(40),
                    };
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            match self.orders.try_recv() {
                Ok(Order::Kill) | Err(TryRecvError::Disconnected) => return self.kill(),
                Ok(Order::Save(path, done)) => {
                    let _ = done.send(self.save(&path));
                    return self.kill();
                }
                Err(TryRecvError::Empty) => {}
            }
            if let Ok(what) = self.hangs.try_recv() {
                return self.ask_by_nmi(what);
            }
            // Time in which this process was stopped is not the guest's
            // silence: count ticks, none longer than a few.
            silent += tick.elapsed().min(TICK * 5);
            tick = Instant::now();
            let now_heard = self.session.heard();
            if now_heard != heard {
                heard = now_heard;
                silent = Duration::ZERO;
            }
            // Before the agent is up, the boot's own limit counts.
            let hangs = silent > limit && !self.session.is_patient();
            if hangs && self.session.ready().is_some() {
                let secs = limit.as_secs();
                return self.ask_by_nmi(format!("no sign of life for {secs} s"));
            }
        }
    }

    /// Writes the state of the machine, all but the memory, and stops it.
    fn save(&mut self, path: &Path) -> std::io::Result<()> {
        const LIMIT: Duration = Duration::from_secs(30);
        let mut qmp = self.qmp.take().ok_or(ErrorKind::BrokenPipe)?;
        // It runs until QEMU stops it, and so the state says that it runs.
        qmp.ignore_shared()?;
        let path = path.to_string_lossy().replace('\'', "'\\''");
        qmp.run("migrate", json!({ "uri": format!("exec:cat > '{path}'") }))?;
        let until = Instant::now() + LIMIT;
        loop {
            let answer = qmp.run("query-migrate", json!({}))?;
            match answer["status"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") => {
                    return Err(std::io::Error::other(answer.to_string()));
                }
                _ if Instant::now() > until => return Err(ErrorKind::TimedOut.into()),
                _ => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn kill(&mut self) -> Death {
        let _ = kill_process(self.pid, Signal::KILL);
        match self.ended.recv() {
            // It was first.
            Ok(ended) if ended.status.code() == Some(POWERED_OFF) => return Death::PoweredOff,
            _ => {}
        }
        Death::Vanished {
            detail: "the guest was ended by its owner".into(),
            console: self.console.tail(40),
        }
    }

    /// The NMI makes the kernel panic where it is, and so say where that was.
    fn ask_by_nmi(&mut self, what: String) -> Death {
        const ANSWER: Duration = Duration::from_secs(5);
        let asked = self
            .qmp
            .take()
            .is_some_and(|mut qmp| qmp.ask("inject-nmi").is_ok());
        // The answer ends with QEMU. It may be long, and its line is slow.
        let mut ended = None;
        let mut length = 0;
        while asked && ended.is_none() {
            ended = self.ended.recv_timeout(ANSWER).ok();
            let now = self.console.text().len();
            if std::mem::replace(&mut length, now) == now {
                break;
            }
        }
        if ended.is_none() {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = self.ended.recv();
        }
        self.drain();
        let console = self.console.text();
        let records = records_after(&console, self.session.last_record().as_ref());
        let place = place_of(&records);
        Death::Hung {
            what: match place {
                Some(place) => format!("{what}, in {place}"),
                None => what,
            },
            records,
        }
    }

    fn post_mortem(&mut self, ended: &Ended) -> Death {
        self.drain();
        let console = self.console.text();
        if ended.status.code() == Some(POWERED_OFF) {
            return Death::PoweredOff;
        }
        if let Some(reason) = panic_reason(&console) {
            return Death::Panicked {
                reason,
                records: records_after(&console, self.session.last_record().as_ref()),
            };
        }
        let mut detail = ended.detail();
        if ended.status.success() {
            // -no-reboot turns any reset into an exit: a triple fault too.
            detail = "its kernel powered off or reset the machine by itself".into();
        }
        if let Some(complaint) = first_complaint(&self.session.log_since(0)) {
            detail += &format!(" after: {complaint}");
        }
        Death::Vanished {
            detail,
            console: self.console.tail(40),
        }
    }

    /// Waits until all that QEMU wrote was read. Its ends are closed, so this
    /// is a matter of milliseconds.
    fn drain(&mut self) {
        let limit = Duration::from_secs(2);
        let _ = self.reader_ended.recv_timeout(limit);
        let until = Instant::now() + limit;
        while !self.console_thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Where the processor was: the first RIP in a module, or a RIP elsewhere and the
/// function of a module that had called.
fn place_of(records: &[LogRecord]) -> Option<String> {
    let rip = |r: &LogRecord| r.text.strip_prefix("RIP: 0010:").map(str::to_owned);
    let mut rips = records.iter().filter_map(rip);
    if let Some(place) = rips.clone().find(|place| place.ends_with(']')) {
        return Some(place);
    }
    let mut last = None;
    for record in records {
        last = rip(record).or(last);
        let text = record.text.trim();
        let in_module = record.text.starts_with(' ')
            && text.contains("+0x")
            && text.contains(" [")
            && text.ends_with(']');
        if in_module && !text.starts_with("? ") {
            return Some(match last {
                Some(rip) => format!("{rip}, called by {text}"),
                None => text.to_owned(),
            });
        }
    }
    rips.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(log: &[&str]) -> Option<String> {
        let record = |text: &&str| LogRecord {
            seq: 0,
            level: 4,
            facility: 0,
            timestamp_us: 0,
            text: (*text).into(),
            continuation: false,
        };
        place_of(&log.iter().map(record).collect::<Vec<_>>())
    }

    #[test]
    fn where_it_hangs() {
        let idle = ["RIP: 0010:default_idle+0x1/0x2", " do_idle+0x3/0x4"];
        let module = [
            " panic+0x1/0x2",
            "RIP: 0010:spin+0x1/0x2 [m]",
            " init+0x3/0x4 [m]",
        ];
        let delay = [
            "RIP: 0010:delay_tsc+0x1/0x2",
            " ? f+0x1/0x2 [m]",
            " init+0x3/0x4 [m]",
        ];
        assert_eq!(place(&idle).as_deref(), Some("default_idle+0x1/0x2"));
        let both = [&idle[..], &module[..]].concat();
        assert_eq!(place(&both).as_deref(), Some("spin+0x1/0x2 [m]"));
        let both = [&idle[..], &delay[..]].concat();
        let called = "delay_tsc+0x1/0x2, called by init+0x3/0x4 [m]";
        assert_eq!(place(&both).as_deref(), Some(called));
        assert_eq!(place(&["m: [x] f+0x1/0x2 [m]"]), None);
    }
}
