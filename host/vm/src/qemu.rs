//! The QEMU process: started so that it never outlives its owner, and without
//! a name in the file system: all its channels are inherited sockets.

use crate::{Error, Result, accel::Accel, error::doing, kernel::BootImage, qmp::Qmp, replay};
use koru_protocol::SHARED_BYTES;
use rustix::{
    fs::{MemfdFlags, memfd_create},
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal},
};
use serde_json::json;
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

/// What the machine is made of.
pub(crate) struct Machine<'a> {
    pub qemu: &'a PathBuf,
    pub accel: Accel,
    pub memory_mb: u32,
    pub cpus: u32,
    pub in_turn: bool,
    /// Whether qboot is enough of a BIOS.
    pub pvh: bool,
    pub start: Start<'a>,
    /// Where the guest's memory is kept, when it is to be saved, or was. Written
    /// by a machine that boots, only read by those that go on from there.
    pub ram: Option<&'a Path>,
    /// Memory that the guest sees as a PCI device, and we as a file.
    pub shared: Option<&'a File>,
    /// Its time is the number of its instructions, and this begins its random
    /// numbers. Once it is resumed nobody speaks to it.
    pub replay: Option<u64>,
    /// Where debuggers connect.
    pub gdb: Option<&'a Path>,
}

/// How the machine comes to life.
pub(crate) enum Start<'a> {
    /// It boots.
    Boot {
        image: &'a BootImage,
        cmdline: String,
        /// The initramfs, in memory.
        initrd: &'a File,
    },
    /// It goes on from the state in this file.
    Resume(&'a File),
}

/// A running QEMU.
pub(crate) struct Qemu {
    pub pid: Pid,
    pub console: UnixStream,
    pub protocol: UnixStream,
    pub qmp: Qmp,
    /// Tells the end, once.
    pub ended: Receiver<Ended>,
}

/// How QEMU ended.
pub(crate) struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
}

impl Ended {
    /// Exit status or signal, and what QEMU said.
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

/// An anonymous file in memory: nothing to clean up, whatever happens.
pub(crate) fn memory_file(name: &str) -> Result<File> {
    memfd_create(name, MemfdFlags::CLOEXEC)
        .map(File::from)
        .map_err(|e| doing("make a file in memory")(e.into()))
}

/// Starts QEMU, held by a thread that lives as long as it does.
pub(crate) fn start(machine: &Machine) -> Result<Qemu> {
    let pair = || UnixStream::pair().map_err(doing("make a socket"));
    let (console, console_far) = pair()?;
    let (protocol, protocol_far) = pair()?;
    let (qmp, qmp_far) = pair()?;
    // A socket that is full makes its writer wait for the host.
    let outputs = match (machine.replay, &machine.start) {
        (Some(_), Start::Resume(_)) => Some(replay::Outputs::new()?),
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
        // The signal comes when the *thread* that made the child ends, so a
        // thread of its own keeps QEMU, below. An owner that died before this
        // call sends nothing: look whether it is still there.
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

    // They must stay open until QEMU has its own copies.
    let files: io::Result<Vec<File>> = files.into_iter().map(File::try_clone).collect();
    let files = files.map_err(doing("share a file with QEMU"))?;
    let over = match &outputs {
        Some(outputs) => outputs.pass_on(&console_far, &protocol_far)?,
        None => replay::Over::default(),
    };
    let (told, started) = channel();
    let (ending, ended) = channel();
    thread::Builder::new()
        .name("qemu".into())
        .spawn(move || {
            // Whatever becomes of it, this is told at the end.
            let _over = over;
            let spawned = command.spawn();
            // The far ends are QEMU's alone from here on: its end is seen.
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
                let _ = ending.send(Ended { status, stderr });
            }
        })
        .map_err(doing("start a thread"))?;
    let pid = match started.recv() {
        Ok(Ok(pid)) => pid,
        Ok(Err(e)) if e.kind() == ErrorKind::NotFound => {
            return Err(Error::NoQemu(machine.qemu.display().to_string()));
        }
        Ok(Err(e)) => return Err(doing("start QEMU")(e)),
        Err(_) => return Err(doing("start QEMU")(ErrorKind::Other.into())),
    };
    let mut qmp = Qmp::new(qmp);
    if let Start::Resume(state) = machine.start {
        resume(&mut qmp, state).map_err(doing("resume a machine"))?;
    }
    Ok(Qemu {
        pid: Pid::from_raw(pid as i32)
            .ok_or_else(|| doing("start QEMU")(ErrorKind::Other.into()))?,
        console,
        protocol,
        qmp,
        ended,
    })
}

/// Has a machine go on from its state; returns when it runs. What is sent to it
/// before that is lost: reading the state empties its serial ports.
fn resume(qmp: &mut Qmp, state: &File) -> io::Result<()> {
    qmp.ignore_shared()?;
    // QEMU has inherited the file under the same number.
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
        std::iter::once(*start).chain(self.shared).collect()
    }
}

/// The name of an inherited file in QEMU.
fn path_of(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// The guest's processor, as `-cpu` takes it.
pub(crate) fn cpu(accel: Accel) -> &'static str {
    match accel {
        Accel::Kvm => "host",
        // With it the kernel clears and copies pages a byte at a time, which is
        // fast on silicon only.
        Accel::Tcg => "max,-erms",
    }
}

fn command(machine: &Machine, [console, protocol]: &[String; 2], qmp: &impl AsRawFd) -> Command {
    let mut command = Command::new(machine.qemu);
    let accel = match machine.accel {
        Accel::Kvm => "kvm",
        Accel::Tcg if machine.in_turn || machine.replay.is_some() => "tcg,thread=single",
        Accel::Tcg => "tcg,thread=multi",
    };
    command
        .args([
            "-accel",
            accel,
            "-cpu",
            cpu(machine.accel),
            "-machine",
            "pc",
        ])
        .args(["-m", &machine.memory_mb.to_string()])
        .args(["-smp", &machine.cpus.to_string()])
        .args(["-nodefaults", "-no-user-config", "-display", "none"])
        .arg("-no-reboot");
    if let Some(seed) = machine.replay {
        // Time passes with the instructions, and leaps when there are none.
        command
            .args(["-icount", "shift=3,sleep=off"])
            .args(["-rtc", &format!("base={},clock=vm", replay::RTC_BASE)])
            .args(["-seed", &seed.to_string()]);
    }
    if machine.pvh {
        command.args(["-bios", "qboot.rom"]);
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
        // From where, QMP tells: see `resume`.
        Start::Resume(_) => _ = command.args(["-incoming", "defer"]),
    }
    let memory = |id: &str, size: String, path: &str, share: &str| {
        let path = path.replace(',', ",,");
        format!("memory-backend-file,id={id},size={size},mem-path={path},share={share}")
    };
    if let Some(ram) = machine.ram {
        // The machine that boots leaves its memory in the file.
        let share = match machine.start {
            Start::Boot { .. } => "on",
            Start::Resume(_) => "off",
        };
        let size = format!("{}M", machine.memory_mb);
        let ram = memory("ram", size, &ram.to_string_lossy(), share);
        command.args(["-object", &ram, "-machine", "memory-backend=ram"]);
    }
    if let Some(shared) = machine.shared {
        let shared = memory("shared", SHARED_BYTES.to_string(), &path_of(shared), "on");
        command
            .args(["-object", &shared])
            .args(["-device", "ivshmem-plain,memdev=shared,addr=5"]);
    }
    if let Some(gdb) = machine.gdb {
        let path = gdb.to_string_lossy().replace(',', ",,");
        let socket = format!("socket,id=gdb,path={path},server=on,wait=off");
        command.args(["-chardev", &socket, "-gdb", "chardev:gdb"]);
    }
    let qmp = format!("socket,fd={}", qmp.as_raw_fd());
    for (name, end) in [("console", console), ("protocol", protocol), ("qmp", &qmp)] {
        command.args(["-chardev", &format!("{end},id={name}")]);
    }
    command
        .args(["-serial", "chardev:console", "-serial", "chardev:protocol"])
        .args(["-mon", "chardev=qmp,mode=control"])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // A terminal's Ctrl-C is for the owner.
        .process_group(0);
    command
}
