// SPDX-License-Identifier: MIT OR Apache-2.0

//! The steps of a measured operation: prepared, so that little more than the system calls
//! themselves is counted.

use std::{ffi::CString, fs, io::Write, os::unix::fs::PermissionsExt};

use koru_protocol::Step;
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions},
};

use crate::{
    scheduling::{at_real_time, fork},
    x86::{SystemCall, system_call},
};

/// A step that failed.
pub struct Failed {
    pub step: Step,
    pub errno: Errno,
}

/// The file that the steps use, and the processes that hold a file open.
pub struct Steps {
    /// The descriptor of the file that was opened last, or one that cannot exist.
    file: usize,
    holders: Vec<Pid>,
}

/// Steps that are ready to be done, with the memory that their calls refer to.
pub struct Prepared<'a> {
    steps: &'a [Step],
    calls: Vec<Call>,
    /// Paths, bytes to write, and room for what is read. None of it moves or changes otherwise.
    _memory: Vec<Box<[u8]>>,
}

/// What is done for a step.
#[derive(Clone, Copy)]
enum Call {
    Nothing,
    /// Opens a file, which becomes the current one.
    Open(SystemCall),
    /// A call with the current file as its first argument.
    OfFile(SystemCall),
    /// Closes the current file.
    Close(SystemCall),
    /// A call of the current file, and it does not matter whether it succeeds.
    MayFail(SystemCall),
    /// The step at this index, which is not counted exactly.
    Hold(usize),
}

const NO_FILE: usize = usize::MAX;

impl<'a> Prepared<'a> {
    /// Returns as many steps that do nothing.
    pub fn nothing(count: usize) -> Prepared<'static> {
        Prepared {
            steps: &[],
            calls: vec![Call::Nothing; count],
            _memory: Vec::new(),
        }
    }

    pub fn new(steps: &'a [Step]) -> Prepared<'a> {
        let mut memory = Vec::new();
        let mut keep = |bytes: Vec<u8>| {
            memory.push(bytes.into_boxed_slice());
            memory
                .last_mut()
                .map_or(0, |kept| kept.as_mut_ptr() as usize)
        };
        // The pages are there once something has been written to them.
        let room = |length: u32| vec![0xff; length as usize];
        let call = |number, arguments| Call::OfFile(SystemCall { number, arguments });
        let calls = steps.iter().enumerate().map(|(n, step)| match step {
            Step::Open(path) => {
                let mode = fs::metadata(path).map_or(0, |m| m.permissions().mode());
                let flags = match mode & 0o222 {
                    0 => libc::O_RDONLY,
                    _ => libc::O_RDWR,
                };
                let path = CString::new(path.as_str()).unwrap_or_default();
                Call::Open(SystemCall {
                    number: libc::SYS_openat,
                    arguments: [keep(path.into_bytes_with_nul()), flags as usize, 0],
                })
            }
            Step::Close => Call::Close(SystemCall {
                number: libc::SYS_close,
                arguments: [0; 3],
            }),
            Step::Getpid => call(libc::SYS_getpid, [0; 3]),
            Step::Read(length) => call(libc::SYS_read, [keep(room(*length)), *length as usize, 0]),
            Step::Pread(length, at) => call(
                libc::SYS_pread64,
                [keep(room(*length)), *length as usize, *at as usize],
            ),
            Step::Write(bytes) => call(libc::SYS_write, [keep(bytes.clone()), bytes.len(), 0]),
            Step::Pwrite(bytes, at) => call(
                libc::SYS_pwrite64,
                [keep(bytes.clone()), bytes.len(), *at as usize],
            ),
            Step::Seek(to) => Call::MayFail(SystemCall {
                number: libc::SYS_lseek,
                arguments: [*to as usize, libc::SEEK_SET as usize, 0],
            }),
            Step::Hold { .. } => Call::Hold(n),
        });
        Prepared {
            steps,
            calls: calls.collect(),
            _memory: memory,
        }
    }

    pub fn len(&self) -> usize {
        self.calls.len()
    }
}

impl Steps {
    /// Does `work` while nothing else runs that could be counted with it.
    pub fn run_alone<T>(work: impl FnOnce(&mut Steps) -> T) -> T {
        at_real_time(|| work(&mut Steps::new()))
    }

    fn new() -> Steps {
        Steps {
            file: NO_FILE,
            holders: Vec::new(),
        }
    }

    /// Does all steps, and returns the result of the last one. This is one function for all its
    /// callers, so that what it takes for steps that do nothing can be subtracted.
    #[inline(never)]
    pub fn all(&mut self, prepared: &Prepared) -> Result<u64, Failed> {
        let mut returned = 0;
        for (n, call) in prepared.calls.iter().enumerate() {
            returned = match call {
                Call::Nothing => 0,
                Call::OfFile(call) => self.call(call, self.file),
                Call::Open(call) => {
                    let opened = self.call(call, libc::AT_FDCWD as usize);
                    if opened >= 0 {
                        self.file = opened as usize;
                    }
                    opened
                }
                Call::Close(call) => {
                    let file = std::mem::replace(&mut self.file, NO_FILE);
                    self.call(call, file)
                }
                Call::MayFail(call) => self.call(call, self.file).max(0),
                Call::Hold(at) => self.hold(&prepared.steps[*at]),
            };
            if returned < 0 {
                let step = prepared.steps[n].clone();
                let errno = Errno::from_raw_os_error(-returned as i32);
                return Err(Failed { step, errno });
            }
        }
        Ok(returned as u64)
    }

    #[inline]
    fn call(&self, call: &SystemCall, first: usize) -> isize {
        // SAFETY: only `Prepared::new` makes calls. Their pointers are to memory that `Prepared`
        // keeps, of the length that the call has, and that nothing else uses. The descriptor that
        // may be closed is the one that `Open` has returned, which nobody else knows.
        unsafe { system_call(call, first) }
    }

    /// Starts the processes that hold a file open, and waits until all of them do. Returns a
    /// negative errno if one of them cannot.
    fn hold(&mut self, step: &Step) -> isize {
        let Step::Hold {
            path,
            processes,
            write,
        } = step
        else {
            return 0;
        };
        let mut steps = vec![Step::Open(path.clone())];
        if !write.is_empty() {
            steps.push(Step::Write(write.clone()));
        }
        let mut hold = || -> Result<(), Errno> {
            let (told, tell) = rustix::pipe::pipe()?;
            let mut tell = fs::File::from(tell);
            for _ in 0..*processes {
                let pid = fork(|| {
                    // The file stays open until somebody ends this process.
                    let mut own = Steps::new();
                    let done = own.all(&Prepared::new(&steps));
                    let errno = done.err().map_or(0, |failed| failed.errno.raw_os_error());
                    let _ = tell.write_all(&errno.to_le_bytes());
                    loop {
                        std::thread::park();
                    }
                })?;
                self.holders.push(pid);
                let mut errno = [0; 4];
                rustix::io::read(&told, &mut errno)?;
                match i32::from_le_bytes(errno) {
                    0 => {}
                    errno => return Err(Errno::from_raw_os_error(errno)),
                }
            }
            Ok(())
        };
        match hold() {
            Ok(()) => 0,
            Err(errno) => -(errno.raw_os_error() as isize),
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        let close = SystemCall {
            number: libc::SYS_close,
            arguments: [0; 3],
        };
        if self.file != NO_FILE {
            self.call(&close, self.file);
        }
        for pid in &self.holders {
            let _ = rustix::process::kill_process(*pid, Signal::KILL);
        }
        for pid in &self.holders {
            let _ = rustix::process::waitpid(Some(*pid), WaitOptions::empty());
        }
    }
}
