//! The line to the host: serial in a guest, standard input and output elsewhere.

use koru_protocol::{ToHost, encode};
use rustix::termios::{OptionalActions, tcdrain, tcgetattr, tcsetattr};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd},
    sync::Mutex,
};

/// The second ISA port. The first is the console.
pub const DEVICE: &str = "/dev/ttyS1";

/// isa-debug-exit gives the host `value << 1 | 1`: 85 for an orderly end,
/// which neither a panic nor QEMU's own failures give.
pub const STATUS_OK: u8 = 42;
/// And 87 when there is no line to speak on.
pub const STATUS_NO_LINE: u8 = 43;

/// The line, written to by any thread, one frame at a time.
pub struct Line {
    out: Mutex<File>,
    input: File,
}

impl Line {
    /// Opens the device and makes it carry bytes as they are.
    pub fn open(path: &str) -> io::Result<Self> {
        let input = OpenOptions::new().read(true).write(true).open(path)?;
        let mut mode = tcgetattr(&input)?;
        mode.make_raw();
        // QEMU delays the end of each burst by the time of a few characters.
        let _ = mode.set_speed(115_200);
        tcsetattr(&input, OptionalActions::Now, &mode)?;
        let name = path.trim_start_matches("/dev/");
        // Fewer interrupts a byte. Only an improvement, so it may fail.
        let _ = std::fs::write(format!("/sys/class/tty/{name}/rx_trig_bytes"), "14");
        let mut out = input.try_clone()?;
        out.write_all(&[0])?; // Ends whatever noise the host has seen so far.
        Ok(Line {
            out: Mutex::new(out),
            input,
        })
    }

    /// The line of an agent that somebody has started.
    pub fn stdio() -> io::Result<Self> {
        let dup = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().map(File::from);
        Ok(Line {
            out: Mutex::new(dup(io::stdout().as_fd())?),
            input: dup(io::stdin().as_fd())?,
        })
    }

    /// Sends a message. When the line is dead there is nobody to tell.
    pub fn send(&self, message: &ToHost) {
        self.send_encoded(&encode(message));
    }

    /// Sends whole frames.
    pub fn send_encoded(&self, frames: &[u8]) {
        let mut out = self.out.lock().unwrap_or_else(|e| e.into_inner());
        let _ = out.write_all(frames);
    }

    /// Waits for bytes from the host.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.input).read(buffer)
    }

    /// Waits until all that was sent has left the port.
    pub fn drain(&self) {
        let out = self.out.lock().unwrap_or_else(|e| e.into_inner());
        let _ = tcdrain(&*out);
    }
}
