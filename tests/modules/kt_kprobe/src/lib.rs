// SPDX-License-Identifier: GPL-2.0-only

//! Counts the calls of a function, and keeps the first arguments of the last call.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kprobe::{Handler, Probe, Regs},
    prelude::*,
    proc_fs::{Mode, Options, Show, ShowFile},
    seq_file::SeqFile,
    seq_print,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc,
    },
};

module! {
    type: Module,
    name: "kt_kprobe",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        symbol: &'static CStr { default: c"null_lseek", description: "The function" },
    },
}

struct Module {
    _file: Pin<KBox<ShowFile<Seen>>>,
}

struct Calls {
    count: Atomic<u64>,
    second: Atomic<usize>,
}

impl Handler for Calls {
    fn pre_handler(&self, regs: &Regs) {
        self.count.add(1, Relaxed);
        if regs.argument(6) == 0 {
            self.second.store(regs.argument(1), Relaxed);
        }
    }
}

#[derive(Clone)]
struct Seen(Arc<Probe<Calls>>);

impl Show for Seen {
    fn show(&self, m: &SeqFile) -> Result {
        let (probe, calls) = (&self.0, self.0.data());
        seq_print!(
            m,
            "{} {} {} {}\n",
            probe.symbol().to_str()?,
            calls.count.load(Relaxed),
            calls.second.load(Relaxed) as i64,
            probe.missed()
        );
        Ok(())
    }
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let calls = Calls {
            count: Atomic::new(0),
            second: Atomic::new(0),
        };
        let probe = Probe::new(module_parameters::symbol.value(), calls);
        let probe = Arc::pin_init(probe, GFP_KERNEL)?;
        let options = Options::new(c"kt_kprobe", Mode::new::<0o444>());
        let file = KBox::pin_init(ShowFile::new(options, Seen(probe)), GFP_KERNEL)?;
        Ok(Module { _file: file })
    }
}
