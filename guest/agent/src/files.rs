// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes files from the host, and sends files to it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{Arc, mpsc::Receiver},
};

use koru_protocol::{Reply, Stream, ToHost};

use crate::{
    agent::{Agent, Input},
    answer::{Answer, errno},
};

/// Writes a file under another name and then renames it, so that it appears either completely
/// or not at all.
pub fn put(path: &str, mode: u32, input: &Receiver<Input>) -> Answer {
    let path = Path::new(path);
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(libc::EINVAL);
    };
    let mut part = OsString::from(".");
    part.push(name);
    part.push(".part");
    let part = dir.join(part);
    let written = write(dir, &part, mode, input).and_then(|()| fs::rename(&part, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&part);
        return Err(errno(&error));
    }
    Ok(Reply::Done)
}

fn write(dir: &Path, part: &Path, mode: u32, input: &Receiver<Input>) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(part)?;
    loop {
        match input.recv() {
            Ok(Input::Data(bytes)) => file.write_all(&bytes)?,
            Ok(Input::Eof) => break,
            Err(_) => return Err(io::Error::from_raw_os_error(libc::ECANCELED)),
        }
    }
    file.set_permissions(fs::Permissions::from_mode(mode & 0o7777))
}

/// Sends the content of a file.
pub fn get(agent: &Arc<Agent>, id: u64, path: &str) -> Answer {
    let mut file = File::open(path).map_err(|e| errno(&e))?;
    let mut buffer = vec![0; agent.line.chunk()];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Reply::Done),
            Ok(length) => agent.line.send(&ToHost::Output {
                id,
                stream: Stream::Stdout,
                bytes: buffer[..length].to_vec(),
            }),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(errno(&e)),
        }
    }
}
