// SPDX-License-Identifier: MIT OR Apache-2.0

//! The line to the host: a serial port in a guest, standard input and output elsewhere.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd},
    sync::{Mutex, OnceLock},
    thread,
    time::Duration,
};

use koru_protocol::{
    CHUNK, RingAllocator, RingSlice, SCRIPT_AT, SCRIPTED, SHARED_CHUNK, SHARED_FROM, TO_GUEST,
    TO_HOST, ToHost, encode, pack,
};
use rustix::termios::{OptionalActions, tcdrain, tcgetattr, tcsetattr};

use crate::machine::SharedMemory;

/// The second ISA port. The first one is the console.
pub const DEVICE: &str = "/dev/ttyS1";

/// The status of an orderly end. isa-debug-exit turns it into `value << 1 | 1`, which is 85;
/// neither a panic nor QEMU's own failures have that status.
pub const STATUS_OK: u8 = 42;
/// The status when there is no line to communicate on, which becomes 87.
pub const STATUS_NO_LINE: u8 = 43;

/// The line, to which any thread may write, one frame at a time. In a guest there is also
/// memory that the host sees as well, for messages of more than a few words.
pub struct Line {
    out: Mutex<Out>,
    input: File,
    memory: OnceLock<SharedMemory>,
    /// Whether nothing that the host does may affect what happens here.
    alone: bool,
}

struct Out {
    file: File,
    allocator: RingAllocator,
}

impl Line {
    /// Opens the device and makes it carry bytes as they are.
    pub fn open(path: &str) -> io::Result<Self> {
        let input = OpenOptions::new().read(true).write(true).open(path)?;
        let mut mode = tcgetattr(&input)?;
        mode.make_raw();
        // QEMU delays the end of each burst by the time that a few characters take.
        let _ = mode.set_speed(115_200);
        tcsetattr(&input, OptionalActions::Now, &mode)?;
        let name = path.trim_start_matches("/dev/");
        // Fewer interrupts per byte are only an improvement, so this may fail.
        let _ = std::fs::write(format!("/sys/class/tty/{name}/rx_trig_bytes"), "14");
        let mut out = input.try_clone()?;
        out.write_all(&[0])?; // Ends any noise that the host has seen so far.
        let mut line = Self::new(input, out);
        line.alone = std::env::var_os(SCRIPTED).is_some();
        Ok(line)
    }

    fn new(input: File, file: File) -> Self {
        Line {
            out: Mutex::new(Out {
                file,
                allocator: RingAllocator::new(TO_HOST),
            }),
            input,
            memory: OnceLock::new(),
            alone: false,
        }
    }

    /// Returns the line of an agent that was started on a machine of the user's.
    pub fn stdio() -> io::Result<Self> {
        let dup = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().map(File::from);
        Ok(Self::new(
            dup(io::stdin().as_fd())?,
            dup(io::stdout().as_fd())?,
        ))
    }

    /// Starts to use the shared memory.
    pub fn share(&self, look_again: bool) -> io::Result<()> {
        if !self.is_shared() {
            let _ = self.memory.set(SharedMemory::find(look_again)?);
        }
        Ok(())
    }

    /// Returns whether there is shared memory.
    pub fn is_shared(&self) -> bool {
        self.memory.get().is_some()
    }

    /// Returns the largest number of bytes that should be sent as one frame.
    pub fn chunk(&self) -> usize {
        if self.is_shared() {
            SHARED_CHUNK
        } else {
            CHUNK
        }
    }

    /// Takes what the host has put into the memory, and frees its space.
    pub fn take(&self, slice: RingSlice) -> Option<Vec<u8>> {
        let memory = self.memory.get()?;
        let bytes = memory.read(TO_GUEST.range(slice)?);
        memory.set(TO_GUEST.taken_at(), slice.end);
        Some(bytes)
    }

    /// Returns the script that this guest is to play, once it is in the memory.
    pub fn script(&self) -> Option<Vec<u8>> {
        let memory = self.memory.get()?;
        self.take(RingSlice {
            end: memory.get(SCRIPT_AT),
            length: memory.get(SCRIPT_AT + 8).try_into().ok()?,
        })
    }

    /// Sends a message. Errors are ignored, because on a dead line there is nobody to report
    /// them to.
    pub fn send(&self, message: &ToHost) {
        self.send_all(std::slice::from_ref(message));
    }

    /// Sends several messages at once.
    pub fn send_all(&self, messages: &[ToHost]) {
        let packed = self.memory.get().map(|memory| (memory, pack(messages)));
        let mut out = self.out.lock().unwrap_or_else(|e| e.into_inner());
        let slice = packed
            .filter(|(_, bytes)| bytes.len() >= SHARED_FROM)
            .and_then(|(memory, bytes)| put(memory, &mut out.allocator, &bytes, self.alone));
        let _ = match slice {
            Some(slice) => out.file.write_all(&encode(&ToHost::Shared(slice))),
            None => {
                let frames: Vec<u8> = messages.iter().flat_map(encode).collect();
                out.file.write_all(&frames)
            }
        };
    }

    /// Waits for bytes from the host.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.input).read(buffer)
    }

    /// Waits until everything that was sent has left the port.
    pub fn drain(&self) {
        let out = self.out.lock().unwrap_or_else(|e| e.into_inner());
        let _ = tcdrain(&out.file);
    }
}

/// Puts bytes into the memory, and waits while the host has not freed enough space. If
/// `alone`, it waits for nothing, and space is never used twice.
fn put(
    memory: &SharedMemory,
    allocator: &mut RingAllocator,
    bytes: &[u8],
    alone: bool,
) -> Option<RingSlice> {
    loop {
        let ring = allocator.ring();
        let taken = if alone {
            0
        } else {
            memory.get(ring.taken_at())
        };
        if let Some(slice) = allocator.allocate(bytes.len(), taken) {
            if let Some(range) = ring.range(slice) {
                memory.write(range.start, bytes);
            }
            return Some(slice);
        }
        if alone {
            return None;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
