// SPDX-License-Identifier: MIT OR Apache-2.0

//! A session with another machine, over the system's own `ssh`: the agent is copied to that
//! machine once, and communicates over that one connection.

use std::{
    fmt, fs,
    io::{Read, Write},
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use koru_error::{Error, IoContext, Result};
use koru_protocol::Death;
use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};

use crate::{Session, error::target_error, hang_limit};

/// The script that the target's shell runs before the agent is there.
const SCRIPT: &str = include_str!("ssh.sh");

/// The prompt with which sudo asks on the target, and which a person here answers.
const PROMPT: &str = "koru asks for a password:";

/// How long the start may take. A person may have to type a password.
const START_LIMIT: Duration = Duration::from_secs(300);

/// How long ssh may take to end after its connection did.
const END_LIMIT: Duration = Duration::from_secs(5);

/// How many bytes of the other side's standard error are kept.
const MAX_STDERR: usize = 16 * 1024;

/// A machine that ssh can connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// The destination as ssh takes it: `HOST` or `USER@HOST`.
    pub destination: String,
    /// The port, if not the one that ssh would use.
    pub port: Option<u16>,
}

impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.destination),
            None => write!(f, "{}", self.destination),
        }
    }
}

/// Asks the person at the terminal for a password; returns `None` if there is none.
pub type AskPassword = Box<dyn FnMut(&str) -> Option<String> + Send>;

impl Ssh {
    /// Starts the agent on the machine, through sudo when the user is not root. `status` is
    /// told what is being done. Without `password`, sudo must not ask for one. The agent ends
    /// with its connection, and so with this program at the latest.
    ///
    /// `program` is run instead of plain `ssh`: it is split into words as a shell would do it,
    /// and ssh's own arguments are added.
    pub fn connect(
        &self,
        program: Option<&str>,
        agent: &Path,
        status: &dyn Fn(&str),
        password: Option<AskPassword>,
    ) -> Result<Session> {
        let agent = fs::read(agent).path_context("reading", agent)?;
        let hash: String = Sha256::digest(&agent)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let packed = pack(&agent)?;
        let ask = if password.is_some() { "yes" } else { "no" };
        let script = format!(
            "hash={hash} size={} ask={ask} prompt='{PROMPT}'\n{SCRIPT}",
            packed.len()
        );
        let mut bootstrap = self.start(program, script.len(), password)?;
        bootstrap.send(script.as_bytes());

        let what = bootstrap.word("target")?;
        let [system, machine, uid] = what.split(' ').collect::<Vec<_>>()[..] else {
            return Err(bootstrap.failed(format!("unexpected reply `{what}`"), ""));
        };
        if (system, machine) != ("Linux", std::env::consts::ARCH) {
            let message = format!("it runs {system} on {machine}");
            return Err(bootstrap.failed(message, "Koru's modules are for Linux on x86_64"));
        }
        let uid = uid.to_owned();
        bootstrap.context = format!("copying Koru's agent to {self}");
        loop {
            let (word, rest) = bootstrap.next_word()?;
            match &*word {
                "send" => {
                    status(&format!("copying the agent to {self} (once)"));
                    bootstrap.send(&packed);
                }
                "start" => break,
                "broken" => {
                    return Err(bootstrap.failed(
                        "the agent was damaged on its way".into(),
                        "the target needs head, gzip and sha256sum, and 3 MB of free space",
                    ));
                }
                "nowhere" => {
                    return Err(bootstrap.failed(
                        format!("no folder there is writable and not mounted noexec: {rest}"),
                        "make one of them usable: owned by this user, and not mounted noexec",
                    ));
                }
                "no-sudo" => {
                    return Err(bootstrap.failed(
                        format!(
                            "loading needs root, but user {uid} on the target is not, and sudo is \
                             not installed there"
                        ),
                        "log in as root (ssh:root@..), or install sudo there",
                    ));
                }
                other => return Err(bootstrap.failed(format!("unexpected reply `{other}`"), "")),
            }
        }
        bootstrap.context = match &*uid {
            "0" => format!("starting Koru's agent on {self}"),
            _ => format!("starting Koru's agent on {self} as root, by sudo"),
        };
        bootstrap.session(self)
    }

    fn start(
        &self,
        program: Option<&str>,
        script: usize,
        password: Option<AskPassword>,
    ) -> Result<SshBootstrap> {
        let context = format!("connecting to {self}");
        let words = match program {
            None => vec!["ssh".to_owned()],
            Some(line) => shell_words::split(line).unwrap_or_default(),
        };
        let Some((program, first)) = words.split_first() else {
            return Err(target_error(
                context,
                "the command to run instead of ssh is empty, or has an unclosed quote",
                "set it, for example: KORU_SSH='ssh -F lab.config'",
                "",
            ));
        };
        let mut command = Command::new(program);
        command.args(first);
        // A user's configuration may have settings for logins that must not apply here.
        command.args(["-T", "-o", "RemoteCommand=none"]);
        command.args(["-o", "ClearAllForwardings=yes"]);
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        command.arg("--").arg(&self.destination);
        // Any login shell understands this. No shell can read beyond the script, because
        // nothing more is sent until the script has answered.
        command.arg(format!("exec sh -c 'eval \"$(head -c {script})\"'"));

        let (ours, theirs) = UnixStream::pair().context("making a socket pair")?;
        let theirs = OwnedFd::from(theirs);
        let output = theirs.try_clone().context("sharing a socket")?;
        let mut child = command
            .stdin(theirs)
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| {
                target_error(
                    context.clone(),
                    format!("`{program}` cannot be started: {e}"),
                    "install ssh: apt-get install openssh-client",
                    "",
                )
            })?;
        let answers = ours.try_clone().context("sharing a socket")?;
        let stderr = StderrTail::listen(child.stderr.take(), password, answers)?;
        Ok(SshBootstrap {
            stream: ours,
            child: Arc::new(Mutex::new(child)),
            stderr,
            context,
        })
    }
}

fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)
        .and_then(|()| gzip.finish())
        .context("packing the agent")
}

/// The connection until the agent takes it over.
struct SshBootstrap {
    stream: UnixStream,
    child: Arc<Mutex<Child>>,
    stderr: StderrTail,
    context: String,
}

impl SshBootstrap {
    /// Sends bytes and ignores errors: when nobody reads any more, the reason is in what the
    /// other side said before.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Returns the rest of the next line, which must begin with the word `wanted`.
    fn word(&mut self, wanted: &str) -> Result<String> {
        let (word, rest) = self.next_word()?;
        match word == wanted {
            true => Ok(rest),
            false => Err(self.failed(format!("unexpected reply `{word}`"), "")),
        }
    }

    /// Returns the first word and the rest of the next line that is meant for this program.
    /// Other lines are skipped, because a user's shell may have printed something first.
    fn next_word(&mut self) -> Result<(String, String)> {
        let (mut line, mut byte) = (Vec::new(), [0]);
        loop {
            // Bytes are read one by one, because what comes after the last line belongs to the
            // agent.
            match self.stream.read(&mut byte) {
                Ok(1) if byte[0] != b'\n' => line.push(byte[0]),
                Ok(1) => {
                    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                    if let Some(ours) = text.strip_prefix("koru: ") {
                        let (word, rest) = ours.split_once(' ').unwrap_or((ours, ""));
                        return Ok((word.into(), rest.into()));
                    }
                    line.clear();
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => return Err(self.ended()),
            }
        }
    }

    /// Returns the error for a connection that closed too early.
    fn ended(&mut self) -> Error {
        let _ = self.stream.shutdown(Shutdown::Both);
        let status = end(&self.child);
        let printed = self.stderr.all();
        let (message, help) = why_ended(status, &printed);
        target_error(self.context.clone(), message, help, &printed)
    }

    fn failed(&mut self, message: String, help: &str) -> Error {
        let _ = self.stream.shutdown(Shutdown::Both);
        end(&self.child);
        target_error(self.context.clone(), message, help, &self.stderr.all())
    }

    /// Hands the connection over to the agent, and opens the session.
    fn session(self, to: &Ssh) -> Result<Session> {
        let SshBootstrap {
            stream,
            child,
            stderr,
            context,
        } = self;
        let name = to.to_string();
        let (ending, ended) = channel();
        let ending_child = child.clone();
        let silence = Silence::default();
        let silent = silence.clone();
        let session = Session::from_stream(stream, None, move |session| {
            let status = end(&ending_child);
            let printed = stderr.all();
            let (message, help) = why_ended(status, &printed);
            let _ = ending.send((message.clone(), help, printed.clone()));
            // After too long a silence ssh has been terminated; the silence is the reason
            // then.
            session.mark_dead(Death::Vanished {
                detail: lock(&silent).take().unwrap_or(message),
                console: printed,
            });
        })?;
        session.set_machine(&name);
        if session.wait_ready(START_LIMIT).is_none() {
            session.mark_dead(Death::Vanished {
                detail: format!("not done after {} s", START_LIMIT.as_secs()),
                console: String::new(),
            });
            let (message, mut help, printed) = ended
                .recv_timeout(END_LIMIT * 2)
                .unwrap_or_else(|_| ("it did not answer".into(), "", String::new()));
            if printed.contains("sudo: ") {
                help = "run koru in a terminal, where sudo can ask for the password; or let that \
                        user use sudo without one (NOPASSWD in sudoers), or log in as root \
                        (ssh:root@..)";
            }
            return Err(target_error(context, message, help, &printed));
        }
        watch(session.clone(), child, silence)?;
        session.hello()?;
        Ok(session)
    }
}

/// The message about a machine that was silent for too long, once there is one.
type Silence = Arc<Mutex<Option<String>>>;

/// Starts a thread that notices when the machine falls silent. A machine whose kernel died
/// keeps its connections open, so only silence shows it. The agent is never silent for longer
/// than half a second.
fn watch(session: Session, child: Arc<Mutex<Child>>, silence: Silence) -> Result<()> {
    let limit = hang_limit() * 3;
    let silent = move || {
        while session.death().is_none() {
            thread::sleep(Duration::from_millis(500));
            if session
                .last_message_at()
                .is_some_and(|at| at.elapsed() > limit)
            {
                let detail = format!(
                    "no message for {} s: its kernel has crashed or hangs, or the \
                     network is gone",
                    limit.as_secs()
                );
                *lock(&silence) = Some(detail.clone());
                // This program may end as soon as it learns of the death, but ssh would keep
                // waiting.
                terminate(&mut lock(&child));
                session.mark_dead(Death::Vanished {
                    detail,
                    console: String::new(),
                });
            }
        }
    };
    thread::Builder::new()
        .name("ssh-watch".into())
        .spawn(silent)
        .map(drop)
        .context("starting a thread")
}

/// Waits for ssh to end, whose connection has closed, and terminates it after a limit.
fn end(child: &Mutex<Child>) -> Option<ExitStatus> {
    let limit = Instant::now() + END_LIMIT;
    loop {
        let mut child = lock(child);
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < limit => {}
            _ => {
                terminate(&mut child);
                return None;
            }
        }
        drop(child);
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends SIGTERM to ssh, which also ends what ssh started. The process has not been waited for
/// yet, so its id still belongs to it.
fn terminate(child: &mut Child) {
    if let Ok(None) = child.try_wait() {
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
    }
}

/// Returns what the end of ssh means, and what the user can do.
fn why_ended(status: Option<ExitStatus>, printed: &str) -> (String, &'static str) {
    const HINTS: [(&str, &str, &str); 9] = [
        (
            "REMOTE HOST IDENTIFICATION HAS CHANGED",
            "its host key is not the one that ssh knows",
            "somebody may be intercepting the connection; if the machine was reinstalled: \
             ssh-keygen -R HOST",
        ),
        (
            "Host key verification failed",
            "ssh does not know its host key",
            "connect once with ssh, and compare the key",
        ),
        (
            "Permission denied",
            "it refused to log this user in",
            "check the user's name and key, and that `ssh USER@HOST` works",
        ),
        (
            "Could not resolve hostname",
            "the host name is unknown",
            "check the name, or the Host entry in ~/.ssh/config",
        ),
        (
            "Connection refused",
            "nothing listens on that port",
            "check the port, and that sshd runs on the target",
        ),
        (
            "timed out",
            "it does not answer",
            "check that the machine is up, and the network between",
        ),
        (
            "No route to host",
            "it cannot be reached",
            "check that the machine is up, and the network between",
        ),
        (
            "password is required",
            "sudo on the target asks for a password",
            "",
        ),
        (
            "incorrect password",
            "sudo on the target rejected the password",
            "",
        ),
    ];
    if let Some((_, message, help)) = HINTS.iter().find(|(words, ..)| printed.contains(words)) {
        return ((*message).into(), help);
    }
    match status.and_then(|s| s.code()) {
        Some(255) => ("ssh ended".into(), "check that `ssh` to the target works"),
        Some(code) => (format!("the connection ended (status {code})"), ""),
        None => ("the connection broke".into(), ""),
    }
}

/// The end of what ssh and the other side print on standard error.
struct StderrTail {
    text: Arc<Mutex<Vec<u8>>>,
    over: Receiver<()>,
}

impl StderrTail {
    fn listen(
        from: Option<ChildStderr>,
        mut password: Option<AskPassword>,
        mut answers: UnixStream,
    ) -> Result<StderrTail> {
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let (ending, over) = channel();
        let heard = text.clone();
        let listen = move || {
            let _ending = ending;
            let Some(mut from) = from else { return };
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                let mut text = lock(&heard);
                text.extend(&buffer[..length]);
                let asked = text.ends_with(PROMPT.as_bytes());
                if asked {
                    let before = text.len() - PROMPT.len();
                    text.truncate(before);
                }
                let excess = text.len().saturating_sub(MAX_STDERR);
                text.drain(..excess);
                // The last line may say that the previous password was wrong, for example.
                let last = String::from_utf8_lossy(&text).trim_end().to_owned();
                drop(text);
                if !asked {
                    continue;
                }
                let last = last.lines().last().unwrap_or_default();
                match password.as_mut().and_then(|ask| ask(last)) {
                    Some(word) => _ = answers.write_all(format!("{word}\n").as_bytes()),
                    None => _ = answers.shutdown(Shutdown::Write),
                }
            }
        };
        thread::Builder::new()
            .name("ssh-stderr".into())
            .spawn(listen)
            .context("starting a thread")?;
        Ok(StderrTail { text, over })
    }

    /// Returns all that was kept. ssh has ended, but a process that it left in the background
    /// (ControlPersist) may keep the pipe open, and is not waited for.
    fn all(&self) -> String {
        let _ = self.over.recv_timeout(Duration::from_secs(1));
        String::from_utf8_lossy(&lock(&self.text)).replace('\r', "")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
