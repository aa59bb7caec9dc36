// SPDX-License-Identifier: MIT OR Apache-2.0

//! Lists what a module could leave behind: entries of the kernel's own file systems, numbers of
//! devices, kernel threads, uses of other modules, and memory.

use std::{
    fs::{self, DirEntry},
    os::unix::fs::FileTypeExt,
};

use koru_protocol::{Inventory, Reply};

use crate::{
    answer::{Answer, errno},
    loaded::loaded,
    slabs,
};

/// The folders whose entries are listed, each with the depth to which it is walked. This is
/// done in each run, so it must not take long: each folder costs an emulated guest 0.1 ms.
const FOLDERS: [(&str, u32); 10] = [
    ("/proc", 2),
    ("/proc/irq", 2),
    ("/proc/net", 1),
    ("/proc/sys", 2),
    ("/sys/class", 2),
    ("/sys/bus", 3),
    ("/sys/fs", 1),
    ("/sys/kernel", 1),
    ("/sys/kernel/debug", 1),
    ("/dev", 2),
];

/// Folders that are listed but not entered: their entries come and go with processes, mounts and
/// terminals, or are many.
const CLOSED: [&str; 11] = [
    "/proc/irq",
    "/proc/self",
    "/proc/tty",
    "/proc/sys/net",
    "/proc/sysvipc",
    "/sys/class/bdi",
    "/sys/class/vc",
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
    "/dev/hugepages",
];

/// The largest number of entries. A kernel has a few thousand at most.
const MOST: usize = 50_000;

/// Takes the inventory.
pub fn take() -> Answer {
    let mut inventory = Inventory::default();
    for (folder, depth) in FOLDERS {
        walk(folder, depth, &mut inventory);
    }
    numbers(&mut inventory);
    inventory.entries.extend(slabs::leaks());
    let entries = &mut inventory.entries;
    entries.sort_unstable();
    entries.dedup();
    // The children of kthreadd, which has this id in every kernel.
    let threads = fs::read_to_string("/proc/2/task/2/children").unwrap_or_default();
    inventory.kernel_threads = threads
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect();
    let modules = loaded().map_err(|e| errno(&e))?;
    inventory.users = modules
        .into_iter()
        .map(|row| (row.name, row.refcount.unwrap_or(0)))
        .collect();
    Ok(Reply::Inventory(inventory))
}

/// Adds the entries of a folder. What cannot be read is left out.
fn walk(folder: &str, depth: u32, inventory: &mut Inventory) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            continue;
        };
        // Processes are no entries of the kernel's own.
        let is_number = name.bytes().all(|b| b.is_ascii_digit());
        if (folder == "/proc" && is_number) || inventory.entries.len() >= MOST {
            continue;
        }
        let path = format!("{folder}/{name}");
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth > 1 && !CLOSED.contains(&path.as_str()) {
            walk(&path, depth - 1, inventory);
        }
        match folder.starts_with("/dev") {
            true => add_device(path, &entry, inventory),
            false => inventory.entries.push(path),
        }
    }
}

/// Adds an entry of /dev, in which users can make entries of any kind.
fn add_device(path: String, entry: &DirEntry, inventory: &mut Inventory) {
    let Ok(kind) = entry.file_type() else {
        return;
    };
    if kind.is_char_device() || kind.is_block_device() {
        inventory.entries.push(path);
    } else if kind.is_file() {
        inventory.plain_files.push(path);
    }
}

/// Adds what is registered without a file of its own: the numbers of devices, file systems,
/// slab caches, and probes.
fn numbers(inventory: &mut Inventory) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mut kind = "";
    for line in read("/proc/devices").lines() {
        match line.trim().split_once(' ') {
            Some((number, name)) if number.parse::<u32>().is_ok() => inventory
                .entries
                .push(format!("{kind} device number {number} ({name})")),
            _ if line.starts_with("Block") => kind = "block",
            _ => kind = "character",
        }
    }
    let systems = read("/proc/filesystems");
    let systems = systems.lines().filter_map(|line| line.split('\t').nth(1));
    let systems = systems.map(|name| format!("file system {name}"));
    inventory.entries.extend(systems);
    // The folder /sys/kernel/slab keeps the names of caches that are gone. The kernel itself makes
    // caches for I/O when somebody mounts a file system.
    let caches = read("/proc/slabinfo");
    let caches = caches.lines().skip(2);
    let caches = caches.filter_map(|line| line.split_whitespace().next());
    let caches = caches.filter(|name| !name.starts_with("bio-"));
    let caches = caches.map(|name| format!("slab cache {name}"));
    inventory.entries.extend(caches);
    let probes = read("/sys/kernel/debug/kprobes/list");
    // A line is `ADDRESS KIND FUNCTION+OFFSET [FLAGS]`.
    let probes = probes
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2));
    let probes = probes.map(|place| format!("probe on {}", place.trim_end_matches("+0x0")));
    inventory.entries.extend(probes);
}
