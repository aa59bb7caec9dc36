// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/call_count`: a counting kprobe.

#![no_std]
#![forbid(unsafe_code)]

use kernel::kprobe::{Handler, Probe, Regs};
use kernel::prelude::*;
use kernel::proc_fs::{self, ShowFile};
use kernel::seq_file::SeqFile;
use kernel::seq_print;
use kernel::str::BStr;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::InPlaceModule;

module! {
    type: CallCount,
    name: "call_count",
    author: "The Koru authors",
    description: "/proc/call_count",
    license: "GPL",
    params: {
        symbol: &'static CStr { default: c"__x64_sys_sync", description: "The function" },
    },
}

/// The module's value is its file, which exists while the module is loaded.
///
/// The probe is the file's data, so it is removed once nobody can read it any more.
#[pin_data]
struct CallCount {
    #[pin]
    file: ShowFile<Counted>,
}

impl InPlaceModule for CallCount {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"call_count", proc_fs::Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ShowFile::new(options, Counted::new(module_parameters::symbol.value())?),
        })
    }
}

/// The data of the file.
///
/// The kernel keeps a pointer to the probe, so that is in a box.
struct Counted {
    probe: Pin<KBox<Probe<Hits>>>,
}

impl Counted {
    fn new(symbol: &CStr) -> Result<Self> {
        let probe = Probe::new(symbol, Hits(Atomic::new(0)));
        match KBox::pin_init(probe, GFP_KERNEL) {
            Ok(probe) => Ok(Counted { probe }),
            Err(error) => {
                let symbol = BStr::from_bytes(symbol.to_bytes());
                pr_err!("cannot probe `{symbol}`: {error:?}\n");
                Err(error)
            }
        }
    }
}

/// The handler, which adds one.
///
/// It runs inside of the function's callers, on any CPU, where nothing may sleep or take a lock. An
/// atomic addition is all that it does.
struct Hits(Atomic<u64>);

impl Handler for Hits {
    fn pre_handler(&self, _regs: &Regs) {
        self.0.add(1, Relaxed);
    }
}

impl proc_fs::Show for Counted {
    fn show(&self, m: &SeqFile) -> Result {
        let symbol = BStr::from_bytes(self.probe.symbol().to_bytes());
        // The kernel counts the calls about which it could not tell the handler.
        let missed = self.probe.missed() as u64;
        let hits = self.probe.data().0.load(Relaxed) + missed;
        seq_print!(m, "{symbol}: {hits}\n");
        Ok(())
    }
}
