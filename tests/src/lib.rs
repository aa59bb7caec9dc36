//! What several guest tests need.
#![forbid(unsafe_code)]

use std::process::Command;

/// Whether a path is there at all.
pub fn exists(path: &str) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// What `cat` prints; the way most people read a file in /proc.
pub fn cat(path: &str) -> String {
    let output = Command::new("cat")
        .arg(path)
        .output()
        .expect("the guest has cat");
    assert!(output.status.success(), "cat {path}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}
