// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds what a module leaves behind when it is unloaded.
//!
//! Others register things as well, above all on a machine of the user's own. What is named here
//! cannot be theirs: it is new since before the load, and of a kind that only the kernel makes.

use std::{thread, time::Duration};

use koru_protocol::{Call, FORMER_SECTIONS, Inventory, ModuleSections, Reply};

use crate::{Result, Session, calls::unexpected};

/// What is there that was not there before a module was loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// What the module did not unregister: paths, and descriptions of what has none.
    pub entries: Vec<String>,
    /// Files that a command made in /dev because there is no device of this name.
    pub plain_files: Vec<String>,
}

impl LeftBehind {
    /// Returns what the module did not unregister as a sentence, or `None` if that is nothing.
    pub fn sentence(&self) -> Option<String> {
        /// The largest number of things that a sentence names.
        const NAMED: usize = 8;
        if self.entries.is_empty() {
            return None;
        }
        let mut named = self.entries[..self.entries.len().min(NAMED)].join(", ");
        let more = self.entries.len().saturating_sub(NAMED);
        if more > 0 {
            named += &format!(" and {more} more");
        }
        Some(format!("left behind after unload: {named}"))
    }
}

impl Session {
    /// Returns what the kernel has now that a module could have registered.
    pub fn inventory(&self) -> Result<Inventory> {
        match self.ask("take an inventory", Call::Inventory)? {
            Reply::Inventory(inventory) => Ok(inventory),
            _ => Err(unexpected("take an inventory")),
        }
    }

    /// Returns what is there after an unload that was not there `before` the load. With the
    /// inventory while the module was `loaded`, only what was there then as well counts: on a
    /// machine that others use, they may have made the rest.
    pub fn left_behind(
        &self,
        before: &Inventory,
        loaded: Option<&Inventory>,
    ) -> Result<LeftBehind> {
        /// A device node or a thread that is being removed may be seen once more.
        const TRIES: u32 = 6;
        const PAUSE: Duration = Duration::from_millis(50);
        for tries in 1.. {
            let difference = Difference::new(before, loaded, &self.inventory()?);
            let names = difference.threads.iter().filter_map(|pid| {
                let name = self.get_file(&format!("/proc/{pid}/comm")).ok()?;
                thread_in_words(String::from_utf8_lossy(&name).trim_end())
            });
            let mut entries = difference.entries;
            entries.extend(names);
            let plain_files = difference.plain_files;
            // The agent has waited for memory already.
            let is_memory = |entry: &String| entry.contains(" allocated by ");
            if entries.iter().all(is_memory) || tries == TRIES {
                // Its owner is named by an address.
                if entries.iter().any(is_memory) {
                    self.learn_former_sections();
                }
                return Ok(LeftBehind {
                    entries,
                    plain_files,
                });
            }
            thread::sleep(PAUSE);
        }
        unreachable!("the last try returns")
    }
}

impl Session {
    /// Learns where modules were that somebody else than this session has loaded, in a guest that
    /// checks the allocated memory.
    pub fn learn_former_sections(&self) {
        let text = self.get_file(FORMER_SECTIONS).unwrap_or_default();
        let known = &mut self.state().sections;
        for line in String::from_utf8_lossy(&text).lines() {
            let mut words = line.split(' ');
            let (Some(name), Some(section), Some(address)) =
                (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let digits = address.trim_start_matches("0x");
            let Ok(address) = u64::from_str_radix(digits, 16) else {
                continue;
            };
            let entry = (section.to_owned(), address);
            // The sections of one module come one after the other, with different names.
            let same = known.last_mut().filter(|last| {
                last.name == name && last.sections.iter().all(|(other, _)| *other != entry.0)
            });
            match same {
                Some(module) => module.sections.push(entry),
                None => known.push(ModuleSections {
                    name: name.to_owned(),
                    sections: vec![entry],
                }),
            }
        }
    }
}

/// The difference between two inventories.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    entries: Vec<String>,
    plain_files: Vec<String>,
    threads: Vec<u32>,
}

impl Difference {
    fn new(before: &Inventory, loaded: Option<&Inventory>, after: &Inventory) -> Difference {
        let has = |list: &[String], item: &String| list.binary_search(item).is_ok();
        let is_new = |item: &&String| {
            !has(&before.entries, item) && loaded.is_none_or(|l| has(&l.entries, item))
        };
        let was_loaded = |name: &String| before.users.iter().any(|(n, _)| n == name);
        // What another module has that is still loaded is not left behind.
        if after.users.iter().any(|(name, _)| !was_loaded(name)) {
            return Difference::default();
        }
        let new: Vec<&String> = after.entries.iter().filter(is_new).collect();
        let entries = new.iter().filter(|path| {
            let inside_new = new.iter().any(|other| {
                let rest = path.strip_prefix(other.as_str());
                rest.is_some_and(|rest| rest.starts_with('/'))
            });
            !inside_new && (!path.starts_with("/dev/") || is_device(path, &new))
        });
        let mut entries: Vec<String> = entries.map(|path| (*path).clone()).collect();
        // Users of a module come and go on a machine that others use.
        if loaded.is_none() {
            entries.extend(before.users.iter().filter_map(|(name, users)| {
                let now = after.users.iter().find(|(n, _)| n == name)?.1;
                let more = now.checked_sub(*users).filter(|more| *more > 0)?;
                let times = if more == 1 { "once" } else { "several times" };
                Some(format!("the module {name} is used {times} more"))
            }));
        }
        let plain_files = after.plain_files.iter();
        let plain_files = plain_files.filter(|path| !before.plain_files.contains(path));
        let threads = after.kernel_threads.iter().filter(|pid| {
            !before.kernel_threads.contains(pid)
                && loaded.is_none_or(|l| l.kernel_threads.contains(pid))
        });
        Difference {
            entries,
            plain_files: plain_files.cloned().collect(),
            threads: threads.copied().collect(),
        }
    }
}

/// Returns whether an entry of /dev is a device that is registered, which has a folder in a
/// class. Anybody can make device nodes with mknod.
fn is_device(path: &str, new: &[&String]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_of_class = |other: &&&String| {
        let class = other.strip_prefix("/sys/class/");
        let device = class.and_then(|rest| rest.rsplit(['/', '!']).next());
        device == Some(name)
    };
    new.iter().any(|other| is_of_class(&other))
}

/// Describes a kernel thread. Returns `None` for those that the kernel starts by itself.
fn thread_in_words(name: &str) -> Option<String> {
    if let Some(queue) = name.strip_prefix("kworker/R-") {
        return Some(format!("workqueue {queue}"));
    }
    let kernel = [
        "kworker/",
        "pool_workqueue_",
        "migration/",
        "cpuhp/",
        "ksoftirqd/",
        "idle_inject/",
    ];
    let kernel = kernel
        .iter()
        .chain(&["rcu", "irq/", "kauditd", "psimon", "khugepaged", "ksmd"]);
    let mut kernel = kernel;
    (!name.is_empty() && !kernel.any(|begin| name.starts_with(begin)))
        .then(|| format!("kernel thread {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(entries: &[&str]) -> Inventory {
        let mut entries: Vec<String> = entries.iter().map(|e| (*e).to_owned()).collect();
        entries.sort();
        Inventory {
            entries,
            ..Inventory::default()
        }
    }

    fn entries(before: &[&str], after: &[&str]) -> Vec<String> {
        Difference::new(&inventory(before), None, &inventory(after)).entries
    }

    #[test]
    fn topmost_new_entries_are_named() {
        let after = [
            "/proc/a",
            "/proc/a/b",
            "/proc/ab",
            "/proc/old/c",
            "/proc/old",
        ];
        assert_eq!(
            entries(&["/proc/old", "/proc/gone"], &after),
            ["/proc/a", "/proc/ab", "/proc/old/c"]
        );
        assert_eq!(entries(&after, &after), [""; 0]);
    }

    #[test]
    fn nodes_that_users_make_are_none_of_a_module() {
        assert_eq!(entries(&[], &["/dev/mine"]), [""; 0]);
        let registered = ["/dev/d/x", "/dev/mine", "/sys/class/misc/d!x"];
        assert_eq!(
            entries(&[], &registered),
            ["/dev/d/x", "/sys/class/misc/d!x"]
        );
    }

    #[test]
    fn what_others_make_meanwhile_does_not_count() {
        let (before, loaded) = (inventory(&[]), inventory(&["/proc/mine"]));
        let mut after = inventory(&["/proc/mine", "/proc/theirs"]);
        after.kernel_threads = vec![7];
        let difference = Difference::new(&before, Some(&loaded), &after);
        assert_eq!(difference.entries, ["/proc/mine"]);
        assert_eq!(difference.threads, [0; 0]);
        // A module that a command loaded is still there, with what it has registered.
        after.users = vec![("theirs".into(), 0)];
        assert_eq!(
            Difference::new(&before, None, &after),
            Difference::default()
        );
    }

    #[test]
    fn uses_and_threads_are_left_as_well() {
        let with = |users: u64, threads: &[u32]| Inventory {
            users: vec![("other".into(), users)],
            kernel_threads: threads.to_vec(),
            ..Inventory::default()
        };
        let difference = Difference::new(&with(1, &[3]), None, &with(2, &[3, 9]));
        assert_eq!(difference.entries, ["the module other is used once more"]);
        assert_eq!(difference.threads, [9]);
        let fewer = Difference::new(&with(2, &[3]), None, &with(1, &[]));
        assert_eq!(fewer, Difference::default());
    }

    #[test]
    fn threads_of_the_kernel_are_not_the_modules() {
        for name in ["kworker/0:1-events", "kworker/u4:2", "migration/1", ""] {
            assert_eq!(thread_in_words(name), None, "{name}");
        }
        let words = thread_in_words("my_thread");
        assert_eq!(words.as_deref(), Some("kernel thread my_thread"));
        let words = thread_in_words("kworker/R-lab");
        assert_eq!(words.as_deref(), Some("workqueue lab"));
    }

    #[test]
    fn long_lists_are_cut() {
        let entries = |n: u32| LeftBehind {
            entries: (0..n).map(|i| format!("/proc/{i}")).collect(),
            ..LeftBehind::default()
        };
        assert_eq!(entries(0).sentence(), None);
        let two = entries(2).sentence();
        assert_eq!(
            two.as_deref(),
            Some("left behind after unload: /proc/0, /proc/1")
        );
        let many = entries(20).sentence().unwrap();
        assert!(many.ends_with("/proc/7 and 12 more"), "{many}");
    }
}
