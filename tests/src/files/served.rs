// SPDX-License-Identifier: MIT OR Apache-2.0

//! A file under test, and how tests read it.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::process::CommandExt,
    process::{Command, Output},
};

use koru_testing::Module;

use crate::contract::{Contract, expect_eq, expect_ok, fail_requirement};

/// The user ID of `nobody`, who is not root.
pub const NOBODY: u32 = 65534;

/// The length that no file of a module under test reaches.
pub const MAX_FILE_LEN: usize = 1 << 16;

/// A function that checks bytes; it is told what was done to get them.
pub type Check<'a> = dyn Fn(&str, &[u8]) + Sync + 'a;

/// A file under test, and its contract.
pub struct Served<'a> {
    pub contract: &'a Contract,
    pub path: &'a str,
    /// Requires (by `expect_eq` or `fail_requirement`) that this is the whole content.
    ///
    /// `None` for a file that is only written.
    pub whole: Option<Box<Check<'a>>>,
}

/// Returns whether a path exists, as a file of any kind.
pub fn exists(path: &str) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Converts bytes to text for a message.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl<'a> Served<'a> {
    /// Describes a file whose content is always the same.
    pub fn constant(contract: &'a Contract, path: &'a str, content: &'a str) -> Served<'a> {
        let whole = move |done: &str, seen: &[u8]| expect_eq(done, text(seen), content);
        Served {
            contract,
            path,
            whole: Some(Box::new(whole)),
        }
    }

    /// Describes a file that is only written.
    pub fn written(contract: &'a Contract, path: &'a str) -> Served<'a> {
        Served {
            contract,
            path,
            whole: None,
        }
    }

    #[track_caller]
    pub(super) fn load(&self) -> Module {
        self.contract.load()
    }

    #[track_caller]
    pub(super) fn open(&self) -> File {
        expect_ok(&format!("open of {}", self.path), File::open(self.path))
    }

    #[track_caller]
    pub(super) fn check(&self, done: &str, seen: &[u8]) {
        if let Some(whole) = &self.whole {
            whole(done, seen);
        }
    }

    /// Reads the whole file, if it can be read, and checks the content.
    #[track_caller]
    pub(super) fn read_and_check(&self, done: &str) {
        if self.whole.is_some() {
            self.check(done, &read_all(self.path));
        }
    }
}

/// Makes one read, which must return at most `size` bytes and must not write any others.
#[track_caller]
pub fn read_once(file: &mut File, size: usize) -> Vec<u8> {
    const BEHIND: usize = 64;
    let done = format!("read of {size} bytes");
    let mut buffer = vec![0xaa; size + BEHIND];
    let n = expect_ok(&done, file.read(&mut buffer[..size]));
    if n > size {
        fail_requirement(&done, &format!("at most {size}"), &n.to_string());
    }
    let spoilt = buffer[size..].iter().any(|b| *b != 0xaa);
    expect_eq(&format!("{done} writes behind them"), spoilt, false);
    buffer.truncate(n);
    buffer
}

/// Reads from the position to the end, by reads of this size.
#[track_caller]
pub fn read_rest(file: &mut File, size: usize) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        match read_once(file, size) {
            part if part.is_empty() => return all,
            part => all.extend(part),
        }
        if all.len() > MAX_FILE_LEN {
            fail_requirement(
                &format!("reads of {size} bytes until one gives 0"),
                "an end",
                "none",
            );
        }
    }
}

/// Reads a file as `cat` does.
#[track_caller]
pub fn read_all(path: &str) -> Vec<u8> {
    let mut file = expect_ok(&format!("open of {path}"), File::open(path));
    read_rest(&mut file, 4096)
}

/// Runs a shell command as `nobody`, and returns its output.
pub fn as_nobody(script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", script]).uid(NOBODY).gid(NOBODY);
    command.output().expect("the guest has a shell")
}
