// SPDX-License-Identifier: MIT OR Apache-2.0

//! The QEMU process. It never outlives its owner, and has no name in the file system: all its
//! channels are inherited sockets.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    os::{
        fd::{AsRawFd, BorrowedFd, RawFd},
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use koru_error::{Error, IoContext, Kind, Result};
use rustix::{
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal},
};
use serde_json::json;

use crate::{
    Accel, BootImage, Coverage, Qmp,
    output_files::{OutputFiles, StopOnDrop},
    x86,
};

/// The time at which the clock of every replayed machine starts, as `-rtc` takes it.
const REPLAY_RTC_BASE: &str = "2026-01-01T00:00:00";
/// The start of a replayed machine's clock, in seconds since the epoch.
pub const REPLAY_START_SECONDS: i64 = 1_767_225_600;

/// The parts of a virtual machine.
pub struct Machine<'a> {
    pub qemu: &'a PathBuf,
    pub accel: Accel,
    pub memory_mb: u32,
    pub cpus: u32,
    /// Under TCG, runs the processors in turn on one thread (`thread=single`).
    pub single_threaded_tcg: bool,
    /// Whether qboot is enough of a BIOS.
    pub pvh: bool,
    pub start: Start<'a>,
    /// The file for the guest's memory, when the guest is to be saved or was saved. A machine
    /// that boots writes to the file; machines that resume only read it.
    pub ram: Option<&'a Path>,
    /// The memory that the guest sees as a PCI device and the host as a file, and its size in
    /// bytes.
    pub shared: Option<(&'a File, usize)>,
    /// A machine whose time is the number of its instructions. Once such a machine is resumed,
    /// nobody sends anything to it.
    pub replay: Option<Replayed>,
    /// The socket to which debuggers connect.
    pub gdb: Option<&'a Path>,
    /// Where it is recorded what the machine executes, which only TCG can do.
    pub coverage: Option<&'a Coverage>,
}

/// What makes a run of a machine the same every time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// The seed of the random numbers.
    pub seed: u64,
    /// An instruction takes two to this power nanoseconds. The processor's counter ticks once in
    /// a nanosecond.
    pub shift: u32,
}

/// How the machine starts.
pub enum Start<'a> {
    /// The machine boots.
    Boot {
        image: &'a BootImage,
        cmdline: String,
        /// The initramfs, in memory.
        initrd: &'a File,
    },
    /// The machine resumes from the state in this file.
    Resume(&'a File),
}

/// A running QEMU.
pub struct Qemu {
    pub pid: Pid,
    pub console: UnixStream,
    pub protocol: UnixStream,
    pub qmp: Qmp,
    /// Receives QEMU's exit exactly once.
    pub ended: Receiver<QemuExit>,
}

/// How QEMU ended.
pub struct QemuExit {
    pub status: ExitStatus,
    pub stderr: String,
}

impl QemuExit {
    /// Describes the exit status or signal, and what QEMU printed.
    pub fn detail(&self) -> String {
        let how = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("QEMU exited with status {code}"),
            (None, signal) => format!("QEMU was killed by signal {}", signal.unwrap_or(0)),
        };
        match self.stderr.trim() {
            "" => how,
            said => format!("{how}: {said}"),
        }
    }
}

/// Starts QEMU. A thread that lives as long as QEMU holds the process.
pub fn start(machine: &Machine) -> Result<Qemu> {
    const STARTING: &str = "starting QEMU";
    let pair = || UnixStream::pair().context("making a socket");
    let (console, console_far) = pair()?;
    let (protocol, protocol_far) = pair()?;
    let (qmp, qmp_far) = pair()?;
    // A full socket would make a replayed guest wait for the host.
    let outputs = match (machine.replay, &machine.start) {
        (Some(_), Start::Resume(_)) => Some(OutputFiles::new()?),
        _ => None,
    };
    let ends = match &outputs {
        Some(o) => [&o.console, &o.protocol]
            .map(path_of)
            .map(|p| format!("file,path={p}")),
        None => [&console_far, &protocol_far].map(|s| format!("socket,fd={}", s.as_raw_fd())),
    };
    let mut command = command(machine, &ends, &qmp_far);
    let mut files: Vec<&File> = machine.files();
    files.extend(outputs.iter().flat_map(|o| [&o.console, &o.protocol]));
    let mut inherited: Vec<RawFd> = files.iter().map(|f| f.as_raw_fd()).collect();
    inherited.extend([&console_far, &protocol_far, &qmp_far].map(|s| s.as_raw_fd()));
    let owner = getpid();
    let in_child = move || {
        // The signal comes when the *thread* that created the child ends, so a thread of its
        // own keeps QEMU, below. An owner that died before this call sends no signal: check
        // whether it is still there.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() != Some(owner) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        for &fd in &inherited {
            // SAFETY: the descriptors are open in the parent until spawn returns
            // (the sockets and files outlive it), so they are in its copy, and
            // nothing in the child closes them.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            fcntl_setfd(fd, FdFlags::empty())?;
        }
        io::Result::Ok(())
    };
    // SAFETY: the closure runs between fork and exec. It makes system calls
    // only: no allocation, no lock, nothing of the parent's state is changed.
    unsafe { command.pre_exec(in_child) };

    // The files must stay open until QEMU has its own copies.
    let files: io::Result<Vec<File>> = files.into_iter().map(File::try_clone).collect();
    let files = files.context("sharing a file with QEMU")?;
    let stop = match &outputs {
        Some(outputs) => outputs.copy_to(&console_far, &protocol_far)?,
        None => StopOnDrop::default(),
    };
    let (told, started) = channel();
    let (ending, ended) = channel();
    thread::Builder::new()
        .name("qemu".into())
        .spawn(move || {
            // However QEMU ends, the copying threads are stopped at the end of this one.
            let _stop = stop;
            let spawned = command.spawn();
            // From here on only QEMU has the far ends, so its end closes them.
            drop((console_far, protocol_far, qmp_far, files, command));
            let mut child = match spawned {
                Ok(child) => child,
                Err(error) => {
                    let _ = told.send(Err(error));
                    return;
                }
            };
            let _ = told.send(Ok(child.id()));
            let mut stderr = String::new();
            if let Some(pipe) = child.stderr.take() {
                let mut bytes = Vec::new();
                let _ = pipe.take(64 * 1024).read_to_end(&mut bytes);
                stderr = String::from_utf8_lossy(&bytes).into_owned();
            }
            if let Ok(status) = child.wait() {
                let _ = ending.send(QemuExit { status, stderr });
            }
        })
        .context("starting a thread")?;
    let pid = match started.recv() {
        Ok(Ok(pid)) => pid,
        Ok(Err(e)) if e.kind() == ErrorKind::NotFound => {
            let qemu = machine.qemu.display();
            let message = format!("{qemu} is not installed");
            return Err(Error::new(Kind::Missing, STARTING, message)
                .help("`koru setup` installs what is missing"));
        }
        Ok(Err(e)) => return Err(Error::io(STARTING, e)),
        Err(_) => return Err(Error::io(STARTING, ErrorKind::Other.into())),
    };
    let mut qmp = Qmp::new(qmp);
    if let Start::Resume(state) = machine.start {
        resume(&mut qmp, state).context("resuming a guest")?;
    }
    Ok(Qemu {
        pid: Pid::from_raw(pid as i32)
            .ok_or_else(|| Error::io(STARTING, ErrorKind::Other.into()))?,
        console,
        protocol,
        qmp,
        ended,
    })
}

/// Resumes a machine from its state, and waits until it is running. Bytes that are sent to the
/// machine before that are lost, because loading the state empties its serial ports.
fn resume(qmp: &mut Qmp, state: &File) -> io::Result<()> {
    qmp.ignore_shared()?;
    // QEMU has inherited the file with the same number.
    let uri = format!("fd:{}", state.as_raw_fd());
    qmp.run("migrate-incoming", json!({ "uri": uri }))?;
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let status = qmp.run("query-status", json!({}))?;
        if status["running"] == true {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(io::Error::other(format!("it does not run: {status}")));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

impl Machine<'_> {
    fn files(&self) -> Vec<&File> {
        let start = match &self.start {
            Start::Boot { initrd, .. } => initrd,
            Start::Resume(state) => state,
        };
        let shared = self.shared.map(|(file, _)| file);
        let coverage = self.coverage.into_iter().flat_map(Coverage::files);
        let all = std::iter::once(*start).chain(shared);
        all.chain(coverage).collect()
    }
}

/// Returns the path by which QEMU opens an inherited file.
fn path_of(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

fn command(machine: &Machine, [console, protocol]: &[String; 2], qmp: &impl AsRawFd) -> Command {
    let mut command = Command::new(machine.qemu);
    let accel = match machine.accel {
        Accel::Kvm => "kvm",
        Accel::Tcg if machine.single_threaded_tcg || machine.replay.is_some() => {
            "tcg,thread=single"
        }
        Accel::Tcg => "tcg,thread=multi",
    };
    command
        .args(["-accel", accel])
        .args(x86::arguments(machine.accel, machine.pvh))
        .args(["-m", &machine.memory_mb.to_string()])
        .args(["-smp", &machine.cpus.to_string()])
        .args(["-nodefaults", "-no-user-config", "-display", "none"])
        .arg("-no-reboot");
    if let Some(Replayed { seed, shift }) = machine.replay {
        // Time passes with the instructions, and leaps forward when none are executed.
        command
            .args(["-icount", &format!("shift={shift},sleep=off")])
            .args(["-rtc", &format!("base={},clock=vm", REPLAY_RTC_BASE)])
            .args(["-seed", &seed.to_string()]);
    }
    match &machine.start {
        Start::Boot {
            image,
            cmdline,
            initrd,
        } => {
            command.arg("-kernel").arg(&image.path);
            command.args(["-initrd", &path_of(initrd), "-append", cmdline]);
        }
        // QMP says where the state comes from: see `resume`.
        Start::Resume(_) => _ = command.args(["-incoming", "defer"]),
    }
    let memory = |id: &str, size: String, path: &str, share: &str| {
        let path = path.replace(',', ",,");
        format!("memory-backend-file,id={id},size={size},mem-path={path},share={share}")
    };
    if let Some(ram) = machine.ram {
        // A machine that boots leaves its memory in the file.
        let share = match machine.start {
            Start::Boot { .. } => "on",
            Start::Resume(_) => "off",
        };
        let size = format!("{}M", machine.memory_mb);
        let ram = memory("ram", size, &ram.to_string_lossy(), share);
        command.args(["-object", &ram, "-machine", "memory-backend=ram"]);
    }
    if let Some((file, bytes)) = machine.shared {
        let shared = memory("shared", bytes.to_string(), &path_of(file), "on");
        command
            .args(["-object", &shared])
            .args(["-device", "ivshmem-plain,memdev=shared,addr=5"]);
    }
    if let Some(gdb) = machine.gdb {
        let path = gdb.to_string_lossy().replace(',', ",,");
        let socket = format!("socket,id=gdb,path={path},server=on,wait=off");
        command.args(["-chardev", &socket, "-gdb", "chardev:gdb"]);
    }
    if let Some(coverage) = machine.coverage {
        command.args(["-plugin", &coverage.argument(machine.memory_mb)]);
    }
    let qmp = format!("socket,fd={}", qmp.as_raw_fd());
    for (name, end) in [("console", console), ("protocol", protocol), ("qmp", &qmp)] {
        command.args(["-chardev", &format!("{end},id={name}")]);
    }
    command
        .args(["-serial", "chardev:console", "-serial", "chardev:protocol"])
        .args(["-mon", "chardev=qmp,mode=control"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C on a terminal is meant for the owner only.
        .process_group(0);
    command
}
