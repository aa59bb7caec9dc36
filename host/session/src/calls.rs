// SPDX-License-Identifier: MIT OR Apache-2.0

//! Calls to the agent, and its replies.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, SystemTime},
};

use koru_error::{IoContext, Kind};
use koru_protocol::{Call, Errno, ModuleRow, Ready, Reply, ToHost, VERSION};

use crate::{Error, Result, Session};

/// How long the reply to a small request may take. A longer wait means that the agent is
/// stuck; the guest's owner notices a dead guest sooner than this.
pub(crate) const REPLY_LIMIT: Duration = Duration::from_secs(60);

impl Session {
    pub(crate) fn next(
        &self,
        from: &Receiver<ToHost>,
        what: &str,
        limit: Duration,
    ) -> Result<ToHost> {
        let limit = match self.is_hang_detection_off() {
            true => Duration::from_secs(u64::from(u32::MAX)),
            false => limit,
        };
        from.recv_timeout(limit).map_err(|e| match e {
            RecvTimeoutError::Disconnected => self.death_error(),
            RecvTimeoutError::Timeout => Error::Timeout {
                what: what.into(),
                after: limit,
                stack: String::new(),
                inside: Vec::new(),
                records: Vec::new(),
            },
        })
    }

    pub(crate) fn ask(&self, what: &str, call: Call) -> Result<Reply> {
        let (id, answers) = self.start_call_with_channel(call)?;
        let answer = self.next(&answers, what, REPLY_LIMIT);
        if answer.is_err() {
            self.abandon(id);
        }
        match answer? {
            ToHost::Reply { reply, .. } => reply.map_err(|errno| refused(what, errno)),
            _ => Err(unexpected(what)),
        }
    }

    /// Greets the agent, checks that it speaks this version of the protocol, and returns what
    /// it reports about itself.
    pub fn hello(&self) -> Result<Ready> {
        let Reply::Ready(ready) = self.ask("greet the guest", Call::Hello)? else {
            return Err(unexpected("greet the guest"));
        };
        check_version(&ready)?;
        self.state().ready = Some(ready.clone());
        Ok(ready)
    }

    /// Sends a guest that resumes from a snapshot what is specific to it: the time, a seed for
    /// random numbers and, through the shared memory, its files.
    pub fn resume(&self, files: &[u8]) -> Result<Ready> {
        let memory = self.shared.memory.as_ref();
        let files = memory.and_then(|memory| memory.put(files).ok().flatten());
        let files = files.ok_or_else(|| unexpected("hand the files to the guest"))?;
        let mut seed = [0; 32];
        rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty())
            .map_err(std::io::Error::from)
            .context("getting random numbers")?;
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

    /// Has the guest's owner find out where the guest hangs, which ends the guest, and returns
    /// the error.
    pub(crate) fn report_hang(&self, what: &str) -> Error {
        self.report_hang_to_owner(what);
        self.death_error()
    }

    /// Reports a hang to the guest's owner, which is in this process or at the other end of
    /// the connection.
    pub fn report_hang_to_owner(&self, what: &str) {
        let owner = self.state().on_hang.clone();
        match owner {
            Some(owner) => _ = owner.send(what.into()),
            None => {
                let call = Call::Hung { what: what.into() };
                let _ = self.start_call(call, Box::new(|_| ()));
            }
        }
    }

    /// Asks the owner at the other end to send its log, from the first record on.
    pub(crate) fn follow_remote(&self) -> Result<()> {
        self.ask("follow the log", Call::Follow { from: 0 })
            .map(drop)
    }

    /// Returns the loaded modules.
    pub fn list(&self) -> Result<Vec<ModuleRow>> {
        match self.ask("list the modules", Call::List)? {
            Reply::Modules(rows) => Ok(rows),
            _ => Err(unexpected("list the modules")),
        }
    }

    /// Returns the kernel's taint bits.
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
        match self.death_error() {
            Error::PoweredOff => Ok(()),
            other => Err(other),
        }
    }
}

/// Returns the host's wall-clock time, as seconds and nanoseconds since the epoch.
fn now() -> (i64, u32) {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    (now.as_secs() as i64, now.subsec_nanos())
}

pub fn check_version(ready: &Ready) -> Result<()> {
    if ready.protocol != VERSION {
        return Err(Error::Version {
            theirs: ready.protocol,
            ours: VERSION,
        });
    }
    Ok(())
}

pub(crate) fn refused(what: &str, errno: Errno) -> Error {
    Error::Refused {
        what: what.into(),
        errno,
    }
}

pub(crate) fn unexpected(what: &str) -> Error {
    koru_error::Error::new(Kind::System, what, "unexpected reply").into()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
        thread,
    };

    use koru_protocol::{Death, Decoder, LogRecord, ToGuest, encode};

    use super::*;

    fn pair() -> (Session, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        let gone = |s: &Session| {
            s.mark_dead(Death::Vanished {
                detail: "closed".into(),
                console: String::new(),
            })
        };
        (Session::from_stream(near, None, gone).unwrap(), far)
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
