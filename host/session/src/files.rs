// SPDX-License-Identifier: MIT OR Apache-2.0

//! Copies files to and from the target.

use std::time::Duration;

use koru_error::Kind;
use koru_protocol::{Call, ToGuest, ToHost};

use crate::{
    Result, Session,
    calls::{REPLY_LIMIT, refused, unexpected},
};

/// The longest content or output that is collected in memory. An agent may never end it.
const MAX_COLLECTED: usize = 256 << 20;

/// Appends a part of what an agent sends.
///
/// # Errors
///
/// It is more than anything that is meant to be collected.
pub(crate) fn collect(content: &mut Vec<u8>, part: &[u8], what: &str) -> Result<()> {
    if content.len() + part.len() > MAX_COLLECTED {
        let message = format!("it is longer than {} MB", MAX_COLLECTED >> 20);
        return Err(koru_error::Error::new(Kind::System, what, message).into());
    }
    content.extend_from_slice(part);
    Ok(())
}

impl Session {
    /// Writes a file on the target, either completely or not at all.
    pub fn put_file(&self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        let what = format!("write {path} {}", self.location_phrase());
        let (id, answers) = self.start_call_with_channel(Call::PutFile {
            path: path.into(),
            mode,
        })?;
        for chunk in content.chunks(self.chunk()) {
            self.send(&ToGuest::Data {
                id,
                bytes: chunk.into(),
            })?;
        }
        self.send(&ToGuest::Eof { id })?;
        // The line may be slow, and the data written above may still be waiting in the socket.
        let limit = REPLY_LIMIT + Duration::from_secs(content.len() as u64 / 10_000);
        match self.next(&answers, &what, limit)? {
            ToHost::Reply { reply: Ok(_), .. } => Ok(()),
            ToHost::Reply {
                reply: Err(errno), ..
            } => Err(refused(&what, errno)),
            _ => Err(unexpected(&what)),
        }
    }

    /// Reads a file on the target.
    pub fn get_file(&self, path: &str) -> Result<Vec<u8>> {
        let what = format!("read {path} {}", self.location_phrase());
        let call = Call::GetFile { path: path.into() };
        let (_, answers) = self.start_call_with_channel(call)?;
        let mut content = Vec::new();
        loop {
            match self.next(&answers, &what, REPLY_LIMIT)? {
                ToHost::Output { bytes, .. } => collect(&mut content, &bytes, &what)?,
                ToHost::Reply { reply: Ok(_), .. } => return Ok(content),
                ToHost::Reply {
                    reply: Err(errno), ..
                } => return Err(refused(&what, errno)),
                _ => {}
            }
        }
    }
}
