// SPDX-License-Identifier: MIT OR Apache-2.0

//! Chooses the user id under which root runs a program that is not trusted.

use std::{
    fs, process,
    sync::atomic::{AtomicU32, Ordering},
};

/// The first of the ids that are used. No distribution gives them to users, services or
/// containers.
const FIRST: u32 = 0x6b00_0000;

/// Returns an id that no other sandbox has at the time, so that the limit of its processes
/// counts only its own.
pub fn unprivileged() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nth = NEXT.fetch_add(1, Ordering::Relaxed) % 4;
    // A process has a number below 2^22.
    let wanted = FIRST + process::id() * 4 + nth;
    let maps = ["/proc/self/uid_map", "/proc/self/gid_map"];
    maps.iter()
        .map(|map| fs::read_to_string(map).unwrap_or_default())
        .fold(wanted, |id, map| available(&map, id))
}

/// Returns `wanted` if the user namespace with this map has it, or else its last id: many
/// containers have only 65536 ids.
fn available(map: &str, wanted: u32) -> u32 {
    let ranges: Vec<(u32, u32)> = map
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().map(|w| w.parse::<u32>().ok());
            let (first, _, count) = (words.next()??, words.next()??, words.next()??);
            Some((first, first.saturating_add(count.checked_sub(1)?)))
        })
        .collect();
    let last = ranges.iter().map(|(_, last)| *last).max();
    if ranges.iter().any(|(a, b)| (*a..=*b).contains(&wanted)) {
        wanted
    } else {
        last.unwrap_or(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_exist_in_their_namespace() {
        let all = "         0          0 4294967295\n";
        assert_eq!(available(all, FIRST), FIRST);
        assert_eq!(available("0 100000 65536\n", FIRST), 65535);
        assert_eq!(available("0 1000 1\n1 100000 65536\n", FIRST), 65536);
        assert_eq!(available("", FIRST), FIRST);
    }

    #[test]
    fn sandboxes_of_one_process_differ() {
        assert_ne!(unprivileged(), unprivileged());
        assert!(unprivileged() != 0);
    }
}
