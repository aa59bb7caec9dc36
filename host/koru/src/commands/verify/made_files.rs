// SPDX-License-Identifier: MIT OR Apache-2.0

//! Names the files that a module makes in /proc and /dev.

use koru_protocol::Inventory;

/// Returns the files that are there while the module is loaded, and were not there before.
pub fn made_files(before: &Inventory, loaded: &Inventory) -> Vec<String> {
    let new = |file: &&str| !before.entries.iter().any(|old| old == file);
    let is_file = |file: &&str| file.starts_with("/proc/") || file.starts_with("/dev/");
    let files = loaded.entries.iter().map(String::as_str);
    let made = files.filter(is_file).filter(new);
    made.map(str::to_owned).collect()
}

/// Returns a sentence about these files.
pub fn sentence(made: &[String]) -> String {
    match made {
        [] => "the module made no file in /proc or /dev when it was loaded".to_owned(),
        made => format!("the module made {}", made.join(", ")),
    }
}
