// SPDX-License-Identifier: GPL-2.0-only

//! Files in /proc.
//!
//! There are two kinds. A [`ShowFile`] prints its content, and the kernel's `seq_file` handles
//! reads of any size. A [`ProcFile`] implements `open`, `read`, `write` and `lseek` itself, and has
//! data of its own for each open file.
//!
//! The file exists as long as its value. It appears only after its data is ready, and its data is
//! dropped only after the file is gone.
//!
//! C header: `include/linux/proc_fs.h`
//!
//! Reference: <https://docs.kernel.org/filesystems/proc.html>
//!
//! # Dropping
//!
//! Dropping a file removes it: this waits, uninterruptibly, for the running calls of the file, and
//! closes what is still open. A process that keeps the file open over that, as over the unloading
//! of the module, gets `EIO` for all that it does with it from then on.
//!
//! Making and dropping a file may sleep. Any process may do it, also one that is about to exit, and
//! any kernel thread; a call of another file may do it as well.
//!
//! - A call that blocks, such as a `read` that waits for data, delays the removal, and with it
//!   `rmmod`, which nobody can kill then. So files with such calls implement
//!   [`Operations::removing`] or [`Show::removing`], which the removal calls first, and end the
//!   waiting calls there.
//! - A call of the file must not drop the file itself, because it would wait for its own end. The
//!   process then hangs for ever and cannot be killed, and the module cannot be unloaded.
//! - A file that is never dropped - leaked by [`mem::forget`](core::mem::forget), kept in a static,
//!   or in an [`Arc`](crate::sync::Arc) cycle because its data holds what holds it - stays, and so
//!   does the module; see [`kernel::module`](crate::module).
//!
//! A removal that has waited for ten seconds is reported in the kernel's log, with the name of the
//! file.
//!
//! Kernels before 6.1.132 (of 6.1) and 6.12.20 (of 6.12) have a bug of their own here,
//! CVE-2025-21999: a process that looks up a file while it is removed can make procfs read freed
//! memory, as with the files of a C module. No module can prevent that.
//!
//! # Examples
//!
//! ```
//! use kernel::{prelude::*, proc_fs::{Mode, Options, Show, ShowFile}, seq_file::SeqFile, seq_print};
//!
//! struct Ticks;
//!
//! impl Show for Ticks {
//!     fn show(&self, m: &SeqFile) -> Result {
//!         seq_print!(m, "{}\n", kernel::time::jiffies());
//!         Ok(())
//!     }
//! }
//!
//! fn publish() -> Result<Pin<KBox<ShowFile<Ticks>>>> {
//!     let options = Options::new(c"ticks", Mode::new::<0o444>());
//!     KBox::pin_init(ShowFile::new(options, Ticks), GFP_KERNEL)
//! }
//! ```

mod entry;
mod file;
mod show;
mod snapshot;

pub use entry::Options;
pub use file::{Operations, ProcFile};
pub use show::{Show, ShowFile};
pub use snapshot::Snapshot;

#[doc(no_inline)]
pub use crate::fs::{Mode, Whence};
