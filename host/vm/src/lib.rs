//! A stock kernel in a throw-away virtual machine.
//!
//! [`Guest::start`] boots it and owns it: the guest ends with the value, and
//! with the process. [`Session`] is how it is worked with. The same `Session`
//! comes out of [`connect`] to a guest that another process keeps with
//! [`Server`].
//!
//! ```no_run
//! use koru_vm::{Error, Exec, Guest, GuestConfig, Initramfs};
//! use std::path::Path;
//!
//! fn main() -> koru_vm::Result<()> {
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
//!         // Refused, oopsed, panicked or hung: all come here, with the log.
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

mod accel;
mod complaint;
mod config;
mod console;
mod error;
mod gdb;
mod guest;
mod initramfs;
mod kernel;
mod kvm_trial;
mod local;
mod monitor;
mod qemu;
mod qmp;
mod replay;
mod saved;
mod serve;
mod session;
mod shared;
mod ssh;
mod tsc;

pub use accel::{Accel, AccelChoice};
pub use complaint::{
    Complaint, ComplaintKind, complaint, first_complaint, overdue, still_registered,
    taint_complaint,
};
pub use config::{Event, GuestConfig};
pub use error::{Error, Result, errno_text};
pub use gdb::GdbStub;
pub use guest::Guest;
pub use initramfs::Initramfs;
pub use kernel::BootImage;
pub use koru_protocol::{
    Death, Exec, Exit, Inside, LogRecord, Look, ModuleRow, Ready, Stream, TtySize,
};
pub use local::local;
pub use replay::Replay;
pub use serve::{Server, connect};
pub use session::{
    LogStream, ModuleReport, Output, Playing, Process, ProcessEvent, Script, Session, StdinWriter,
};
pub use ssh::{AskPassword, Ssh};
