//! Bad pointers, which tests give to the kernel on purpose.
#![allow(unsafe_code, reason = "bad pointers are what is tested")]

use std::{
    ffi::c_void,
    io,
    os::fd::{AsFd, AsRawFd},
    ptr,
};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

const PAGE: usize = 4096;

/// Addresses at which no program has memory.
#[derive(Clone, Copy, Debug)]
pub enum Bad {
    Null,
    /// In the kernel's half.
    Kernel,
    /// In the hole between both halves.
    NonCanonical,
}

impl Bad {
    pub const ALL: [Bad; 3] = [Bad::Null, Bad::Kernel, Bad::NonCanonical];

    fn address(self) -> *mut c_void {
        ptr::without_provenance_mut(match self {
            Bad::Null => 0,
            Bad::Kernel => 0xffff_8880_0000_0000,
            Bad::NonCanonical => 0x8000_0000_0000_0000,
        })
    }
}

fn result(n: isize) -> io::Result<usize> {
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// `read` into a bad address.
pub fn read_bad(fd: impl AsFd, to: Bad, len: usize) -> io::Result<usize> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel checks the address, and no memory of ours is there.
    result(unsafe { libc::read(fd, to.address(), len) })
}

/// `pread` into a bad address.
pub fn pread_bad(fd: impl AsFd, to: Bad, len: usize, at: i64) -> io::Result<usize> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel checks the address, and no memory of ours is there.
    result(unsafe { libc::pread(fd, to.address(), len, at) })
}

/// `write` from a bad address.
pub fn write_bad(fd: impl AsFd, from: Bad, len: usize) -> io::Result<usize> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel checks the address.
    result(unsafe { libc::write(fd, from.address(), len) })
}

/// A page of memory, with a page behind it that faults.
pub struct Guarded(*mut u8);

impl Guarded {
    pub fn new() -> Guarded {
        // SAFETY: a new mapping harms nobody.
        let page = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                2 * PAGE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }
        .expect("memory");
        // SAFETY: the second page of our own mapping; nothing refers to it.
        unsafe { mprotect(page.byte_add(PAGE), PAGE, MprotectFlags::empty()) }.expect("mprotect");
        Guarded(page.cast())
    }

    fn at(&self, room: usize) -> *mut u8 {
        assert!(room <= PAGE);
        self.0.wrapping_add(PAGE - room)
    }

    /// `read` of `len` bytes to where only `room` bytes can be written.
    pub fn read(&self, fd: impl AsFd, room: usize, len: usize) -> io::Result<usize> {
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: the kernel writes into the first page at most, which is ours and
        // has no Rust value in it.
        result(unsafe { libc::read(fd, self.at(room).cast(), len) })
    }

    /// `pread`, likewise.
    pub fn pread(&self, fd: impl AsFd, room: usize, len: usize, at: i64) -> io::Result<usize> {
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: as in `read`.
        result(unsafe { libc::pread(fd, self.at(room).cast(), len, at) })
    }

    /// `write` of `len` bytes of which only the first are readable, these.
    pub fn write(&self, fd: impl AsFd, bytes: &[u8], len: usize) -> io::Result<usize> {
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: `at` leaves room for the bytes in our page; the kernel checks
        // what lies behind.
        result(unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.at(bytes.len()), bytes.len());
            libc::write(fd, self.at(bytes.len()).cast(), len)
        })
    }

    /// The last `room` bytes before the end.
    pub fn bytes(&self, room: usize) -> Vec<u8> {
        let mut bytes = vec![0; room];
        // SAFETY: they are in our page, which nobody writes now.
        unsafe { ptr::copy_nonoverlapping(self.at(room), bytes.as_mut_ptr(), room) };
        bytes
    }
}

impl Default for Guarded {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: our own mapping, and the last use of it.
        let _ = unsafe { munmap(self.0.cast(), 2 * PAGE) };
    }
}
