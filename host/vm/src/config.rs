// SPDX-License-Identifier: MIT OR Apache-2.0

//! The configuration of a guest, and the command line that its kernel is booted with.

use std::{
    fs::File,
    io::{BufWriter, Seek, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use koru_error::{IoContext, Result};
use koru_protocol::SCRIPTED;
use koru_qemu::{Accel, AccelChoice, Initramfs, memory_file, tsc_is_clock, tsc_khz};

use crate::Event;

/// What to boot, and how.
pub struct GuestConfig {
    pub(crate) kernel: PathBuf,
    pub(crate) cache: PathBuf,
    pub(crate) initramfs: Initramfs,
    /// What this one guest has besides the initramfs.
    pub files: Initramfs,
    /// Goes on from a saved machine of this kind instead of booting. The first
    /// one makes it.
    pub resume: bool,
    /// The emulator, found in `PATH`.
    pub qemu: PathBuf,
    /// Megabytes of memory.
    pub memory_mb: u32,
    /// Processors.
    pub cpus: u32,
    /// Under TCG its processors take turns, instead of running at once. Then kernel
    /// code may be rewritten while others run it, as a probe on a busy function
    /// does: QEMU before 8.1 may go on with what one of them read just before, and
    /// the kernel oopses at a breakpoint that it has long taken away.
    pub in_turn: bool,
    /// KVM or TCG.
    pub accel: AccelChoice,
    /// Added to the kernel's command line.
    pub cmdline: Vec<String>,
    /// Limit for the way from the start to the agent.
    pub boot_limit: Duration,
    /// A socket for a debugger, which may stop the guest for as long as it likes.
    pub gdb: Option<PathBuf>,
    /// For a guest that plays a script: see [`crate::Replay`].
    pub(crate) replay: Option<u64>,
    on_event: Option<OnEvent>,
}

type OnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

impl GuestConfig {
    /// A guest of one processor and 256 MB. `kernel` is a `vmlinuz` or
    /// `vmlinux`; `cache` a folder for what is made once. The initramfs must
    /// have the agent as `/init`.
    pub fn new(
        kernel: impl Into<PathBuf>,
        cache: impl Into<PathBuf>,
        initramfs: Initramfs,
    ) -> Self {
        GuestConfig {
            kernel: kernel.into(),
            cache: cache.into(),
            initramfs,
            files: Initramfs::new(),
            resume: false,
            qemu: "qemu-system-x86_64".into(),
            memory_mb: 256,
            cpus: 1,
            in_turn: false,
            accel: AccelChoice::Auto,
            cmdline: Vec::new(),
            boot_limit: Duration::from_secs(60),
            gdb: None,
            replay: None,
            on_event: None,
        }
    }

    /// Another folder for what is made once.
    pub fn set_cache(&mut self, cache: impl Into<PathBuf>) -> &mut Self {
        self.cache = cache.into();
        self
    }

    /// Has progress told to a function; any thread may call it.
    pub fn on_event(&mut self, tell: impl Fn(&Event) + Send + Sync + 'static) -> &mut Self {
        self.on_event = Some(Arc::new(tell));
        self
    }

    pub(crate) fn tell(&self, event: Event) {
        if let Some(on_event) = &self.on_event {
            on_event(&event);
        }
    }

    /// The initramfs as a file, with this guest's own files or without.
    pub(crate) fn initrd(&self, with_files: bool) -> Result<File> {
        let mut initrd = memory_file("initramfs")?;
        let mut out = BufWriter::with_capacity(1 << 20, &mut initrd);
        self.initramfs.write_to(&mut out)?;
        if with_files {
            // The kernel unpacks one archive after the other.
            self.files.write_to(&mut out)?;
        }
        out.flush().context("writing the initramfs")?;
        drop(out);
        initrd.rewind().context("reading the initramfs")?;
        Ok(initrd)
    }

    /// What the kernel is booted with, here and now.
    pub(crate) fn boot_cmdline(&self, accel: Accel, quiet: bool) -> String {
        let mut line = self.cmdline(accel, quiet);
        // Under `-icount` there is another counter.
        if accel == Accel::Tcg && self.replay.is_none() {
            line.extend(tsc_khz().map(|khz| format!(" tsc_early_khz={khz}")));
        }
        line
    }

    /// Returns the command line without the measured TSC frequency, which differs from
    /// time to time and would never give the same snapshot key.
    pub(crate) fn cmdline(&self, accel: Accel, quiet: bool) -> String {
        let mut words = vec![
            "console=ttyS0",
            // A panic ends QEMU, and writes the whole log to the console first.
            "panic=-1",
            // (0x20), with every processor's stack (0x40).
            "panic_print=0x60",
            "log_buf_len=1M",
            // What inject-nmi is for.
            "unknown_nmi_panic",
            "cryptomgr.notests",
            // Loading and unloading a module is, for four fifths, waiting for grace
            // periods; these come after a few interrupts, not after some ticks.
            "rcupdate.rcu_expedited=1",
            "rdinit=/init",
        ];
        if quiet {
            words.extend(["quiet", "loglevel=4"]);
        }
        if accel == Accel::Tcg {
            // On a busy host the emulated timer may miss the short test of it, and
            // the kernel would panic: it is there, so the test is left out.
            words.extend(["noreplace-smp", "no_timer_check"]);
            // Translated code is found again by its address only: a program that comes
            // to lie elsewhere with each start is translated with each start.
            words.push("norandmaps");
            // All its processors count by the host's one counter. The kernel would
            // believe that only of another maker's, and ask the HPET, a device.
            if tsc_is_clock() {
                words.push("tsc=reliable");
            }
        }
        words.extend(self.cmdline.iter().map(String::as_str));
        let scripted = format!("{SCRIPTED}=1");
        if self.replay.is_some() {
            words.push(&scripted);
        }
        words.join(" ")
    }
}
