// SPDX-License-Identifier: MIT OR Apache-2.0

//! Ways in which another process gets a descriptor.

use std::{
    fs::File,
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, RawFd},
    process::{Command, Stdio},
};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

/// Sends an open file over a socket and closes it here, so that only the message holds it.
///
/// The returned function receives the file again.
pub fn send_in_flight(file: File) -> impl FnOnce() -> File {
    let (from, to) = socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .expect("a socket pair");
    send(&from, &file);
    drop(file);
    move || {
        let file = receive(&to);
        drop(from);
        file
    }
}

/// Sends an open file over a socket; it stays open here.
pub fn send(to: impl AsFd, file: &File) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [file.as_fd()];
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    sendmsg(to, &[IoSlice::new(b"x")], &mut control, SendFlags::empty())
        .expect("sending a descriptor");
}

/// Receives an open file from a socket.
pub fn receive(from: impl AsFd) -> File {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(
        from,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )
    .expect("receiving a descriptor");
    let file = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next().map(File::from),
        _ => None,
    });
    file.expect("a descriptor in the message")
}

/// Duplicates a descriptor of another process without that process's help.
pub fn take_descriptor(pid: u32, fd: RawFd) -> io::Result<File> {
    let pid = Pid::from_raw(pid as i32).expect("a process");
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    Ok(pidfd_getfd(process, fd, PidfdGetfdFlags::empty())?.into())
}

/// Returns what a shell command reads from the descriptor that it inherits.
pub fn inherited_read(file: &File, command: &str) -> Vec<u8> {
    let stdin = Stdio::from(file.try_clone().expect("dup"));
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(stdin)
        .output()
        .expect("the guest has a shell");
    assert!(output.status.success(), "{command}: {output:?}");
    output.stdout
}
