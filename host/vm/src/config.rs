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
use koru_qemu::{
    Accel, AccelChoice, Coverage, Initramfs, Replayed, kernel_words, memory_file, tsc_khz,
};

use crate::Event;

/// What to boot, and how.
pub struct GuestConfig {
    pub(crate) kernel: PathBuf,
    pub(crate) cache: PathBuf,
    pub(crate) initramfs: Initramfs,
    /// The files that this one guest has in addition to the initramfs.
    pub files: Initramfs,
    /// Whether to resume from a snapshot of this kind of guest instead of booting. The first
    /// such guest creates the snapshot.
    pub resume: bool,
    /// The emulator, which is searched for in `PATH`.
    pub qemu: PathBuf,
    /// The memory in megabytes.
    pub memory_mb: u32,
    /// The number of processors.
    pub cpus: u32,
    /// Whether, under TCG, the processors take turns instead of running at once. Kernel code
    /// may then be rewritten while other processors run it, as a probe on a busy function
    /// does. Otherwise, QEMU before 8.1 may continue with what a processor read just before,
    /// and the kernel oopses at a breakpoint that it has long removed.
    pub in_turn: bool,
    /// The choice between KVM and TCG.
    pub accel: AccelChoice,
    /// Words that are added to the kernel's command line.
    pub cmdline: Vec<String>,
    /// The time limit from the start of QEMU until the agent answers.
    pub boot_limit: Duration,
    /// The socket for a debugger, which may stop the guest for any time.
    pub gdb: Option<PathBuf>,
    /// Where it is recorded what the guest's modules execute. It needs TCG.
    pub coverage: Option<Arc<Coverage>>,
    /// What makes the run of a guest that plays a script the same every time: see
    /// [`crate::Replay`].
    pub(crate) replay: Option<Replayed>,
    on_event: Option<OnEvent>,
}

type OnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

impl GuestConfig {
    /// Describes a guest with one processor and 256 MB. `kernel` is a `vmlinuz` or a
    /// `vmlinux`; `cache` is a folder for what is made only once. The initramfs must have the
    /// agent as `/init`.
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
            qemu: koru_qemu::PROGRAM.into(),
            memory_mb: 256,
            cpus: 1,
            in_turn: false,
            accel: AccelChoice::Auto,
            cmdline: Vec::new(),
            boot_limit: Duration::from_secs(60),
            gdb: None,
            coverage: None,
            replay: None,
            on_event: None,
        }
    }

    /// Sets another folder for what is made only once.
    pub fn set_cache(&mut self, cache: impl Into<PathBuf>) -> &mut Self {
        self.cache = cache.into();
        self
    }

    /// Reports progress to a function, which any thread may call.
    pub fn on_event(&mut self, tell: impl Fn(&Event) + Send + Sync + 'static) -> &mut Self {
        self.on_event = Some(Arc::new(tell));
        self
    }

    pub(crate) fn tell(&self, event: Event) {
        if let Some(on_event) = &self.on_event {
            on_event(&event);
        }
    }

    /// Writes the initramfs to a file in memory, with or without this guest's own files.
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

    /// Returns the command line to boot the kernel with, here and now.
    pub(crate) fn boot_cmdline(&self, accel: Accel, quiet: bool) -> String {
        let mut line = self.cmdline(accel, quiet);
        // Under `-icount` the guest has a counter of its own.
        if accel == Accel::Tcg && self.replay.is_none() {
            line.extend(tsc_khz().map(|khz| format!(" tsc_early_khz={khz}")));
        }
        line
    }

    /// Returns the command line without the measured TSC frequency, which differs at every
    /// measurement: with it, no two snapshot keys would be equal.
    pub(crate) fn cmdline(&self, accel: Accel, quiet: bool) -> String {
        let mut words = kernel_words(accel);
        words.extend([
            // A panic ends QEMU, after the kernel has written the whole log to the console
            "panic=-1",
            // (0x20), with the stack of every processor (0x40).
            "panic_print=0x60",
            "log_buf_len=1M",
            // QMP's inject-nmi relies on this.
            "unknown_nmi_panic",
            "cryptomgr.notests",
            // Four fifths of the time to load and unload a module are waits for grace periods.
            // Expedited ones take a few interrupts instead of a few ticks.
            "rcupdate.rcu_expedited=1",
            "rdinit=/init",
        ]);
        if quiet {
            words.extend(["quiet", "loglevel=4"]);
        }
        if accel == Accel::Tcg {
            // QEMU finds translated code by its address only: a program that is at another
            // address after each start would be translated at each start.
            words.push("norandmaps");
        }
        words.extend(self.cmdline.iter().map(String::as_str));
        let scripted = format!("{SCRIPTED}=1");
        if self.replay.is_some() {
            words.push(&scripted);
        }
        words.join(" ")
    }
}
