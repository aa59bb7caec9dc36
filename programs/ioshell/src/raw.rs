// SPDX-License-Identifier: MIT OR Apache-2.0

//! The system calls that have no safe interface.
#![allow(
    unsafe_code,
    reason = "an ioctl, a mapping, and an inherited or received descriptor are what they are"
)]

use std::{
    ffi::c_void,
    num::NonZeroUsize,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr::{self, NonNull},
};

use nix::{
    errno::Errno,
    libc,
    sys::{
        mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap},
        signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    },
    unistd::{ForkResult, Pid},
};

/// The size of the memory around an argument: a module may copy more than it should.
const AROUND: usize = 64 * 1024;

/// Calls an ioctl with a value.
pub fn ioctl_value(fd: BorrowedFd, number: u32, value: i64) -> Result<i64, Errno> {
    // SAFETY: the argument is a plain number here. If the module takes it for an address, it
    // writes to memory of this process at its own risk: the process only carries out steps.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::Ioctl::from(number), value) };
    Errno::result(result).map(i64::from)
}

/// Calls an ioctl with the address of these bytes, which are what the module left there then.
pub fn ioctl_bytes(fd: BorrowedFd, number: u32, bytes: &mut Vec<u8>) -> Result<i64, Errno> {
    let length = bytes.len();
    bytes.resize(length + AROUND, 0);
    // SAFETY: the address is that of a buffer of `length` bytes and many more behind them, which
    // nothing else refers to during the call.
    let result = unsafe {
        libc::ioctl(
            fd.as_raw_fd(),
            libc::Ioctl::from(number),
            bytes.as_mut_ptr(),
        )
    };
    bytes.truncate(length);
    Errno::result(result).map(i64::from)
}

/// Returns the bytes of a file that a mapping shows.
pub fn mapped(fd: impl AsFd, size: usize, at: i64) -> Result<Vec<u8>, Errno> {
    let length = NonZeroUsize::new(size).ok_or(Errno::EINVAL)?;
    // SAFETY: the kernel chooses the address, so the mapping replaces no other one.
    let address = unsafe {
        mmap(
            None,
            length,
            ProtFlags::PROT_READ,
            MapFlags::MAP_SHARED,
            fd,
            at,
        )?
    };
    let bytes = (0..size)
        .map(|i| {
            // SAFETY: the mapping has `size` bytes and stays until all are read. The module may
            // change them meanwhile, so each is read once, as volatile.
            unsafe { address.as_ptr().cast::<u8>().add(i).read_volatile() }
        })
        .collect();
    // SAFETY: the mapping was made above with this length, and nothing refers to it any more.
    unsafe { munmap(address, size)? };
    Ok(bytes)
}

/// Takes over a descriptor that this process was started with.
pub fn inherited(fd: RawFd) -> OwnedFd {
    // SAFETY: the parent names each descriptor once, and this process has opened nothing yet, so
    // nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// What a transfer does with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    Read,
    Write,
}

/// Memory for calls with good and bad pointers, which stays until the process ends. It consists of
/// slots, behind each of which nothing is mapped, and of a page that can only be read. More than
/// one call can transfer follows, in which nothing is mapped.
pub struct Arena {
    start: usize,
}

impl Arena {
    /// The size of a slot.
    pub const SLOT: usize = 64 * 1024;
    pub const SLOTS: usize = 6;
    const PAGE: usize = 4096;
    const READ_ONLY: usize = Self::SLOTS * 2 * Self::SLOT;
    /// Where files are mapped.
    const WINDOW: usize = Self::READ_ONLY + 2 * Self::SLOT;
    pub const WINDOW_SIZE: usize = 4 * Self::SLOT;
    const HOLE: usize = Self::WINDOW + Self::WINDOW_SIZE;
    /// The kernel transfers less than 2 GiB at once.
    const SIZE: usize = Self::HOLE + (4 << 30);
    /// Where addresses of user space end.
    const USER_END: u64 = 1 << 47;

    pub fn new() -> Result<Arena, Errno> {
        let size = NonZeroUsize::new(Self::SIZE).ok_or(Errno::EINVAL)?;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
        // SAFETY: the kernel chooses the address, so the mapping replaces no other one.
        let start = unsafe { mmap_anonymous(None, size, ProtFlags::PROT_NONE, flags)? };
        let arena = Arena {
            start: start.as_ptr() as usize,
        };
        let both = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        for slot in 0..Self::SLOTS {
            arena.protect(slot * 2 * Self::SLOT, Self::SLOT, both)?;
        }
        arena.protect(Self::READ_ONLY, Self::PAGE, ProtFlags::PROT_READ)?;
        Ok(arena)
    }

    fn protect(&self, offset: usize, size: usize, protection: ProtFlags) -> Result<(), Errno> {
        let at = NonNull::new((self.start + offset) as *mut c_void).ok_or(Errno::EINVAL)?;
        // SAFETY: the range is in the arena, to which nothing in the process refers.
        unsafe { mprotect(at, size, protection) }
    }

    /// Puts bytes at the end of a slot, behind which nothing is mapped, and returns their address.
    pub fn place(&self, slot: usize, bytes: &[u8]) -> u64 {
        let bytes = &bytes[..bytes.len().min(Self::SLOT)];
        let end = self.start + (slot % Self::SLOTS) * 2 * Self::SLOT + Self::SLOT;
        let at = end - bytes.len();
        // SAFETY: the slot can be written and has so many bytes before its end. Nothing refers to
        // it but calls of the kernel.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
        at as u64
    }

    pub fn read_only(&self) -> u64 {
        (self.start + Self::READ_ONLY) as u64
    }

    pub fn window(&self) -> u64 {
        (self.start + Self::WINDOW) as u64
    }

    pub fn unmapped(&self) -> u64 {
        (self.start + Self::HOLE) as u64
    }

    /// Returns whether the process has nothing at an address that the kernel could change.
    fn is_harmless(&self, address: u64) -> bool {
        let own = self.start as u64..=(self.start + Self::HOLE) as u64;
        own.contains(&address) || address < Self::PAGE as u64 || address >= Self::USER_END
    }

    /// Reads or writes, at a place of the file if there is one. Each part is an address and a length.
    pub fn transfer(
        &self,
        fd: BorrowedFd,
        transfer: Transfer,
        parts: &[(u64, u64)],
        at: Option<i64>,
    ) -> Result<i64, Errno> {
        if !parts.iter().all(|(address, _)| self.is_harmless(*address)) {
            return Err(Errno::EFAULT);
        }
        let fd = i64::from(fd.as_raw_fd());
        let number = |plain, at_a_place| match at {
            None => plain,
            Some(_) => at_a_place,
        };
        let at = at.unwrap_or(0);
        let result = match parts {
            [(address, length)] => {
                let number = match transfer {
                    Transfer::Read => number(libc::SYS_read, libc::SYS_pread64),
                    Transfer::Write => number(libc::SYS_write, libc::SYS_pwrite64),
                };
                // SAFETY: the kernel writes to memory of the arena only, which nothing refers to:
                // its end is further away than a call transfers, and the other addresses are none
                // of user space.
                unsafe { libc::syscall(number, fd, *address, *length, at) }
            }
            _ => {
                let vector: Vec<[u64; 2]> = parts.iter().map(|(a, l)| [*a, *l]).collect();
                let number = match transfer {
                    Transfer::Read => number(libc::SYS_readv, libc::SYS_preadv),
                    Transfer::Write => number(libc::SYS_writev, libc::SYS_pwritev),
                };
                // SAFETY: as above, for each part; the vector has the layout of `struct iovec` and
                // lives until the call returns.
                unsafe { libc::syscall(number, fd, vector.as_ptr(), vector.len(), at, 0) }
            }
        };
        Errno::result(result)
    }

    /// Calls an ioctl with a number or an address.
    pub fn ioctl(&self, fd: BorrowedFd, number: u32, argument: u64) -> Result<i64, Errno> {
        ioctl_value(fd, number, argument as i64)
    }

    /// Maps a file at the window, instead of what was mapped there.
    pub fn map(&self, fd: impl AsFd, size: usize, at: i64, protection: i32) -> Result<(), Errno> {
        let size = NonZeroUsize::new(size.min(Self::WINDOW_SIZE)).ok_or(Errno::EINVAL)?;
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        let protection = ProtFlags::from_bits_truncate(protection);
        let address = NonZeroUsize::new(self.start + Self::WINDOW);
        // SAFETY: the range is the arena's window, which nothing refers to.
        unsafe { mmap(address, size, protection, flags, fd, at)? };
        Ok(())
    }

    /// Makes the window as it was before something was mapped there.
    pub fn unmap(&self) -> Result<(), Errno> {
        let size = NonZeroUsize::new(Self::WINDOW_SIZE).ok_or(Errno::EINVAL)?;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE | MapFlags::MAP_FIXED;
        let address = NonZeroUsize::new(self.start + Self::WINDOW);
        // SAFETY: the range is the arena's window, which nothing refers to.
        unsafe { mmap_anonymous(address, size, ProtFlags::PROT_NONE, flags)? };
        Ok(())
    }
}

/// Forks a process that does something and then exits.
pub fn fork(child: impl FnOnce()) -> Result<Pid, Errno> {
    // SAFETY: the C library makes its allocator usable in the child, and what the child does takes
    // no other lock than those which this thread holds.
    match unsafe { nix::unistd::fork()? } {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            child();
            // SAFETY: the call ends the process.
            unsafe { libc::_exit(0) }
        }
    }
}

/// Makes SIGALRM end calls that block.
pub fn let_alarms_interrupt() -> Result<(), Errno> {
    extern "C" fn nothing(_: i32) {}
    let action = SigAction::new(
        SigHandler::Handler(nothing),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler does nothing, which it may at any time.
    unsafe { sigaction(Signal::SIGALRM, &action)? };
    Ok(())
}

/// Words that this process and the kernel share, as a file's mapping.
pub struct SharedWords {
    start: NonNull<u64>,
    length: usize,
}

impl SharedWords {
    pub fn new(fd: impl AsFd, length: usize) -> Result<SharedWords, Errno> {
        let size = NonZeroUsize::new(length * size_of::<u64>()).ok_or(Errno::EINVAL)?;
        let both = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the address, so the mapping replaces no other one.
        let start = unsafe { mmap(None, size, both, MapFlags::MAP_SHARED, fd, 0)? };
        Ok(SharedWords {
            start: start.cast(),
            length,
        })
    }

    pub fn get(&self, index: usize) -> u64 {
        assert!(index < self.length);
        // SAFETY: the mapping has so many words and stays. The kernel may change them at any time,
        // so the read is volatile.
        unsafe { self.start.as_ptr().add(index).read_volatile() }
    }

    pub fn set(&self, index: usize, value: u64) {
        assert!(index < self.length);
        // SAFETY: as in `get`.
        unsafe { self.start.as_ptr().add(index).write_volatile(value) }
    }
}

/// Takes over a descriptor that a message has brought.
pub fn received(fd: RawFd) -> OwnedFd {
    // SAFETY: the kernel has made this descriptor for this process, and recvmsg has returned it
    // once, so nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
