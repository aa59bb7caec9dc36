// SPDX-License-Identifier: MIT OR Apache-2.0

//! Descriptors in messages of a socket.

use std::{
    io::{IoSlice, IoSliceMut},
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use nix::{
    cmsg_space,
    errno::Errno,
    sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg},
};

use crate::raw::received;

/// Sends a descriptor.
pub fn send(socket: impl AsFd, fd: impl AsFd) -> Result<(), Errno> {
    let fds = [fd.as_fd().as_raw_fd()];
    let message = [ControlMessage::ScmRights(&fds)];
    let data = [IoSlice::new(b"x")];
    let socket = socket.as_fd().as_raw_fd();
    sendmsg::<()>(socket, &data, &message, MsgFlags::empty(), None)?;
    Ok(())
}

/// Waits for a message, and returns the descriptor in it.
pub fn receive(socket: impl AsFd) -> Result<OwnedFd, Errno> {
    let mut byte = [0];
    let mut data = [IoSliceMut::new(&mut byte)];
    let mut space = cmsg_space!([i32; 1]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let socket = socket.as_fd().as_raw_fd();
    let message = recvmsg::<()>(socket, &mut data, Some(&mut space), flags)?;
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = part {
            if let Some(fd) = fds.first() {
                return Ok(received(*fd));
            }
        }
    }
    Err(Errno::EBADMSG)
}
