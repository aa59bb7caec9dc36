// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a stock kernel in a throw-away virtual machine.
//!
//! [`Guest::start`] boots the kernel and owns the guest, which ends with the value and with
//! the process. A [`Session`](koru_session::Session) calls the guest's agent. A [`Server`]
//! keeps a guest running for other processes, which [`connect`](koru_session::connect) to it.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use koru_protocol::Exec;
//! use koru_qemu::Initramfs;
//! use koru_vm::{Guest, GuestConfig};
//!
//! fn main() -> koru_session::Result<()> {
//!     let mut root = Initramfs::new();
//!     root.file("/init", "koru-agent")?
//!         .busybox(Path::new("/bin/busybox"))?
//!         .file("/lib/koru/hello.ko", "hello.ko")?;
//!     let mut config = GuestConfig::new("/boot/vmlinuz-6.12", "/var/cache/koru", root);
//!     config.on_event(|event| eprintln!("{event}"));
//!     let guest = Guest::start(config)?;
//!     let session = guest.session();
//!
//!     match session.load("/lib/koru/hello.ko", &["who=koru".into()]) {
//!         Ok(loaded) => loaded.records.iter().for_each(|r| println!("{}", r.text)),
//!         // A refusal, an oops, a panic, a hang: each has the log that explains it.
//!         Err(error) => {
//!             error.records().iter().for_each(|r| eprintln!("{}", r.text));
//!             return Err(error);
//!         }
//!     }
//!     let out = session.output(Exec::new(["cat", "/proc/version"]))?;
//!     println!("{} {}", out.exit.status(), String::from_utf8_lossy(&out.stdout));
//!     session.unload("hello")?;
//!     guest.power_off()
//! }
//! ```

mod config;
mod event;
mod guest;
mod launch;
mod monitor;
mod replay;
mod serve;
mod snapshot;
mod start;

pub use config::GuestConfig;
pub use event::Event;
pub use guest::Guest;
pub use replay::Replay;
pub use serve::Server;
