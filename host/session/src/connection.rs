// SPDX-License-Identifier: MIT OR Apache-2.0

//! The connection to an agent: passes what arrives to those who wait for it.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use koru_error::IoContext;
use koru_protocol::{
    CHUNK, Call, Death, Decoder, LogRecord, ModuleSections, Ready, RingSlice, SHARED_CHUNK,
    SHARED_FROM, ToGuest, ToHost, encode, pack, unpack,
};

use crate::{Error, Result, SharedMemory, hang_limit};

/// The first id of a script's calls. Replies to these may arrive before anybody has asked for
/// them.
pub(crate) const FIRST_SCRIPT_ID: u64 = 1 << 32;

/// How much of the kernel's log is kept.
const MAX_LOG_BYTES: usize = 64 << 20;

/// How much an agent may send before it is asked for. A script's output is shorter.
const MAX_UNASKED_BYTES: usize = 1 << 30;

/// A connection to an agent. Clones share the connection, and any thread may use it.
#[derive(Clone)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) out: Mutex<UnixStream>,
    /// The memory shared with the guest, in the process that owns the guest. The guest uses
    /// the memory when its [`Ready`] says so.
    pub(crate) memory: Option<SharedMemory>,
    pub(crate) state: Mutex<State>,
    pub(crate) changed: Condvar,
    pub(crate) next_id: AtomicU64,
    pub(crate) hang: Duration,
    /// Whether loads and unloads that sleep are waited for without a limit.
    pub(crate) patient: AtomicBool,
    /// Whether silence does not count as a hang, because a debugger may have stopped the
    /// guest.
    pub(crate) hang_detection_off: AtomicBool,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) pending: HashMap<u64, Sink>,
    /// Where the modules were in memory that were loaded over this connection.
    pub(crate) sections: Vec<ModuleSections>,
    /// The loads, unloads and commands in progress.
    pub(crate) busy: Vec<BusyCall>,
    /// What the commands have taken from their input and put to their output.
    pub(crate) streamed: Streamed,
    pub(crate) log: Vec<LogRecord>,
    /// About how much memory the records take.
    log_bytes: usize,
    pub(crate) lost: bool,
    pub(crate) ready: Option<Ready>,
    pub(crate) death: Option<Death>,
    pub(crate) last_message_at: Option<Instant>,
    /// Whether the agent has announced that it ends the guest.
    pub(crate) leaving: bool,
    pub(crate) observers: Vec<Observer>,
    /// Messages that belong to a script's calls and that nobody has asked for yet.
    pub(crate) early_replies: Vec<(u64, ToHost)>,
    /// How many bytes of output these contain.
    pub(crate) early_bytes: usize,
    /// The machine's name, when the agent runs on a real machine and not in a guest.
    pub(crate) machine: Option<String>,
    /// Receives the hangs that calls find; set only in the process that owns the guest.
    pub(crate) on_hang: Option<Sender<String>>,
}

/// Numbers of bytes that went through the streams of commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Streamed {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

/// A load, an unload or a command in progress.
#[derive(Debug, Clone)]
pub(crate) struct BusyCall {
    pub(crate) id: u64,
    pub(crate) what: String,
    pub(crate) is_command: bool,
    pub(crate) since: Instant,
}

impl State {
    /// Keeps a record. A guest may print for ever, so the older half goes when there are too many.
    fn keep(&mut self, record: LogRecord) {
        let bytes = |record: &LogRecord| size_of::<LogRecord>() + record.text.len();
        self.log_bytes += bytes(&record);
        self.log.push(record);
        if self.log_bytes > MAX_LOG_BYTES {
            self.log.drain(..self.log.len() / 2);
            self.log_bytes = self.log.iter().map(bytes).sum();
            self.lost = true;
        }
    }

    /// Keeps a message that nobody has asked for yet, if there is room for it.
    fn keep_early(&mut self, id: u64, message: ToHost) -> bool {
        let output = match &message {
            ToHost::Output { bytes, .. } => bytes.len(),
            _ => 0,
        };
        self.early_bytes += size_of::<(u64, ToHost)>() + output;
        let has_room = self.early_bytes <= MAX_UNASKED_BYTES;
        if has_room {
            self.early_replies.push((id, message));
        }
        has_room
    }

    pub(crate) fn error(&self, death: &Death) -> Error {
        Error::of_death(death.clone(), self.machine.as_deref())
    }
}

/// Receives every message that belongs to a call. The reading thread calls the sink, so the
/// sink must not block.
pub type Sink = Box<dyn Fn(ToHost) + Send>;

/// Receives log records and the guest's death, in order. Returning false removes the observer.
pub type Observer = Box<dyn Fn(&ToHost) -> bool + Send>;

impl Session {
    /// Opens a session over a stream. A thread reads the stream until it ends, and then calls
    /// `on_end`.
    pub fn from_stream(
        stream: UnixStream,
        memory: Option<SharedMemory>,
        on_end: impl FnOnce(&Session) + Send + 'static,
    ) -> Result<Self> {
        let reading = stream.try_clone().context("sharing the connection")?;
        let session = Session {
            shared: Arc::new(Shared {
                out: Mutex::new(stream),
                memory,
                state: Mutex::default(),
                changed: Condvar::new(),
                next_id: AtomicU64::new(1),
                hang: hang_limit(),
                patient: AtomicBool::new(false),
                hang_detection_off: AtomicBool::new(false),
            }),
        };
        let reader = session.clone();
        thread::Builder::new()
            .name("guest-reader".into())
            .spawn(move || {
                reader.read_all(reading);
                on_end(&reader);
            })
            .context("starting a thread")?;
        Ok(session)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn read_all(&self, mut stream: UnixStream) {
        let mut decoder = Decoder::default();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    self.state().last_message_at = Some(Instant::now());
                    decoder.feed(&buffer[..length], |message| match message {
                        ToHost::Shared(slice) => self.take_shared(slice),
                        message => self.take(message),
                    });
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Takes the messages in a slice of the shared memory. `take` ignores references to other
    /// slices, so messages there cannot nest.
    fn take_shared(&self, slice: RingSlice) {
        let memory = self.shared.memory.as_ref();
        if let Some(Ok(bytes)) = memory.map(|m| m.take(slice)) {
            unpack(&bytes).for_each(|message| self.take(message));
        }
    }

    fn take(&self, message: ToHost) {
        let mut state = self.state();
        match &message {
            ToHost::Output { bytes, .. } => state.streamed.output += bytes.len() as u64,
            ToHost::Taken { bytes, .. } => state.streamed.input += u64::from(*bytes),
            _ => {}
        }
        match message {
            ToHost::Ready(ready) => state.ready = Some(ready),
            ToHost::Log(_) | ToHost::LogLost => {
                state.observers.retain(|observer| observer(&message));
                match message {
                    ToHost::Log(record) => state.keep(record),
                    _ => state.lost = true,
                }
            }
            ToHost::Heartbeat { .. } | ToHost::Shared(_) => return,
            ToHost::Leaving => state.leaving = true,
            ToHost::Gone(death) => {
                drop(state);
                self.mark_dead(death);
                return;
            }
            ToHost::Reply { id, .. } | ToHost::Started { id, .. } | ToHost::Output { id, .. }
                if id >= FIRST_SCRIPT_ID && !state.pending.contains_key(&id) =>
            {
                if !state.keep_early(id, message) {
                    drop(state);
                    self.mark_dead(Death::Vanished {
                        detail: "the agent sends too much that nobody asked for".into(),
                        console: String::new(),
                    });
                    return;
                }
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

    /// Records why the guest is gone and notifies all who wait. Only the first cause counts.
    pub fn mark_dead(&self, death: Death) {
        let mut state = self.state();
        if state.death.is_some() {
            return;
        }
        if let Death::Panicked { records, .. } | Death::Hung { records, .. } = &death {
            let known = state.log.last().map(|r| r.seq);
            for record in records.iter().filter(|r| Some(r.seq) > known) {
                let message = ToHost::Log(record.clone());
                state.observers.retain(|observer| observer(&message));
                state.keep(record.clone());
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

    /// Returns why the guest is gone, or `None` while it is not.
    pub fn death(&self) -> Option<Death> {
        self.state().death.clone()
    }

    /// Returns what the agent reported about itself when it came up.
    pub fn ready(&self) -> Option<Ready> {
        self.state().ready.clone()
    }

    /// Returns when the last bytes arrived.
    pub fn last_message_at(&self) -> Option<Instant> {
        self.state().last_message_at
    }

    /// Returns whether the agent has announced that it ends the guest.
    pub fn is_leaving(&self) -> bool {
        self.state().leaving
    }

    pub fn last_record(&self) -> Option<LogRecord> {
        self.state().log.last().cloned()
    }

    pub fn set_machine(&self, machine: &str) {
        self.state().machine = Some(machine.into());
    }

    /// Returns the machine's name, when the agent runs on a real machine and not in a guest.
    pub fn machine(&self) -> Option<String> {
        self.state().machine.clone()
    }

    /// Returns where the agent runs, as a phrase for messages: "in the guest".
    pub(crate) fn location_phrase(&self) -> String {
        match self.machine() {
            Some(machine) => format!("on {machine}"),
            None => "in the guest".into(),
        }
    }

    pub fn set_hang_listener(&self, owner: Sender<String>) {
        self.state().on_hang = Some(owner);
    }

    /// Turns hang detection off: from now on the guest may take any time to answer.
    pub fn disable_hang_detection(&self) {
        self.shared
            .hang_detection_off
            .store(true, Ordering::Relaxed);
    }

    pub fn is_hang_detection_off(&self) -> bool {
        self.shared.hang_detection_off.load(Ordering::Relaxed)
    }

    pub fn wait_ready(&self, limit: Duration) -> Option<Ready> {
        let state = self.state();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, limit, |s| s.ready.is_none() && s.death.is_none())
            .unwrap_or_else(|e| e.into_inner());
        state.ready.clone()
    }

    pub fn wait_for_first_message(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            let state = self.state();
            if state.last_message_at.is_some() || state.death.is_some() {
                return state.last_message_at.is_some();
            }
            drop(state);
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// Passes the stored records from sequence number `from` on to an observer, and then each
    /// new record. No record is lost or passed twice.
    pub fn observe(&self, from: u64, observer: Observer) {
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

    pub fn send(&self, message: &ToGuest) -> Result<()> {
        let mut out = self.shared.out.lock().unwrap_or_else(|e| e.into_inner());
        let slice = self.put_shared(message);
        let sent = slice.and_then(|slice| match slice {
            Some(slice) => out.write_all(&encode(&ToGuest::Shared(slice))),
            None => out.write_all(&encode(message)),
        });
        drop(out);
        // The guest's death explains a dead connection better than EPIPE does.
        sent.map_err(|_| self.death_error())
    }

    /// Puts a message into the shared memory, if there is such memory and the message is long
    /// enough to be worth it. Waits while the guest has not freed enough of the memory.
    fn put_shared(&self, message: &ToGuest) -> io::Result<Option<RingSlice>> {
        let memory = self.shared.memory.as_ref();
        let Some(memory) = memory.filter(|_| self.is_shared()) else {
            return Ok(None);
        };
        let bytes = pack(std::slice::from_ref(message));
        if bytes.len() < SHARED_FROM {
            return Ok(None);
        }
        while self.death().is_none() {
            if let Some(slice) = memory.put(&bytes)? {
                return Ok(Some(slice));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err(io::ErrorKind::BrokenPipe.into())
    }

    /// Returns whether the guest and its owner share memory.
    fn is_shared(&self) -> bool {
        self.state().ready.as_ref().is_some_and(|r| r.shared)
    }

    /// Returns the largest number of bytes that should be sent as one frame.
    pub(crate) fn chunk(&self) -> usize {
        if self.is_shared() {
            SHARED_CHUNK
        } else {
            CHUNK
        }
    }

    /// Starts a call whose messages go to `sink`, and returns the call's id.
    pub fn start_call(&self, call: Call, sink: Sink) -> Result<u64> {
        let id = self.new_id();
        self.start_call_as(id, call, sink)?;
        Ok(id)
    }

    pub fn new_id(&self) -> u64 {
        self.shared.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub fn start_call_as(&self, id: u64, call: Call, sink: Sink) -> Result<()> {
        let mut state = self.state();
        if let Some(death) = &state.death {
            return Err(state.error(death));
        }
        state.pending.insert(id, sink);
        drop(state);
        self.send(&ToGuest::Call { id, call })
    }

    pub(crate) fn start_call_with_channel(&self, call: Call) -> Result<(u64, Receiver<ToHost>)> {
        let (sender, receiver) = channel();
        let sink: Sink = Box::new(move |message| _ = sender.send(message));
        Ok((self.start_call(call, sink)?, receiver))
    }

    /// Gives a call up: drops its sink, and tells the agent that nobody waits for the call any
    /// more.
    pub fn abandon(&self, id: u64) {
        if self.state().pending.remove(&id).is_some() {
            let _ = self.send(&ToGuest::Abandon { id });
        }
    }

    pub(crate) fn death_error(&self) -> Error {
        // The guest's owner may still be finding out how the guest died.
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
}
