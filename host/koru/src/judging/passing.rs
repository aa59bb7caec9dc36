// SPDX-License-Identifier: MIT OR Apache-2.0

//! Passes an open file from a process of the guest to another one.

use koru_judge::{Broken, Step};
use koru_session::Result;

use super::{guest_process::nonce, player::Player};

/// The thread that receives: others of the process may be in a call that blocks.
const THREAD: &str = "pass";

impl Player<'_> {
    /// Passes an open file to the process `to`, which calls it `new`.
    pub(super) fn pass(
        &mut self,
        step: &Step,
        file: &str,
        to: &str,
        new: &str,
    ) -> Result<Result<(), Broken>> {
        // Nobody can guess the name of the socket.
        let socket = format!("pass-{}", nonce());
        let (root, child) = self.path(to);
        let receive = format!("receive {new} {socket}");
        let sent = self.process(&root)?.send(&child, THREAD, &receive);
        if let Err(broken) = self.call(step, &format!("pass {file} {socket}"))? {
            return Ok(Err(broken));
        }
        let answer = self.answered(step, &root, &sent)?;
        Ok(answer.and_then(|raw| match raw.result {
            Ok(_) => Ok(()),
            Err(errno) => Err(Broken {
                promised: format!("the process {to} receives the open file"),
                seen: koru_judge::error_words(errno),
            }),
        }))
    }
}
