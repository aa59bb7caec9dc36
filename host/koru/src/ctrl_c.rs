// SPDX-License-Identifier: MIT OR Apache-2.0

//! Ctrl-C in commands that report their results so far.

use std::sync::{Arc, atomic::AtomicBool};

use koru_error::{IoContext, Result};
use signal_hook::{consts::SIGINT, flag};

/// The exit status of a command that Ctrl-C ended, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// Returns a flag that Ctrl-C sets, so that the results so far are reported. The second Ctrl-C
/// ends the program.
pub fn flag_of_ctrl_c() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(SIGINT, i32::from(INTERRUPTED), interrupted.clone())
        .and_then(|_| flag::register(SIGINT, interrupted.clone()))
        .context("waiting for Ctrl-C")?;
    Ok(interrupted)
}
