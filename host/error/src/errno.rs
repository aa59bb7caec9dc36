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

/// Returns what the user can do when the kernel refuses to load a module with an errno.
pub fn load_help(errno: i32) -> &'static str {
    match Errno::from_raw_os_error(errno) {
        Errno::NOEXEC => {
            "the file is not a module of this kernel: build it for this one (--kernel)"
        }
        Errno::EXIST => "it is already loaded: `koru unload` it first",
        Errno::INVAL => {
            "a parameter's value was rejected, or the module's init failed: see the log"
        }
        Errno::NOENT => "unknown parameter, or a symbol that this kernel lacks: see the log",
        Errno::NOMEM => "not enough memory: see the log, or give the guest more (--memory)",
        _ => "the module's init returned this error: see the log",
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
    }
}
