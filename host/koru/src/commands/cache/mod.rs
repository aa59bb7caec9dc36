// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru cache`: carries the cache to another machine, in one file.

mod crates;
mod export;
mod import;
mod layout;

use koru_error::Result;

use crate::{
    cli::CacheCommand,
    context::Context,
    ctrl_c::{INTERRUPTED, Interrupt},
};

pub fn cache(context: &Context, command: &CacheCommand) -> Result<u8> {
    let interrupt = Interrupt::new()?;
    let done = match command {
        CacheCommand::Export { file } => export::export(context, file, &interrupt),
        CacheCommand::Import { file } => import::import(context, file, &interrupt),
    };
    match done {
        // The error is only how the work ended; everything temporary is gone by now.
        Err(_) if interrupt.has_come() => Ok(INTERRUPTED),
        done => done.map(|()| 0),
    }
}
