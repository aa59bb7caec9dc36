// SPDX-License-Identifier: MIT OR Apache-2.0

//! Serves a guest that keeps running between commands: one process owns it, and any number of
//! clients use it over a unix socket, each with the protocol that a sole user would speak.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    os::unix::{
        fs::{OpenOptionsExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use koru_error::IoContext;
use koru_protocol::{Call, Death, Decoder, Errno, Reply, ToGuest, ToHost, encode};
use koru_session::{Error, Result, Session, Sink};
use rustix::fs::{FlockOperation, flock};

use crate::Guest;

/// The errno for a process that does not exist.
const NO_SUCH_PROCESS: Errno = rustix::io::Errno::SRCH.raw_os_error();

/// The largest number of bytes that a client may leave unread: a client that reads nothing
/// must not fill the daemon's memory.
const MOST_UNREAD: usize = 64 << 20;

/// A claimed socket. Claim it before the guest is started: of two daemons one gets it, and
/// clients that connect early wait.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    listener: UnixListener,
    /// The lock, which the kernel releases with the process.
    _lock: File,
}

impl Server {
    /// Claims a socket path that only this user can connect to. A socket that a killed daemon
    /// left behind is taken over.
    pub fn bind(path: &Path) -> Result<Server> {
        let beside = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).path_context("making", dir)?;
        }
        let lock_path = beside(".lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .path_context("opening", &lock_path)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|e| match e {
            rustix::io::Errno::WOULDBLOCK => Error::InUse(path.into()),
            e => koru_error::Error::path("locking", &lock_path, e.into()).into(),
        })?;
        // The socket has another name until no other user can connect to it.
        let part = beside(".new");
        let _ = fs::remove_file(&part);
        let listener = UnixListener::bind(&part).path_context("making the socket", &part)?;
        fs::set_permissions(&part, Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&part, path))
            .path_context("making the socket", path)?;
        Ok(Server {
            path: path.into(),
            listener,
            _lock: lock,
        })
    }

    /// Serves a guest until it ends, and reports to all clients how it ended.
    pub fn run(self, guest: Guest) -> Result<Death> {
        let session = guest.session().clone();
        let clients: Arc<Mutex<Vec<Client>>> = Arc::default();
        let listener = self.listener.try_clone().context("sharing the socket")?;
        let (accepting, entered) = (session.clone(), clients.clone());
        thread::Builder::new()
            .name("accept".into())
            .spawn(move || {
                for stream in listener.incoming() {
                    if accepting.death().is_some() {
                        return;
                    }
                    let client = stream.and_then(|s| Client::start(s, accepting.clone()));
                    let Ok(client) = client else {
                        // Mostly there are no free descriptors, and some will become free.
                        thread::sleep(Duration::from_millis(100));
                        continue;
                    };
                    let mut clients = entered.lock().unwrap_or_else(|e| e.into_inner());
                    clients.retain(|c: &Client| !c.writer.is_finished());
                    clients.push(client);
                }
            })
            .context("starting a thread")?;
        let death = guest.wait();
        // The news of the death is in the clients' queues, which need time to drain.
        let clients = std::mem::take(&mut *clients.lock().unwrap_or_else(|e| e.into_inner()));
        for client in &clients {
            let _ = client.stream.shutdown(Shutdown::Read);
        }
        let until = Instant::now() + Duration::from_secs(2);
        for client in clients {
            while !client.writer.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(2));
            }
        }
        Ok(death)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The connection to a client.
struct Client {
    stream: UnixStream,
    writer: JoinHandle<()>,
}

/// The queue of messages to a client. Sending never blocks, because the guest's reading thread
/// does it.
#[derive(Clone)]
struct Outbox {
    queue: Sender<Vec<u8>>,
    unread: Arc<AtomicUsize>,
    open: Arc<AtomicBool>,
}

impl Outbox {
    /// Queues a message; returns false when the client is gone.
    fn send(&self, message: &ToHost) -> bool {
        let frame = encode(message);
        let unread = self.unread.fetch_add(frame.len(), Ordering::Relaxed);
        if unread > MOST_UNREAD {
            self.open.store(false, Ordering::Relaxed);
        }
        self.open.load(Ordering::Relaxed) && self.queue.send(frame).is_ok()
    }

    fn reply(&self, id: u64, reply: Result<Reply, Errno>) {
        self.send(&ToHost::Reply { id, reply });
    }
}

impl Client {
    fn start(stream: UnixStream, session: Session) -> io::Result<Client> {
        let (queue, queued) = channel::<Vec<u8>>();
        let outbox = Outbox {
            queue,
            unread: Arc::default(),
            open: Arc::new(AtomicBool::new(true)),
        };
        let mut writing = stream.try_clone()?;
        let (unread, open) = (outbox.unread.clone(), outbox.open.clone());
        let writer = thread::Builder::new()
            .name("client-writer".into())
            .spawn(move || {
                for frame in queued {
                    if writing.write_all(&frame).is_err() {
                        break;
                    }
                    unread.fetch_sub(frame.len(), Ordering::Relaxed);
                }
                open.store(false, Ordering::Relaxed);
                let _ = writing.shutdown(Shutdown::Both);
            })?;
        let news = outbox.clone();
        session.observe(
            u64::MAX,
            Box::new(move |message| match message {
                ToHost::Gone(_) => news.send(message),
                _ => news.open.load(Ordering::Relaxed),
            }),
        );
        let reading = stream.try_clone()?;
        thread::Builder::new()
            .name("client-reader".into())
            .spawn(move || {
                let relay = Relay {
                    session,
                    outbox,
                    ids: Arc::default(),
                };
                relay.run(reading);
            })?;
        Ok(Client { stream, writer })
    }
}

/// Translates between the call ids of a client and those of the guest.
struct Relay {
    session: Session,
    outbox: Outbox,
    ids: Arc<Mutex<HashMap<u64, u64>>>,
}

impl Relay {
    fn run(self, mut stream: UnixStream) {
        let mut decoder = Decoder::default();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => decoder.feed(&buffer[..length], |message| self.take(message)),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // The client is gone, perhaps in the middle of a frame, so nobody waits for its calls.
        self.outbox.open.store(false, Ordering::Relaxed);
        let open = std::mem::take(&mut *self.lock());
        for id in open.into_values() {
            self.session.abandon(id);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, u64>> {
        self.ids.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn in_guest(&self, id: u64) -> Option<u64> {
        self.lock().get(&id).copied()
    }

    fn take(&self, message: ToGuest) {
        let passed_on = match message {
            ToGuest::Call { id, call } => return self.call(id, call),
            ToGuest::Data { id, bytes } => self.in_guest(id).map(|id| ToGuest::Data { id, bytes }),
            ToGuest::Eof { id } => self.in_guest(id).map(|id| ToGuest::Eof { id }),
            ToGuest::Abandon { id } => {
                let id = self.lock().remove(&id);
                if let Some(id) = id {
                    self.session.abandon(id);
                }
                None
            }
            // Clients do not share the memory.
            ToGuest::Shared(_) => None,
        };
        if let Some(message) = passed_on {
            let _ = self.session.send(&message);
        }
    }

    fn call(&self, id: u64, mut call: Call) {
        match &mut call {
            Call::Follow { from } => {
                let outbox = self.outbox.clone();
                self.session.observe(
                    *from,
                    Box::new(move |message| match message {
                        ToHost::Gone(_) => false,
                        _ => outbox.send(message),
                    }),
                );
                return self.outbox.reply(id, Ok(Reply::Done));
            }
            Call::Hung { what } => return self.session.report_hang_to_owner(what),
            Call::Resize { of, .. } | Call::Signal { of, .. } | Call::Look { of } => {
                match self.in_guest(*of) {
                    Some(in_guest) => *of = in_guest,
                    None => return self.outbox.reply(id, Err(NO_SUCH_PROCESS)),
                }
            }
            // These look at all processes, and treat one of them differently if there is one.
            Call::Inside { of, .. } | Call::FileUsers { of, .. } => {
                *of = self.in_guest(*of).unwrap_or(0);
            }
            _ => {}
        }
        let (outbox, ids) = (self.outbox.clone(), self.ids.clone());
        let sink: Sink = Box::new(move |mut message| {
            match &mut message {
                ToHost::Reply { id: of, .. } => {
                    ids.lock().unwrap_or_else(|e| e.into_inner()).remove(&id);
                    *of = id;
                }
                ToHost::Started { id: of, .. }
                | ToHost::Output { id: of, .. }
                | ToHost::Taken { id: of, .. } => *of = id,
                _ => {}
            }
            outbox.send(&message);
        });
        // The id is entered before the call is sent, because the reply may come quickly.
        let in_guest = self.session.new_id();
        self.lock().insert(id, in_guest);
        // A client learns by a message of its own that the guest is gone.
        let _ = self.session.start_call_as(in_guest, call, sink);
    }
}
