// SPDX-License-Identifier: MIT OR Apache-2.0

//! Passes descriptors between processes, over a socket that has a name but no file.

use std::{
    os::{
        fd::{BorrowedFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener, UnixStream},
    },
    thread,
    time::{Duration, Instant},
};

use ioshell::message;
use nix::{errno::Errno, libc};

/// How long the other process may take.
const LIMIT: Duration = Duration::from_secs(5);

fn errno(e: std::io::Error) -> Errno {
    Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO))
}

fn address(socket: &str) -> Result<SocketAddr, Errno> {
    SocketAddr::from_abstract_name(socket).map_err(errno)
}

/// Passes a descriptor to the process that receives at this socket.
pub fn pass(fd: BorrowedFd<'_>, socket: &str) -> Result<(), Errno> {
    let address = address(socket)?;
    let end = Instant::now() + LIMIT;
    let stream = loop {
        match UnixStream::connect_addr(&address) {
            Ok(stream) => break stream,
            // The other process may begin a little later.
            Err(_) if Instant::now() < end => thread::sleep(Duration::from_millis(1)),
            Err(e) => return Err(errno(e)),
        }
    };
    message::send(&stream, fd)
}

/// Receives a descriptor at this socket.
pub fn receive(socket: &str) -> Result<OwnedFd, Errno> {
    let listener = UnixListener::bind_addr(&address(socket)?).map_err(errno)?;
    let (stream, _) = listener.accept().map_err(errno)?;
    stream.set_read_timeout(Some(LIMIT)).map_err(errno)?;
    message::receive(&stream)
}
