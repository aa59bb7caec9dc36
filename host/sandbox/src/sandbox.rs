// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a program in a sandbox may see and use.

use std::{path::PathBuf, time::Duration};

/// What a program may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The time from the start to the end.
    pub time: Duration,
    /// The bytes of memory of all processes together, which are looked at some twenty times a
    /// second, and of the addresses of each process, which the kernel enforces.
    pub memory: u64,
    /// The number of processes and threads, which the kernel enforces.
    pub processes: u64,
    /// The bytes of the files in the work folder, and as many in `/tmp`.
    pub disk: u64,
    /// The bytes of output that are kept.
    pub output: u64,
}

impl Default for Limits {
    /// Returns limits that a build does not come near to.
    fn default() -> Limits {
        Limits {
            time: Duration::from_secs(120),
            memory: 4 << 30,
            processes: 1024,
            disk: 1 << 30,
            output: 8 << 20,
        }
    }
}

/// What a program that is not trusted may see and use.
///
/// It sees the distribution's programs and libraries in any case (`/usr`, or another
/// [system's](Sandbox::system)), but not `/etc`, `/home`, `/var` or `/run`.
#[derive(Debug, Clone, Default)]
pub struct Sandbox {
    pub(crate) system: Option<PathBuf>,
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) writable: Vec<PathBuf>,
    pub(crate) work: Option<(PathBuf, PathBuf)>,
    pub(crate) limits: Limits,
}

impl Sandbox {
    /// Returns a sandbox with these limits, in which nothing else can be read yet.
    pub fn new(limits: Limits) -> Sandbox {
        Sandbox {
            limits,
            ..Sandbox::default()
        }
    }

    /// Gives the program the programs and libraries of another system, in place of this
    /// machine's: those in `usr` of this folder, with which `/bin` and the like are merged.
    pub fn system(mut self, root: impl Into<PathBuf>) -> Sandbox {
        self.system = Some(root.into());
        self
    }

    /// Lets the program read a file or folder, which must exist, under its own path.
    pub fn readable(mut self, path: impl Into<PathBuf>) -> Sandbox {
        self.readable.push(path.into());
        self
    }

    /// Lets the program write to a folder that stays, under its own path. If this process is
    /// root, all of the folder becomes the program's, under a user id that the folder keeps.
    ///
    /// The bound of what is written is softer than in a [work folder](Self::work): the program
    /// is ended soon after the disk has lost more and the folder has as much. No file can
    /// exceed the bound.
    pub fn writable(mut self, path: impl Into<PathBuf>) -> Sandbox {
        self.writable.push(path.into());
        self
    }

    /// Gives the program a folder to work in: `at` has the files of `from`, and the program
    /// starts there. When the program has ended by itself, the regular files that are new or
    /// changed are in `from`, with the times at which they were written.
    ///
    /// `at` may be in a readable folder, or be a folder that only the sandbox has.
    pub fn work(mut self, from: impl Into<PathBuf>, at: impl Into<PathBuf>) -> Sandbox {
        self.work = Some((from.into(), at.into()));
        self
    }
}
