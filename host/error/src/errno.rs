// SPDX-License-Identifier: MIT OR Apache-2.0

//! Describes errnos, and what they mean for a module.

use std::io;

pub use rustix::io::Errno;

/// Returns the words and the number of an errno, as `insmod` prints them.
pub fn errno_text(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    format!("{words} (errno {errno})")
}

/// Returns the name of an errno such as `ENOENT`.
pub fn errno_name(errno: i32) -> Option<String> {
    match nix::errno::Errno::from_raw(errno) {
        nix::errno::Errno::UnknownErrno => None,
        known => Some(format!("{known:?}")),
    }
}

/// Returns what the user can do when the kernel refuses to unload a module with an errno.
pub fn unload_help(errno: i32) -> Option<&'static str> {
    match Errno::from_raw_os_error(errno) {
        Errno::NOENT => Some("it is not loaded: `koru list` shows the loaded modules"),
        Errno::AGAIN => Some("something still uses it: `koru list` shows its users"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_number() {
        let text = errno_text(Errno::NOENT.raw_os_error());
        assert_eq!(text, "No such file or directory (errno 2)");
        assert_eq!(errno_name(2).as_deref(), Some("ENOENT"));
        assert_eq!(errno_name(4000), None);
    }
}
