// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks the memory that the kernel has allocated, in a guest whose kernel was booted with
//! `slub_debug`.
//!
//! The slab allocator finds what was written behind an object when the object is freed, and what
//! was written to a freed one when it is allocated again; it looks at all of them when it is told
//! to validate a cache. It also knows who allocated each object. The kernel has no name for a
//! function of a module that is gone, so an allocation by an address without a name is a leak.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use koru_protocol::FORMER_SECTIONS;

use crate::loaded::{loaded, sections_of};

/// The role of a process that writes down where the modules are before one is unloaded:
/// `remember-modules`.
pub const REMEMBER: &str = "remember-modules";

/// The caches' files, one folder for each cache.
const CACHES: &str = "/sys/kernel/slab";

/// Stands for KFENCE's objects, which are not counted in their caches.
const KFENCE: &str = "kfence";

/// The beginnings of functions that allocate for their callers.
const ALLOCATORS: [&str; 14] = [
    "kasprintf",
    "kcalloc",
    "kfence",
    "kmalloc",
    "kmem_cache_alloc",
    "kmemdup",
    "krealloc",
    "kstrdup",
    "kstrndup",
    "kvasprintf",
    "kvmalloc",
    "memdup_user",
    "slab_",
    "strndup_user",
];

/// Returns whether the kernel was booted with the slab allocator's checks.
fn is_on() -> bool {
    let words = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    words
        .split_whitespace()
        .any(|w| w.starts_with("slub_debug="))
}

/// Writes down where the modules are, which nobody can ask for after the unload.
pub fn remember_here() -> ExitCode {
    if is_on() {
        remember_modules();
    }
    ExitCode::SUCCESS
}

/// Does what is due before a module is unloaded: the kernel can still name what it finds.
pub fn before_unload() {
    if is_on() {
        remember_modules();
        validate();
    }
}

/// Makes the kernel look at each object that `kmalloc` can give. It logs what it finds.
pub fn after_unload() {
    if is_on() {
        validate();
    }
}

fn validate() {
    // Modules that have caches of their own destroy them, and the kernel checks them then.
    for cache in general_caches() {
        let _ = fs::write(cache.join("validate"), "1");
    }
}

/// Returns the folders of the caches from which `kmalloc` takes memory.
fn general_caches() -> impl Iterator<Item = PathBuf> {
    let caches = fs::read_dir(CACHES).into_iter().flatten().flatten();
    let general = caches.filter(|cache| cache.file_name().to_str().is_some_and(is_general));
    general.map(|cache| cache.path())
}

fn remember_modules() {
    let file = File::options()
        .append(true)
        .create(true)
        .open(FORMER_SECTIONS);
    let Ok(mut file) = file else {
        return;
    };
    for module in loaded().unwrap_or_default() {
        for (section, address) in sections_of(&module.name).unwrap_or_default() {
            let _ = writeln!(file, "{} {section} {address:#x}", module.name);
        }
    }
}

/// Whether the next look for leaks reads the lists of all caches.
static ALL: AtomicBool = AtomicBool::new(false);

/// The number of objects in each cache when the last look was taken.
static COUNTS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// Has the next look for leaks read the lists of all caches. It takes ten times as long as the
/// rest of an inventory, so otherwise only the lists of caches are read that have grown.
pub fn look_at_all() {
    ALL.store(true, Ordering::Relaxed);
}

/// Returns what modules that are gone have allocated and not freed, one description for each
/// place that allocated.
pub fn leaks() -> Vec<String> {
    if !is_on() {
        return Vec::new();
    }
    validate();
    let all = ALL.swap(false, Ordering::Relaxed);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mut now = counts(&read("/proc/slabinfo"));
    let of_kfence = live_in_kfence(&read("/sys/kernel/debug/kfence/stats"));
    now.insert(KFENCE.to_owned(), of_kfence.unwrap_or(0));
    let mut before = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let has_grown = |cache: &str| now.get(cache) > before.get(cache);
    // Before the first unload there is nothing to find.
    let found = match Path::new(FORMER_SECTIONS).exists() {
        true => leaks_in(&|cache| all || has_grown(cache)),
        false => Vec::new(),
    };
    if found.is_empty() {
        *before = now;
        return found;
    }
    // Memory that was given to `kfree_rcu` is freed within seconds, or at once if the kernel is
    // asked for memory. The first of these numbers keeps the second one out of the log.
    for what in ["4", "2"] {
        let _ = fs::write("/proc/sys/vm/drop_caches", what);
    }
    // KASAN keeps what was freed for some time, and lets go of it if a cache is shrunk.
    for cache in general_caches() {
        let _ = fs::write(cache.join("shrink"), "1");
    }
    // Whoever is told of a leak looks once more.
    look_at_all();
    leaks_in(&|_| true)
}

/// Reads how many objects the caches of `kmalloc` have, in lines `CACHE COUNT ..`.
fn counts(slabinfo: &str) -> BTreeMap<String, u64> {
    let count = |line: &str| {
        let mut words = line.split_whitespace();
        let cache = words.next().filter(|name| is_general(name))?;
        Some((cache.to_owned(), words.next()?.parse().ok()?))
    };
    slabinfo.lines().filter_map(count).collect()
}

/// Reads how many objects KFENCE has given.
fn live_in_kfence(stats: &str) -> Option<u64> {
    let mut values = stats
        .lines()
        .filter_map(|line| line.strip_prefix("currently allocated:"));
    values.next()?.trim().parse().ok()
}

/// Returns whether `kmalloc` takes memory from this cache.
fn is_general(cache: &str) -> bool {
    cache.starts_with("kmalloc-") || cache.starts_with("dma-kmalloc-")
}

/// Finds leaks among the objects of the caches that `wanted` selects, and among larger areas.
fn leaks_in(wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for cache in general_caches() {
        let name = cache.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| wanted(name)) else {
            continue;
        };
        let traces = format!("/sys/kernel/debug/slab/{name}/alloc_traces");
        // Kernels before 5.14 have a file without stacks.
        let text =
            fs::read_to_string(traces).or_else(|_| fs::read_to_string(cache.join("alloc_calls")));
        found.extend(in_traces(name, &text.unwrap_or_default()));
    }
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    if wanted(KFENCE) {
        found.extend(in_kfence(&read("/sys/kernel/debug/kfence/objects")));
    }
    found.extend(in_vmalloc(&read("/proc/vmallocinfo")));
    found.sort_unstable();
    found.dedup();
    found
}

/// Finds leaks in a cache's list: a line `COUNT CALLER age=..`, and the lines of its stack.
fn in_traces(cache: &str, text: &str) -> Vec<String> {
    let entries = text.split("\n\n");
    // Without stacks, each line is an entry.
    let entries = entries.flat_map(|entry| match entry.contains("\n        ") {
        true => vec![entry],
        false => entry.lines().collect(),
    });
    let leak = |entry: &str| {
        let mut words = entry.split_whitespace();
        let count: u64 = words.next()?.parse().ok()?;
        let stack = entry.lines().skip(1).map(str::trim);
        let by = caller(words.next().into_iter().chain(stack))?;
        Some(objects(count, cache, by))
    };
    entries.filter_map(leak).collect()
}

/// Finds leaks among KFENCE's objects, which are not in their caches.
fn in_kfence(text: &str) -> Vec<String> {
    let is_live =
        |entry: &&str| entry.contains("\nallocated by ") && !entry.contains("\nfreed by ");
    let mut counts = BTreeMap::new();
    let entries = text.split("---------------------------------");
    for entry in entries.filter(is_live) {
        if let Some(leak) = leak_in_kfence(entry) {
            *counts.entry(leak).or_default() += 1;
        }
    }
    let leaks = counts.into_iter();
    leaks
        .map(|((cache, by), n)| objects(n, cache, by))
        .collect()
}

/// Reads the cache and the caller of an object of KFENCE's that a module has leaked.
fn leak_in_kfence(entry: &str) -> Option<(&str, &str)> {
    let (_, cache) = entry.split_once(", cache=")?;
    let cache = cache.split_whitespace().next().filter(|c| is_general(c))?;
    let (_, stack) = entry.split_once("\nallocated by ")?;
    Some((cache, caller(stack.lines().skip(1).map(str::trim))?))
}

/// Finds leaks among the areas of `vmalloc`: `FROM-TO SIZE CALLER pages=..`.
fn in_vmalloc(text: &str) -> Vec<String> {
    let leak = |line: &str| {
        let mut words = line.split_whitespace().skip(2);
        let by = caller(words.next().into_iter())?;
        // Areas without pages are mappings of other memory.
        let pages = words.find_map(|word| word.strip_prefix("pages="))?;
        Some(format!("{pages} pages of vmalloc, allocated by {by}"))
    };
    text.lines().filter_map(leak).collect()
}

fn objects(count: u64, cache: &str, by: &str) -> String {
    match count {
        1 => format!("an object of {cache}, allocated by {by}"),
        _ => format!("{count} objects of {cache}, allocated by {by}"),
    }
}

/// Returns the function that had the first of these functions allocate for it, if it has no name.
fn caller<'a>(frames: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allocates = |frame: &&str| {
        let name = frame.trim_start_matches('_');
        ALLOCATORS.iter().any(|begin| name.starts_with(begin))
    };
    let mut frames = frames.skip_while(allocates);
    frames
        .next()
        .filter(|frame| frame.starts_with("0xffffffff"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_of_modules_that_are_gone() {
        let text = "      3 0xffffffffc0249087 age=12 pid=77 cpus=0\n        \
                    __kmalloc_cache_noprof+0x1/0x2\n        0xffffffffc0249087\n        \
                    do_one_initcall+0x58/0x300\n\n      1 kstrdup+0x3b/0x70 age=1 pid=77\n        \
                    __kmalloc_node_track_caller_noprof+0x1/0x2\n        kstrdup+0x3b/0x70\n        \
                    0xffffffffc0249090\n\n     10 kernfs_x+0x1/0x2 age=1 pid=1\n        \
                    kernfs_x+0x1/0x2\n        0xffffffffc0249099\n\n";
        let first = "3 objects of kmalloc-64, allocated by 0xffffffffc0249087";
        let second = "an object of kmalloc-64, allocated by 0xffffffffc0249090";
        assert_eq!(in_traces("kmalloc-64", text), [first, second]);
        let without = "      3 0xffffffffc0249087 age=1 pid=7\n     4 a+0x1/0x2 age=1 pid=1\n";
        assert_eq!(in_traces("kmalloc-64", without), [first]);
    }

    #[test]
    fn caches_and_their_objects() {
        let text = "slabinfo - version: 2.1\n# name <active_objs>\nkmalloc-64 1892 1904 256 : x\n\
                    dentry 20 21 192\n";
        let counts = counts(text);
        assert_eq!(counts.get("kmalloc-64"), Some(&1892));
        assert_eq!(counts.len(), 1);
        let stats = "enabled: 1\ncurrently allocated: 12\ntotal allocations: 90\n";
        assert_eq!(live_in_kfence(stats), Some(12));
    }

    #[test]
    fn objects_of_kfence() {
        let line = "---------------------------------\n";
        let live = "kfence-#1: 0xff-0xff, size=32, cache=kmalloc-32\n\nallocated by task 7 on cpu 0 \
                    at 1.0s (0.1s ago):\n kmalloc_trace+0x1/0x2\n 0xffffffffc0249087\n";
        let freed = format!("{live}\nfreed by task 7 on cpu 0 at 1.0s (0.1s ago):\n x+0x1/0x2\n");
        let text = format!("{freed}{line}{live}{line}kfence-#2 unused\n{line}");
        let leak = "an object of kmalloc-32, allocated by 0xffffffffc0249087";
        assert_eq!(in_kfence(&text), [leak]);
    }

    #[test]
    fn areas_of_vmalloc() {
        let text = "0xffffc90000000000-0xffffc90000005000   20480 0xffffffffc0249087 pages=4 \
                    vmalloc\n0xffffc90000005000-0xffffc90000007000    8192 \
                    gen_pool_add+0x4/0x9 pages=1 vmalloc\n";
        let leak = "4 pages of vmalloc, allocated by 0xffffffffc0249087";
        assert_eq!(in_vmalloc(text), [leak]);
    }
}
