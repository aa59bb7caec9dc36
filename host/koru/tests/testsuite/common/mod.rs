// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the `koru` program, through its bootstrap script, as a user would run it.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, Signal, kill_process, kill_process_group},
};

mod c_module;
pub mod kernels;
pub mod lab;
mod vm;

pub use c_module::CModule;
pub use kernels::KERNELS;
pub use vm::Vm;

/// A limit that is longer than anything here takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(400);

/// The variable that marks all processes of a run: they have it in their environment.
const MARK: &str = "KORU_TEST_MARK";

pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the checkout")
}

/// Returns the folder in which the `koru` script builds the program and the agent.
pub fn programs() -> PathBuf {
    root().join("target/x86_64-unknown-linux-gnu/program")
}

/// A run of `koru` that may still be in progress.
pub struct Running {
    child: Child,
    mark: String,
    limit: Duration,
    /// The input of a run in a terminal.
    keyboard: Option<ChildStdin>,
    out: Option<thread::JoinHandle<Vec<u8>>>,
    err: Option<thread::JoinHandle<Vec<u8>>>,
}

/// A run that has ended.
pub struct Run {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Run {
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Run {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Run {
        assert!(self.err.contains(text), "no `{text}' in stderr\n{self}");
        self
    }

    #[track_caller]
    pub fn prints(&self, text: &str) -> &Run {
        assert!(self.out.contains(text), "no `{text}' in stdout\n{self}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let value = serde_json::from_str(&self.out);
        value.unwrap_or_else(|e| panic!("no JSON: {e}\n{self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} after {:?}\n-- stdout --\n{}\n-- stderr --\n{}",
            self.status, self.took, self.out, self.err
        )
    }
}

pub struct Koru {
    command: Command,
    mark: String,
    limit: Duration,
    input: Vec<u8>,
}

/// Returns `koru ARGUMENTS`, run in the checkout with the tests' own list of kernels.
pub fn koru<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Koru {
    let koru = root().join("koru");
    koru_by([koru.as_os_str()], arguments)
}

/// Returns `COMMAND ARGUMENTS`, a command that ends in starting koru, run as [`koru`] runs it.
pub fn koru_by<C: AsRef<std::ffi::OsStr>, S: AsRef<std::ffi::OsStr>>(
    command: impl IntoIterator<Item = C>,
    arguments: impl IntoIterator<Item = S>,
) -> Koru {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let mark = format!("{}-{next}", std::process::id());
    let mut words = command.into_iter();
    let mut command = Command::new(words.next().expect("a program"));
    command
        .args(words)
        .args(arguments)
        .current_dir(root())
        .env(MARK, &mark)
        .env("KORU_CACHE", kernels::cache())
        .stdin(Stdio::null());
    for name in [
        "KORU_KERNEL",
        "KORU_VM",
        "KORU_TARGET",
        "KORU_SSH",
        "KDIR",
        "RUSTFLAGS",
        "KORU_ROOT",
    ] {
        command.env_remove(name);
    }
    // The variables that cargo sets for this test are not meant for the program.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    Koru {
        command,
        mark,
        limit: LIMIT,
        input: Vec::new(),
    }
}

impl Koru {
    pub fn dir(mut self, dir: &Path) -> Koru {
        self.command.current_dir(dir);
        self
    }

    /// Gives it more time than others have.
    pub fn within(mut self, limit: Duration) -> Koru {
        self.limit = limit;
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Koru {
        self.command.env(name, value);
        self
    }

    pub fn without_env(mut self, name: &str) -> Koru {
        self.command.env_remove(name);
        self
    }

    /// Sets the bytes that the program reads from its standard input.
    pub fn input(mut self, bytes: &[u8]) -> Koru {
        self.command.stdin(Stdio::piped());
        self.input = bytes.to_vec();
        self
    }

    /// Starts the program in a terminal, which `script` makes.
    pub fn on_terminal(mut self) -> Running {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let words: Vec<_> = words.map(|w| w.to_string_lossy()).collect();
        let mut command = Command::new("script");
        command
            .args(["-qefc", &words.join(" "), "/dev/null"])
            .current_dir(root())
            .stdin(Stdio::piped());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.command = command;
        self.spawn()
    }

    pub fn start(self) -> Running {
        let input = self.input.clone();
        let mut running = self.spawn();
        if let Some(mut stdin) = running.keyboard.take() {
            stdin.write_all(&input).expect("writing to koru");
        }
        running
    }

    fn spawn(mut self) -> Running {
        use std::os::unix::process::CommandExt;
        let mut child = self
            .command
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting koru");
        let mut running = Running {
            mark: self.mark,
            limit: self.limit,
            keyboard: child.stdin.take(),
            out: None,
            err: None,
            child,
        };
        running.err = running.child.stderr.take().map(collect);
        running
    }

    /// Runs the program to its end. Checks that none of its processes are left, and that it
    /// prints no colours to a pipe.
    #[track_caller]
    pub fn run(self) -> Run {
        let run = self.start().end();
        assert!(!run.out.contains('\x1b'), "colours in a pipe\n{run}");
        assert!(!run.err.contains('\x1b'), "colours in a pipe\n{run}");
        run
    }

    /// Runs the program to its end. Its background process may stay.
    #[track_caller]
    pub fn run_and_leave(self) -> Run {
        self.start().end_and_leave()
    }
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        let _ = from.read_to_end(&mut all);
        all
    })
}

impl Running {
    fn collect_out(&mut self) {
        if let Some(out) = self.child.stdout.take() {
            self.out = Some(collect(out));
        }
    }

    fn finish(mut self) -> Run {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("waiting for koru") {
                break status;
            }
            if begun.elapsed() > self.limit {
                let _ = kill_process_group(self.pid(), Signal::KILL);
                panic!("koru did not end in {:?}", self.limit);
            }
            thread::sleep(Duration::from_millis(10));
        };
        let text = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
            let bytes = reader
                .map(|r| r.join().expect("a reader"))
                .unwrap_or_default();
            String::from_utf8(bytes).expect("text")
        };
        Run {
            status,
            out: text(self.out.take()),
            err: text(self.err.take()),
            took: begun.elapsed(),
        }
    }

    /// Waits for the end of the program and of all its processes.
    #[track_caller]
    pub fn end(mut self) -> Run {
        self.collect_out();
        let mark = self.mark.clone();
        let run = self.finish();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) && !processes(&mark).is_empty() {
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(processes(&mark), [""; 0], "processes are left\n{run}");
        run
    }

    /// Waits for the end of the program only.
    pub fn end_and_leave(mut self) -> Run {
        self.collect_out();
        self.finish()
    }

    /// Types keys in the program's terminal.
    pub fn type_in(&mut self, keys: &str) {
        let keyboard = self.keyboard.as_mut().expect("it is on a terminal");
        keyboard.write_all(keys.as_bytes()).expect("typing");
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal to the program alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("sending a signal");
    }

    /// Sends a signal to the program's process group, as a terminal does at Ctrl-C.
    pub fn signal_all(&self, signal: Signal) {
        kill_process_group(self.pid(), signal).expect("sending a signal");
    }

    /// Kills the program's process of this name.
    #[track_caller]
    pub fn kill(&self, name: &str) {
        let all = marked(&self.mark);
        let (pid, _) = all
            .iter()
            .find(|(_, n)| n == name)
            .unwrap_or_else(|| panic!("no `{name}' among {all:?}"));
        let pid = Pid::from_raw(*pid).expect("a process id");
        kill_process(pid, Signal::KILL).expect("sending a signal");
    }

    /// Reads the next byte of the output, which is `so_far`.
    #[track_caller]
    fn byte(&mut self, so_far: &[u8], end: Instant) -> u8 {
        let out = self.child.stdout.as_mut().expect("not yet collected");
        let so_far = String::from_utf8_lossy(so_far);
        let left = end.saturating_duration_since(Instant::now());
        let left = left.try_into().expect("a short time");
        let mut readable = [PollFd::new(out, PollFlags::IN)];
        let ready = poll(&mut readable, Some(&left)).expect("waiting for koru's output");
        assert_ne!(ready, 0, "no more came after `{so_far}`");
        let mut byte = [0];
        let n = out.read(&mut byte).expect("reading koru's output");
        assert_ne!(n, 0, "it ended after `{so_far}`");
        byte[0]
    }

    /// Reads the output up to this text, which has to come within the program's limit.
    #[track_caller]
    pub fn wait_for_output(&mut self, text: &str) {
        let end = Instant::now() + self.limit;
        let mut all = Vec::new();
        while !all.ends_with(text.as_bytes()) {
            all.push(self.byte(&all, end));
        }
    }

    /// Returns the next line of the output, which has to come within the program's limit.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let end = Instant::now() + self.limit;
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            line.push(self.byte(&line, end));
        }
        String::from_utf8(line).expect("text")
    }

    /// Stops reading the output.
    pub fn close_output(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Waits until the program has started QEMU.
    #[track_caller]
    pub fn wait_for_qemu(&self) {
        let begun = Instant::now();
        while !processes(&self.mark).iter().any(|p| p.starts_with("qemu")) {
            assert!(begun.elapsed() < LIMIT, "no QEMU came");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Returns the names of the processes that have the mark.
fn processes(mark: &str) -> Vec<String> {
    marked(mark).into_iter().map(|(_, name)| name).collect()
}

/// Returns the ids and names of the processes that have the mark.
fn marked(mark: &str) -> Vec<(i32, String)> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let of = |file: &str| fs::read(entry.path().join(file));
        let Ok(environment) = of("environ") else {
            continue;
        };
        if environment
            .split(|b| *b == 0)
            .any(|e| e == wanted.as_bytes())
        {
            let name = of("comm").unwrap_or_default();
            let name = String::from_utf8_lossy(&name).trim().to_owned();
            let pid = entry.file_name().to_string_lossy().parse();
            found.extend(pid.ok().map(|pid| (pid, name)));
        }
    }
    found
}

/// Returns the number of the line that contains this text, in a file of the checkout.
#[track_caller]
pub fn line_of(path: &str, text: &str) -> usize {
    let source = fs::read_to_string(root().join(path)).expect("a source");
    let at = source.lines().position(|l| l.contains(text));
    at.unwrap_or_else(|| panic!("no `{text}' in {path}")) + 1
}
