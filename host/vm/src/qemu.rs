//! The QEMU process: started so that it never outlives its owner, and without
//! a name in the file system: all its channels are inherited sockets.

use crate::{Error, Result, accel::Accel, error::doing, kernel::BootImage};
use rustix::{
    fs::{MemfdFlags, memfd_create},
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal},
};
use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd},
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

/// What the machine is made of.
pub(crate) struct Machine<'a> {
    pub qemu: &'a PathBuf,
    pub accel: Accel,
    pub image: &'a BootImage,
    pub memory_mb: u32,
    pub cpus: u32,
    pub cmdline: String,
    /// The initramfs, in memory.
    pub initrd: &'a File,
}

/// A running QEMU.
pub(crate) struct Qemu {
    pub pid: Pid,
    pub console: UnixStream,
    pub protocol: UnixStream,
    pub qmp: UnixStream,
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
    let mut command = command(machine, &console_far, &protocol_far, &qmp_far);
    let inherited = [
        console_far.as_raw_fd(),
        protocol_far.as_raw_fd(),
        qmp_far.as_raw_fd(),
        machine.initrd.as_raw_fd(),
    ];
    let owner = getpid();
    let in_child = move || {
        // The signal comes when the *thread* that made the child ends, so a
        // thread of its own keeps QEMU, below. An owner that died before this
        // call sends nothing: look whether it is still there.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() != Some(owner) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        for fd in inherited {
            // SAFETY: the four descriptors are open in the parent until spawn
            // returns (the sockets and the file outlive it), so they are in
            // its copy, and nothing in the child closes them.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            fcntl_setfd(fd, FdFlags::empty())?;
        }
        io::Result::Ok(())
    };
    // SAFETY: the closure runs between fork and exec. It makes system calls
    // only: no allocation, no lock, nothing of the parent's state is changed.
    unsafe { command.pre_exec(in_child) };

    // QEMU must have its own copy of the initramfs while it starts.
    let initrd = machine
        .initrd
        .try_clone()
        .map_err(doing("share the initramfs"))?;
    let (told, started) = channel();
    let (ending, ended) = channel();
    thread::Builder::new()
        .name("qemu".into())
        .spawn(move || {
            let spawned = command.spawn();
            // The far ends are QEMU's alone from here on: its end is seen.
            drop((console_far, protocol_far, qmp_far, initrd, command));
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
    Ok(Qemu {
        pid: Pid::from_raw(pid as i32)
            .ok_or_else(|| doing("start QEMU")(ErrorKind::Other.into()))?,
        console,
        protocol,
        qmp,
        ended,
    })
}

fn command(
    machine: &Machine,
    console: &impl AsRawFd,
    protocol: &impl AsRawFd,
    qmp: &impl AsRawFd,
) -> Command {
    let mut command = Command::new(machine.qemu);
    let (accel, cpu) = match machine.accel {
        Accel::Kvm => ("kvm", "host"),
        Accel::Tcg => ("tcg,thread=multi", "max"),
    };
    command
        .args(["-accel", accel, "-cpu", cpu, "-machine", "pc"])
        .args(["-m", &machine.memory_mb.to_string()])
        .args(["-smp", &machine.cpus.to_string()])
        .args(["-nodefaults", "-no-user-config", "-display", "none"])
        .arg("-no-reboot");
    if machine.image.pvh {
        command.args(["-bios", "qboot.rom"]);
    }
    command.arg("-kernel").arg(&machine.image.path);
    let initrd = machine.initrd.as_fd().as_raw_fd();
    command.args(["-initrd", &format!("/proc/self/fd/{initrd}")]);
    for (name, fd) in [
        ("console", console.as_raw_fd()),
        ("protocol", protocol.as_raw_fd()),
        ("qmp", qmp.as_raw_fd()),
    ] {
        command.args(["-chardev", &format!("socket,id={name},fd={fd}")]);
    }
    command
        .args(["-serial", "chardev:console", "-serial", "chardev:protocol"])
        .args(["-mon", "chardev=qmp,mode=control"])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"])
        .args(["-append", &machine.cmdline])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // A terminal's Ctrl-C is for the owner.
        .process_group(0);
    command
}
