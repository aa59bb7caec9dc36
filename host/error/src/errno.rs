// SPDX-License-Identifier: MIT OR Apache-2.0

//! Errnos in words.

use std::io;

pub use rustix::io::Errno;

/// Returns the words and the number of an errno, as `insmod` prints them.
pub fn errno_text(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    format!("{words} (errno {errno})")
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
