// SPDX-License-Identifier: GPL-2.0-only

//! Names of a parameter in a kernel list.

#![no_std]
#![forbid(unsafe_code)]

use kernel::list::{List, ListArc, ListLinks};
use kernel::prelude::*;
use kernel::proc_fs::{self, ShowFile};
use kernel::seq_file::SeqFile;
use kernel::str::BStr;
use kernel::{impl_list_arc_safe, impl_list_item, seq_print, InPlaceModule};

module! {
    type: NameList,
    name: "name_list",
    author: "The Koru authors",
    description: "A list of names",
    license: "GPL",
    params: {
        names: &'static CStr { default: c"", perm: 0o444, description: "The names, with commas between" },
        backwards: u8 { default: 0, perm: 0o444, description: "Whether the last name is the first" },
    },
}

const MOST_NAMES: usize = 10;
const LONGEST: usize = 15;

#[pin_data]
struct NameList {
    #[pin]
    file: ShowFile<Names>,
}

impl InPlaceModule for NameList {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"names", proc_fs::Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ShowFile::new(options, Names::new()?),
        })
    }
}

#[pin_data]
struct Entry {
    /// A part of the parameter, which stays as long as the module does.
    name: &'static [u8],
    #[pin]
    links: ListLinks,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Entry { untracked; }
}

impl_list_item! {
    impl ListItem<0> for Entry { using ListLinks { self.links }; }
}

struct Names {
    entries: List<Entry>,
    /// Whether the module was loaded with these names, and so says goodbye to them.
    are_good: bool,
}

impl Names {
    fn new() -> Result<Self> {
        let mut names = Names {
            entries: List::new(),
            are_good: false,
        };
        let all = module_parameters::names.value().to_bytes();
        if !all.is_empty() {
            for (at, name) in all.split(|byte| *byte == b',').enumerate() {
                if name.is_empty() || name.len() > LONGEST || at >= MOST_NAMES {
                    return Err(EINVAL);
                }
                names.add(name)?;
            }
        }
        names.are_good = true;
        Ok(names)
    }

    fn add(&mut self, name: &'static [u8]) -> Result {
        let entry = pin_init!(Entry { name, links <- ListLinks::new() });
        let entry = ListArc::pin_init(entry, GFP_KERNEL)?;
        match *module_parameters::backwards.value() {
            0 => self.entries.push_back(entry),
            _ => self.entries.push_front(entry),
        }
        Ok(())
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for entry in self.entries.iter().filter(|_| self.are_good) {
            pr_info!("goodbye, {}\n", BStr::from_bytes(entry.name));
        }
    }
}

impl proc_fs::Show for Names {
    fn show(&self, m: &SeqFile) -> Result {
        for entry in self.entries.iter() {
            seq_print!(m, "{}\n", BStr::from_bytes(entry.name));
        }
        Ok(())
    }
}
