//! Working with a guest: the client's side of the protocol.

mod files;
mod log;
mod modules;
mod process;
mod script;

use crate::{Error, Result, shared::SharedMemory};
use koru_protocol::{
    CHUNK, Call, Death, Decoder, Errno, LogRecord, ModuleRow, Piece, Ready, Reply, SHARED_CHUNK,
    SHARED_FROM, ToGuest, ToHost, VERSION, encode, pack, unpack,
};
use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

pub use log::LogStream;
pub use modules::ModuleReport;
pub use process::{Output, Process, ProcessEvent, StdinWriter};
pub use script::{Playing, Script};

/// How long a guest may be silent, and how long a module may keep the
/// processor in its init, before that is a hang.
pub(crate) fn hang_limit() -> Duration {
    const DEFAULT: Duration = Duration::from_secs(10);
    std::env::var("KORU_HANG_SECS")
        .ok()
        .and_then(|s| s.parse().ok())
        .filter(|s| *s > 0.0 && *s < 1e6)
        .map_or(DEFAULT, Duration::from_secs_f64)
}

/// An answer to any small request that takes longer means that the agent is
/// stuck; the guest's owner sees a dead guest sooner than this.
const REPLY_LIMIT: Duration = Duration::from_secs(60);

/// A connection to a guest. Clones share it; any thread may use it.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

struct Shared {
    out: Mutex<UnixStream>,
    /// The guest's owner has it; the guest uses it when its [`Ready`] says so.
    memory: Option<SharedMemory>,
    state: Mutex<State>,
    changed: Condvar,
    next_id: AtomicU64,
    hang: Duration,
    /// Silence is no hang: a debugger may have stopped the guest.
    patient: AtomicBool,
}

#[derive(Default)]
struct State {
    pending: HashMap<u64, Sink>,
    log: Vec<LogRecord>,
    lost: bool,
    ready: Option<Ready>,
    death: Option<Death>,
    heard: Option<Instant>,
    /// The agent said that it ends the guest.
    leaving: bool,
    observers: Vec<Observer>,
    /// What belongs to a script's calls, until somebody asks for it.
    early: Vec<(u64, ToHost)>,
    /// The machine's name, when it is somebody's own and no guest.
    machine: Option<String>,
    /// Told of a hang that a call found; only the guest's owner has it.
    on_hang: Option<Sender<String>>,
}

impl State {
    fn error(&self, death: &Death) -> Error {
        Error::of_death(death.clone(), self.machine.as_deref())
    }
}

/// Gets everything that belongs to a call. Called by the reading thread: it
/// must not block.
pub(crate) type Sink = Box<dyn Fn(ToHost) + Send>;

/// Gets log records and the guest's death, in order; false ends it.
pub(crate) type Observer = Box<dyn Fn(&ToHost) -> bool + Send>;

impl Session {
    /// Works over a stream; a thread reads it until it ends. `on_end` is
    /// called then, by that thread.
    pub(crate) fn over(
        stream: UnixStream,
        memory: Option<SharedMemory>,
        on_end: impl FnOnce(&Session) + Send + 'static,
    ) -> Result<Self> {
        let reading = stream
            .try_clone()
            .map_err(crate::error::doing("share the connection"))?;
        let session = Session {
            shared: Arc::new(Shared {
                out: Mutex::new(stream),
                memory,
                state: Mutex::default(),
                changed: Condvar::new(),
                next_id: AtomicU64::new(1),
                hang: hang_limit(),
                patient: AtomicBool::new(false),
            }),
        };
        let reader = session.clone();
        thread::Builder::new()
            .name("guest-reader".into())
            .spawn(move || {
                reader.read_all(reading);
                on_end(&reader);
            })
            .map_err(crate::error::doing("start a thread"))?;
        Ok(session)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn read_all(&self, mut stream: UnixStream) {
        let mut decoder = Decoder::default();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    self.state().heard = Some(Instant::now());
                    decoder.feed(&buffer[..length], |message| match message {
                        ToHost::Shared(piece) => self.take_shared(piece),
                        message => self.take(message),
                    });
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Messages in the memory, where none can tell of others.
    fn take_shared(&self, piece: Piece) {
        let memory = self.shared.memory.as_ref();
        if let Some(Ok(bytes)) = memory.map(|m| m.take(piece)) {
            unpack(&bytes).for_each(|message| self.take(message));
        }
    }

    fn take(&self, message: ToHost) {
        let mut state = self.state();
        match message {
            ToHost::Ready(ready) => state.ready = Some(ready),
            ToHost::Log(_) | ToHost::LogLost => {
                state.observers.retain(|observer| observer(&message));
                match message {
                    ToHost::Log(record) => state.log.push(record),
                    _ => state.lost = true,
                }
            }
            ToHost::Heartbeat { .. } | ToHost::Shared(_) => return,
            ToHost::Leaving => state.leaving = true,
            ToHost::Gone(death) => {
                drop(state);
                self.bury(death);
                return;
            }
            ToHost::Reply { id, .. } | ToHost::Started { id, .. } | ToHost::Output { id, .. }
                if script::is_early(&state, id) =>
            {
                state.early.push((id, message));
            }
            ToHost::Reply { id, .. } => {
                if let Some(sink) = state.pending.remove(&id) {
                    sink(message);
                }
            }
            ToHost::Started { id, .. } | ToHost::Output { id, .. } | ToHost::Taken { id, .. } => {
                if let Some(sink) = state.pending.get(&id) {
                    sink(message);
                }
            }
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// The guest is gone: all who wait are told. The first cause counts.
    pub(crate) fn bury(&self, death: Death) {
        let mut state = self.state();
        if state.death.is_some() {
            return;
        }
        if let Death::Panicked { records, .. } | Death::Hung { records, .. } = &death {
            let known = state.log.last().map(|r| r.seq);
            for record in records.iter().filter(|r| Some(r.seq) > known) {
                let message = ToHost::Log(record.clone());
                state.observers.retain(|observer| observer(&message));
                state.log.push(record.clone());
            }
        }
        let message = ToHost::Gone(death.clone());
        state.observers.retain(|observer| observer(&message));
        state.observers.clear();
        state.death = Some(death);
        state.pending.clear();
        drop(state);
        self.shared.changed.notify_all();
        let out = self.shared.out.lock().unwrap_or_else(|e| e.into_inner());
        let _ = out.shutdown(Shutdown::Both);
    }

    /// Why the guest is gone, when it is.
    pub fn death(&self) -> Option<Death> {
        self.state().death.clone()
    }

    /// What the agent said of itself when it came up.
    pub fn ready(&self) -> Option<Ready> {
        self.state().ready.clone()
    }

    /// When the last byte came.
    pub(crate) fn heard(&self) -> Option<Instant> {
        self.state().heard
    }

    /// Whether the agent has said that it ends the guest.
    pub(crate) fn is_leaving(&self) -> bool {
        self.state().leaving
    }

    pub(crate) fn last_record(&self) -> Option<LogRecord> {
        self.state().log.last().cloned()
    }

    pub(crate) fn belongs_to(&self, machine: &str) {
        self.state().machine = Some(machine.into());
    }

    /// The machine's name, when it is somebody's own and no guest.
    pub fn machine(&self) -> Option<String> {
        self.state().machine.clone()
    }

    /// In words.
    fn place(&self) -> String {
        match self.machine() {
            Some(machine) => format!("on {machine}"),
            None => "in the guest".into(),
        }
    }

    pub(crate) fn tell_hangs_to(&self, owner: Sender<String>) {
        self.state().on_hang = Some(owner);
    }

    /// From now on the guest may take its time, whatever is asked of it.
    pub(crate) fn be_patient(&self) {
        self.shared.patient.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_patient(&self) -> bool {
        self.shared.patient.load(Ordering::Relaxed)
    }

    pub(crate) fn wait_ready(&self, limit: Duration) -> Option<Ready> {
        let state = self.state();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, limit, |s| s.ready.is_none() && s.death.is_none())
            .unwrap_or_else(|e| e.into_inner());
        state.ready.clone()
    }

    pub(crate) fn wait_heard(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            let state = self.state();
            if state.heard.is_some() || state.death.is_some() {
                return state.heard.is_some();
            }
            drop(state);
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// Gives an observer all records from a sequence number on, then each new
    /// one, with nothing between lost or doubled.
    pub(crate) fn observe(&self, from: u64, observer: Observer) {
        let mut state = self.state();
        for record in state.log.iter().filter(|r| r.seq >= from) {
            if !observer(&ToHost::Log(record.clone())) {
                return;
            }
        }
        if let Some(death) = &state.death {
            observer(&ToHost::Gone(death.clone()));
        } else {
            state.observers.push(observer);
        }
    }

    // Calls.

    pub(crate) fn send(&self, message: &ToGuest) -> Result<()> {
        let mut out = self.shared.out.lock().unwrap_or_else(|e| e.into_inner());
        let piece = self.put_shared(message);
        let sent = piece.and_then(|piece| match piece {
            Some(piece) => out.write_all(&encode(&ToGuest::Shared(piece))),
            None => out.write_all(&encode(message)),
        });
        drop(out);
        // A dead connection has a better explanation than EPIPE.
        sent.map_err(|_| self.why_gone())
    }

    /// Puts a message into the memory, where there is one and it is worth it. Waits
    /// while the guest has not made room.
    fn put_shared(&self, message: &ToGuest) -> io::Result<Option<Piece>> {
        let memory = self.shared.memory.as_ref();
        let Some(memory) = memory.filter(|_| self.is_shared()) else {
            return Ok(None);
        };
        let bytes = pack(std::slice::from_ref(message));
        if bytes.len() < SHARED_FROM {
            return Ok(None);
        }
        while self.death().is_none() {
            if let Some(piece) = memory.put(&bytes)? {
                return Ok(Some(piece));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err(io::ErrorKind::BrokenPipe.into())
    }

    /// Whether the guest and its owner share memory.
    fn is_shared(&self) -> bool {
        self.state().ready.as_ref().is_some_and(|r| r.shared)
    }

    /// Most bytes that should be sent as one frame.
    fn chunk(&self) -> usize {
        if self.is_shared() {
            SHARED_CHUNK
        } else {
            CHUNK
        }
    }

    /// Starts a call whose events go to `sink`; its id.
    pub(crate) fn begin(&self, call: Call, sink: Sink) -> Result<u64> {
        let id = self.new_id();
        self.begin_as(id, call, sink)?;
        Ok(id)
    }

    pub(crate) fn new_id(&self) -> u64 {
        self.shared.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn begin_as(&self, id: u64, call: Call, sink: Sink) -> Result<()> {
        let mut state = self.state();
        if let Some(death) = &state.death {
            return Err(state.error(death));
        }
        state.pending.insert(id, sink);
        drop(state);
        self.send(&ToGuest::Call { id, call })
    }

    fn begin_here(&self, call: Call) -> Result<(u64, Receiver<ToHost>)> {
        let (sender, receiver) = channel();
        let sink: Sink = Box::new(move |message| _ = sender.send(message));
        Ok((self.begin(call, sink)?, receiver))
    }

    /// Nobody waits for this call any more.
    pub(crate) fn abandon(&self, id: u64) {
        if self.state().pending.remove(&id).is_some() {
            let _ = self.send(&ToGuest::Abandon { id });
        }
    }

    fn why_gone(&self) -> Error {
        // The owner may still be finding out.
        let limit = Duration::from_secs(20);
        let state = self.state();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, limit, |s| s.death.is_none())
            .unwrap_or_else(|e| e.into_inner());
        match &state.death {
            Some(death) => state.error(death),
            None => Error::Died {
                detail: "the connection closed".into(),
                console: String::new(),
            },
        }
    }

    fn next(&self, from: &Receiver<ToHost>, what: &str, limit: Duration) -> Result<ToHost> {
        let limit = match self.is_patient() {
            true => Duration::from_secs(u64::from(u32::MAX)),
            false => limit,
        };
        from.recv_timeout(limit).map_err(|e| match e {
            RecvTimeoutError::Disconnected => self.why_gone(),
            RecvTimeoutError::Timeout => Error::Timeout {
                what: what.into(),
                after: limit,
                stack: String::new(),
                inside: Vec::new(),
                records: Vec::new(),
            },
        })
    }

    fn ask(&self, what: &str, call: Call) -> Result<Reply> {
        let (id, answers) = self.begin_here(call)?;
        let answer = self.next(&answers, what, REPLY_LIMIT);
        if answer.is_err() {
            self.abandon(id);
        }
        match answer? {
            ToHost::Reply { reply, .. } => reply.map_err(|errno| refused(what, errno)),
            _ => Err(unexpected(what)),
        }
    }

    /// Asks who is there, and whether we understand each other.
    pub fn hello(&self) -> Result<Ready> {
        let Reply::Ready(ready) = self.ask("greet the guest", Call::Hello)? else {
            return Err(unexpected("greet the guest"));
        };
        check_version(&ready)?;
        self.state().ready = Some(ready.clone());
        Ok(ready)
    }

    /// Tells a guest that goes on from a saved state what is its own: the time,
    /// random numbers, the files that lie in the shared memory.
    pub(crate) fn resume(&self, files: &[u8]) -> Result<Ready> {
        let memory = self.shared.memory.as_ref();
        let files = memory.and_then(|memory| memory.put(files).ok().flatten());
        let files = files.ok_or_else(|| unexpected("hand the files to the guest"))?;
        let mut seed = [0; 32];
        rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty())
            .map_err(|e| crate::error::doing("get random numbers")(e.into()))?;
        let (seconds, nanos) = now();
        let call = Call::Resume {
            seconds,
            nanos,
            seed,
            files,
        };
        let Reply::Ready(ready) = self.ask("resume the guest", call)? else {
            return Err(unexpected("resume the guest"));
        };
        check_version(&ready)?;
        self.state().ready = Some(ready.clone());
        Ok(ready)
    }

    /// Sets the guest's wall clock to the host's.
    pub fn set_time(&self) -> Result<()> {
        let (seconds, nanos) = now();
        let call = Call::SetTime { seconds, nanos };
        self.ask("set the guest's clock", call).map(drop)
    }

    /// Lets the owner find out where the guest hangs. That ends the guest.
    fn report_hang(&self, what: &str) -> Error {
        self.hang_found(what);
        self.why_gone()
    }

    /// Passes the news to the guest's owner, here or at the other end.
    pub(crate) fn hang_found(&self, what: &str) {
        let owner = self.state().on_hang.clone();
        match owner {
            Some(owner) => _ = owner.send(what.into()),
            None => {
                let call = Call::Hung { what: what.into() };
                let _ = self.begin(call, Box::new(|_| ()));
            }
        }
    }

    /// Has the owner at the other end send its log, from the first record on.
    pub(crate) fn follow_remote(&self) -> Result<()> {
        self.ask("follow the log", Call::Follow { from: 0 })
            .map(drop)
    }

    /// The loaded modules.
    pub fn list(&self) -> Result<Vec<ModuleRow>> {
        match self.ask("list the modules", Call::List)? {
            Reply::Modules(rows) => Ok(rows),
            _ => Err(unexpected("list the modules")),
        }
    }

    /// The kernel's taint bits.
    pub fn taint(&self) -> Result<u64> {
        match self.ask("read the taint", Call::Taint)? {
            Reply::Taint(bits) => Ok(bits),
            _ => Err(unexpected("read the taint")),
        }
    }

    /// Powers the guest off and waits until it is gone.
    pub fn power_off(&self) -> Result<()> {
        match self.ask("power off", Call::PowerOff) {
            Ok(_) | Err(Error::PoweredOff) => {}
            Err(error) => return Err(error),
        }
        match self.why_gone() {
            Error::PoweredOff => Ok(()),
            other => Err(other),
        }
    }
}

/// The host's wall clock.
fn now() -> (i64, u32) {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    (now.as_secs() as i64, now.subsec_nanos())
}

pub(crate) fn check_version(ready: &Ready) -> Result<()> {
    if ready.protocol != VERSION {
        return Err(Error::Version {
            theirs: ready.protocol,
            ours: VERSION,
        });
    }
    Ok(())
}

fn refused(what: &str, errno: Errno) -> Error {
    Error::Refused {
        what: what.into(),
        errno,
    }
}

fn unexpected(what: &str) -> Error {
    Error::Io(what.into(), io::Error::other("an answer to something else"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Session, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        let gone = |s: &Session| {
            s.bury(Death::Vanished {
                detail: "closed".into(),
                console: String::new(),
            })
        };
        (Session::over(near, None, gone).unwrap(), far)
    }

    fn read_call(far: &mut UnixStream) -> (u64, Call) {
        let (mut decoder, mut buffer, mut got) = (Decoder::default(), [0; 512], None);
        while got.is_none() {
            let length = far.read(&mut buffer).unwrap();
            decoder.feed(&buffer[..length], |m: ToGuest| got = Some(m));
        }
        match got {
            Some(ToGuest::Call { id, call }) => (id, call),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_finds_its_question() {
        let (session, mut far) = pair();
        let guest = thread::spawn(move || {
            let (id, call) = read_call(&mut far);
            assert_eq!(call, Call::Taint);
            let reply = |id, bits| {
                encode(&ToHost::Reply {
                    id,
                    reply: Ok(Reply::Taint(bits)),
                })
            };
            far.write_all(b"noise\0").unwrap();
            far.write_all(&reply(id + 1000, 1)).unwrap();
            far.write_all(&reply(id, 42)).unwrap();
            far
        });
        assert_eq!(session.taint().unwrap(), 42);
        drop(guest.join());
    }

    #[test]
    fn a_closed_connection_ends_all_waits() {
        let (session, mut far) = pair();
        let waiting = {
            let session = session.clone();
            thread::spawn(move || session.list())
        };
        read_call(&mut far);
        drop(far);
        assert!(matches!(waiting.join().unwrap(), Err(Error::Died { .. })));
        assert!(matches!(session.list(), Err(Error::Died { .. })));
    }

    #[test]
    fn a_death_brings_its_records() {
        let (session, mut far) = pair();
        let record = LogRecord {
            seq: 5,
            level: 0,
            facility: 0,
            timestamp_us: 1,
            text: "Kernel panic - not syncing: x".into(),
            continuation: false,
        };
        let death = Death::Panicked {
            reason: "x".into(),
            records: vec![record],
        };
        let mut log = session.follow(0);
        far.write_all(&encode(&ToHost::Gone(death))).unwrap();
        let limit = Duration::from_secs(5);
        assert_eq!(log.next(limit).unwrap().len(), 1);
        assert!(matches!(log.next(limit), Err(Error::Panicked { .. })));
    }
}
