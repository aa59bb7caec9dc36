// SPDX-License-Identifier: MIT OR Apache-2.0

//! Calls in the words of `ioshell --steps`.

use std::fmt::Write;

use koru_judge::{Action, Argument};

/// Returns a call in the words of `ioshell --steps`.
pub fn call_of(action: &Action) -> Option<String> {
    let at = |at: &Option<i64>| at.map_or(String::new(), |at| format!(" {at}"));
    Some(match action {
        Action::Open {
            file,
            path,
            flags,
            mode,
        } => {
            let flags = flags.0;
            format!("open {file} {flags} {mode} {}", hex(path.as_bytes()))
        }
        Action::Close { file } => format!("close {file}"),
        Action::Read {
            file,
            size,
            at: from,
        } => format!("read {file} {size}{}", at(from)),
        Action::Write {
            file,
            bytes,
            at: to,
        } => format!("write {file} {}{}", hex(bytes), at(to)),
        Action::Seek {
            file,
            offset,
            whence,
        } => format!("seek {file} {offset} {whence}"),
        Action::Ioctl {
            file,
            number,
            argument,
        } => match argument {
            Argument::Value(value) => format!("ioctl {file} {number} value {value}"),
            Argument::Bytes(bytes) => format!("ioctl {file} {number} bytes {}", hex(bytes)),
        },
        Action::Poll { file, events, time } => {
            format!("poll {file} {events} {}", time.as_millis())
        }
        Action::Mmap { file, size, at } => format!("mmap {file} {size} {at}"),
        Action::Dup { file, new } => format!("dup {file} {new}"),
        Action::Run { command } => format!("run {}", hex(command.as_bytes())),
        _ => return None,
    })
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}
