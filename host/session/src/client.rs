// SPDX-License-Identifier: MIT OR Apache-2.0

//! A client of a guest that another process keeps running and serves on a socket.

use std::{io::ErrorKind, os::unix::net::UnixStream, path::Path};

use koru_protocol::Death;

use crate::{Error, Result, Session};

/// Connects to a guest that another process serves.
pub fn connect(socket: &Path) -> Result<Session> {
    let stream = UnixStream::connect(socket).map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => Error::NotServed(socket.into()),
        _ => koru_error::Error::path("connecting to", socket, e).into(),
    })?;
    let session = Session::from_stream(stream, None, |session| {
        session.mark_dead(Death::Vanished {
            detail: "the process that owns it is gone".into(),
            console: String::new(),
        });
    })?;
    session.hello()?;
    session.follow_remote()?;
    Ok(session)
}
