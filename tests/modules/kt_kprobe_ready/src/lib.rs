// SPDX-License-Identifier: GPL-2.0-only

//! Puts all ready-made handlers on one function, and one that prints on another.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kprobe::{Count, Handler, Histogram, Probe, Regs, Samples},
    prelude::*,
    proc_fs::{Mode, Options, Show, ShowFile},
    seq_file::SeqFile,
    seq_print,
    sync::atomic::{Atomic, Relaxed},
};

module! {
    type: Module,
    name: "kt_kprobe_ready",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        prints: &'static CStr { default: c"", description: "The function to print about" },
        cycles: u32 { default: 0, description: "How many more probes come and go at first" },
    },
}

/// The function that seeks in /dev/null. The kernel calls it by its address, so it is a separate
/// function in every kernel, and only the tests call it.
const SYMBOL: &CStr = c"null_lseek";

struct Module {
    _file: Pin<KBox<ShowFile<Probes>>>,
    _prints: Option<Pin<KBox<Probe<Prints>>>>,
}

/// A handler that prints on the first calls.
struct Prints(Atomic<u32>);

impl Handler for Prints {
    fn pre_handler(&self, regs: &Regs) {
        let n = self.0.fetch_add(1, Relaxed);
        if n < 3 {
            pr_info!("call {n}, {:#x}\n", regs.argument(0));
        }
    }
}

struct Probes {
    count: Pin<KBox<Probe<Count>>>,
    offsets: Pin<KBox<Probe<Histogram>>>,
    samples: Pin<KBox<Probe<Samples<32>>>>,
}

/// Prints the samples. All output fits into the kernel's first buffer, because what is taken is not
/// there a second time.
impl Show for Probes {
    fn show(&self, m: &SeqFile) -> Result {
        let samples = self.samples.data();
        let dropped = samples.dropped();
        for _ in 0..32 {
            let Some(s) = samples.take() else { break };
            seq_print!(
                m,
                "sample {} {} {} {} {}\n",
                s.time,
                s.cpu,
                s.arguments[0],
                s.arguments[1],
                s.arguments[2]
            );
        }
        seq_print!(m, "dropped {dropped}\n");
        for (bucket, calls) in self.offsets.data().buckets().enumerate() {
            if calls > 0 {
                let start = Histogram::start(bucket);
                seq_print!(m, "bucket {start} {calls}\n");
            }
        }
        let (count, missed) = (self.count.data().get(), self.count.missed());
        seq_print!(m, "count {count} {missed}\n");
        Ok(())
    }
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        for _ in 0..*module_parameters::cycles.value() {
            KBox::pin_init(Probe::new(SYMBOL, Count::new()), GFP_KERNEL)?;
        }
        let probes = Probes {
            count: KBox::pin_init(Probe::new(SYMBOL, Count::new()), GFP_KERNEL)?,
            offsets: KBox::pin_init(Probe::new(SYMBOL, Histogram::of_argument(1)), GFP_KERNEL)?,
            samples: KBox::pin_init(Probe::new(SYMBOL, Samples::new()), GFP_KERNEL)?,
        };
        let options = Options::new(c"kt_kprobe_ready", Mode::new::<0o444>());
        let prints = match module_parameters::prints.value() {
            symbol if symbol.is_empty() => None,
            symbol => {
                let probe = Probe::new(symbol, Prints(Atomic::new(0)));
                Some(KBox::pin_init(probe, GFP_KERNEL)?)
            }
        };
        Ok(Module {
            _file: KBox::pin_init(ShowFile::new(options, probes), GFP_KERNEL)?,
            _prints: prints,
        })
    }
}
