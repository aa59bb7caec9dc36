// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs commands, with pipes or on a terminal.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{fs::OpenOptionsExt, process::CommandExt},
    },
    process::{Command, ExitCode, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    thread,
};

use koru_protocol::{Exec, Exit, Reply, Stream, ToHost, TtySize};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pipe::{PipeFlags, pipe_with},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::tcsetwinsize,
};

use crate::{
    agent::{Agent, Input},
    answer::{Answer, errno},
    boot,
    process::{CallProcess, winsize},
    role::own_binary,
};

/// The role of the process that takes control of a terminal and becomes a command: `tty UID|-
/// PROGRAM [ARG]..`.
pub const ON_TTY: &str = "tty";

/// Runs a command to its end.
pub fn run(agent: &Arc<Agent>, id: u64, exec: Exec, input: Option<Receiver<Input>>) -> Answer {
    run_inner(agent, id, &exec, input)
        .map(Reply::Exited)
        .map_err(|e| errno(&e))
}

fn run_inner(
    agent: &Arc<Agent>,
    id: u64,
    exec: &Exec,
    input: Option<Receiver<Input>>,
) -> io::Result<Exit> {
    let (program, args) = exec.argv.split_first().ok_or(ErrorKind::InvalidInput)?;
    let mut command = match exec.tty {
        None => {
            let mut command = Command::new(program);
            command.args(args).process_group(0);
            if let Some(uid) = exec.uid {
                command.uid(uid).gid(uid);
            }
            command
        }
        Some(_) => {
            let mut command = own_binary(ON_TTY);
            command.arg(exec.uid.map_or("-".into(), |uid| uid.to_string()));
            command.args(&exec.argv);
            command
        }
    };
    set_surroundings(&mut command, exec);

    // The reaper holds the write end of this pipe and closes it when the child has ended,
    // which wakes the poll below.
    let (ended, ended_out) = pipe_with(PipeFlags::CLOEXEC)?;
    let (exited, exits) = channel();
    let on_exit = Box::new(move |exit| {
        let _ = exited.send(exit);
        drop::<OwnedFd>(ended_out);
    });

    let (pid, outputs, stdin, master) = match exec.tty {
        Some(size) => {
            let (master, slave) = open_pty(size, exec.uid)?;
            command
                .stdin(slave.try_clone()?)
                .stdout(slave.try_clone()?)
                .stderr(slave);
            let child = agent.children.spawn(&mut command, on_exit)?;
            let stdin = master.try_clone()?;
            let outputs = vec![(Stream::Stdout, master.try_clone()?)];
            (child.id(), outputs, Some(stdin), Some(master))
        }
        None => {
            let stdin = if input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            };
            command
                .stdin(stdin)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = agent.children.spawn(&mut command, on_exit)?;
            let mut outputs = Vec::new();
            if let Some(out) = child.stdout.take() {
                outputs.push((Stream::Stdout, File::from(OwnedFd::from(out))));
            }
            if let Some(err) = child.stderr.take() {
                outputs.push((Stream::Stderr, File::from(OwnedFd::from(err))));
            }
            let stdin = child.stdin.take().map(|s| File::from(OwnedFd::from(s)));
            (child.id(), outputs, stdin, None)
        }
    };
    // The agent's copies of the terminal's other end must not outlive the child's.
    drop(command);
    let on_tty = master.is_some();
    agent.enter(id, CallProcess { pid, master });
    agent.line.send(&ToHost::Started { id, pid });
    if let (Some(input), Some(stdin)) = (input, stdin) {
        let agent = agent.clone();
        thread::Builder::new().spawn(move || feed(&agent, id, input, stdin, on_tty))?;
    }
    forward(agent, id, outputs, &ended);
    exits.recv().map_err(|_| ErrorKind::BrokenPipe.into())
}

fn set_surroundings(command: &mut Command, exec: &Exec) {
    command
        .env_clear()
        .envs([
            ("PATH", boot::PATH),
            ("HOME", "/root"),
            ("USER", "root"),
            ("LOGNAME", "root"),
            ("SHELL", "/bin/sh"),
            ("TERM", "linux"),
            ("LANG", "C.UTF-8"),
        ])
        .envs(exec.env.iter().map(|(k, v)| (k, v)))
        .current_dir(exec.cwd.as_deref().unwrap_or("/root"));
}

fn open_pty(size: TtySize, uid: Option<u32>) -> io::Result<(File, File)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    tcsetwinsize(&master, winsize(size))?;
    let path = ptsname(&master, Vec::new())?;
    let path = path.to_str().map_err(|_| ErrorKind::InvalidData)?;
    let slave = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(path)?;
    if let Some(uid) = uid {
        std::os::unix::fs::chown(path, Some(uid), None)?;
    }
    Ok((master.into(), slave))
}

/// Becomes the command: leads a session whose terminal is the process's standard input.
pub fn on_tty_here(args: &[String]) -> ExitCode {
    let [uid, program, args @ ..] = args else {
        return ExitCode::from(127);
    };
    let taken = rustix::process::setsid()
        .and_then(|_| rustix::process::ioctl_tiocsctty(rustix::stdio::stdin()));
    if let Err(error) = taken {
        eprintln!("koru: no control of the terminal: {error}");
    }
    let mut command = Command::new(program);
    command.args(args);
    if let Ok(uid) = uid.parse() {
        command.uid(uid).gid(uid);
    }
    let error = command.exec();
    eprintln!("koru: {program}: {error}");
    // As in shells, 127 means not found and 126 not executable.
    ExitCode::from(if error.kind() == ErrorKind::NotFound {
        127
    } else {
        126
    })
}

/// Passes the host's bytes to the command.
fn feed(agent: &Agent, id: u64, input: Receiver<Input>, mut stdin: File, on_tty: bool) {
    const END_OF_INPUT: &[u8] = &[4];
    loop {
        match input.recv() {
            Ok(Input::Data(bytes)) => {
                // A command that closed its input still counts as taking the bytes. Otherwise
                // the sender would wait for ever.
                let _ = stdin.write_all(&bytes);
                let bytes = bytes.len() as u32;
                agent.line.send(&ToHost::Taken { id, bytes });
            }
            Ok(Input::Eof) if on_tty => {
                let _ = stdin.write_all(END_OF_INPUT);
                return;
            }
            Ok(Input::Eof) | Err(_) => return,
        }
    }
}

/// Sends the output until the command has ended and everything that it wrote has been read. A
/// daemon that the command left behind may keep the pipes open, and is not waited for.
fn forward(agent: &Agent, id: u64, mut outputs: Vec<(Stream, File)>, ended: &OwnedFd) {
    const NOW: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut over = false;
    let mut buffer = vec![0; agent.line.chunk()];
    loop {
        let mut watched: Vec<_> = outputs
            .iter()
            .map(|(_, file)| PollFd::new(file, PollFlags::IN))
            .collect();
        if !over {
            watched.push(PollFd::new(ended, PollFlags::IN));
        }
        if let Err(rustix::io::Errno::INTR) = poll(&mut watched, over.then_some(&NOW)) {
            continue;
        }
        let ready: Vec<bool> = watched.iter().map(|w| !w.revents().is_empty()).collect();
        if over && !ready.iter().any(|&r| r) {
            return;
        }
        if !over && ready[outputs.len()] {
            over = true;
        }
        let mut index = 0;
        outputs.retain_mut(|(stream, file)| {
            let is_ready = ready[index];
            index += 1;
            if !is_ready {
                return true;
            }
            match file.read(&mut buffer) {
                Ok(0) => false,
                Ok(length) => {
                    agent.line.send(&ToHost::Output {
                        id,
                        stream: *stream,
                        bytes: buffer[..length].to_vec(),
                    });
                    true
                }
                Err(e) => e.kind() == ErrorKind::Interrupted,
            }
        });
    }
}
