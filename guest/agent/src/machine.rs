// SPDX-License-Identifier: MIT OR Apache-2.0

//! Uses the machine's own devices: the one that ends the guest, and the memory through which
//! files come in. The agent's unsafe code is here, in `x86`, `scheduling` and
//! `measure_steps`.

use std::{
    fs::{self, File},
    io,
    ops::Range,
    path::PathBuf,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use koru_protocol::SHARED_BYTES;
use rustix::{
    ioctl::{Setter, ioctl, opcode},
    mm::{Advice, MapFlags, ProtFlags, madvise, mmap},
    system::{RebootCommand, reboot},
};

use crate::x86;

/// The memory that the host shares with this guest through QEMU's ivshmem-plain. The memory is
/// mapped for as long as the guest runs.
pub struct SharedMemory {
    start: NonNull<u8>,
}

// SAFETY: the mapping is the whole process's and is never undone.
unsafe impl Send for SharedMemory {}
// SAFETY: the mapping is the whole process's and is never undone. The safety comments of
// `read`, `write` and `number` say which side accesses which bytes when.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Maps the shared memory. A guest that was resumed from a snapshot does not know yet that
    /// it has the device, and has to look again.
    pub fn find(look_again: bool) -> io::Result<Self> {
        let device = shared_device().or_else(|| {
            if look_again {
                fs::write("/sys/bus/pci/rescan", "1").ok()?;
            }
            shared_device()
        });
        let device = device.ok_or(io::ErrorKind::NotFound)?;
        fs::write(device.join("enable"), "1")?;
        // BAR 2 of the device is the memory.
        let bar = File::options()
            .read(true)
            .write(true)
            .open(device.join("resource2"))?;
        if bar.metadata()?.len() < SHARED_BYTES as u64 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: a new mapping at an address of the kernel's choice touches no
        // memory of ours. The kernel refuses it when the device's is smaller.
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                SHARED_BYTES,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &bar,
                0,
            )
        }?;
        // A fork would copy all page table entries of the mapping, which the kernel has filled
        // in.
        // SAFETY: the mapping is this function's own, and the range is all of it. That a
        // child does not inherit the mapping changes nothing in this process.
        unsafe { madvise(address, SHARED_BYTES, Advice::LinuxDontFork) }?;
        let start = NonNull::new(address.cast()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(SharedMemory { start })
    }

    /// Returns a copy of some bytes that the host has handed over.
    pub fn read(&self, range: Range<usize>) -> Vec<u8> {
        assert!(range.start <= range.end && range.end <= SHARED_BYTES);
        // SAFETY: the range is inside the mapping. After the host has announced these bytes,
        // it does not write to them before this side has stored that they are taken.
        let bytes = unsafe {
            std::slice::from_raw_parts(self.start.as_ptr().add(range.start), range.len())
        };
        bytes.to_vec()
    }

    /// Writes some bytes to a place that nobody reads yet.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        assert!(at <= SHARED_BYTES && bytes.len() <= SHARED_BYTES - at);
        // SAFETY: the range is inside the mapping, and `bytes` is not, because no other
        // reference of this process leads into the mapping. The host does not read these bytes
        // before they are announced.
        unsafe {
            let to = self.start.as_ptr().add(at);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    /// Returns a number that the host changes.
    pub fn get(&self, at: usize) -> u64 {
        self.number(at).load(Ordering::Acquire)
    }

    /// Sets a number that the host reads.
    pub fn set(&self, at: usize, value: u64) {
        self.number(at).store(value, Ordering::Release);
    }

    fn number(&self, at: usize) -> &AtomicU64 {
        assert!(at % 8 == 0 && at < SHARED_BYTES);
        // SAFETY: the eight bytes are inside the mapping, which is aligned to a
        // page, and both sides only ever use them as an atomic number.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(at).cast()) }
    }
}

fn shared_device() -> Option<PathBuf> {
    let is = |device: &PathBuf, file: &str, id: &str| {
        fs::read_to_string(device.join(file)).is_ok_and(|text| text.trim() == id)
    };
    let devices = fs::read_dir("/sys/bus/pci/devices").ok()?;
    let mut devices = devices.flatten().map(|d| d.path());
    devices.find(|d| is(d, "vendor", "0x1af4") && is(d, "device", "0x1110"))
}

/// The `struct rand_pool_info` of linux/random.h, with room for one seed.
#[repr(C)]
struct RandPoolInfo {
    entropy_count: i32,
    buf_size: i32,
    buf: [u8; 32],
}

/// Seeds the kernel's random numbers again.
pub fn reseed(seed: [u8; 32]) -> io::Result<()> {
    const RNDADDENTROPY: rustix::ioctl::Opcode = opcode::write::<[i32; 2]>(b'R', 3);
    const RNDRESEEDCRNG: rustix::ioctl::Opcode = opcode::none(b'R', 7);
    let random = File::options().write(true).open("/dev/urandom")?;
    let info = RandPoolInfo {
        entropy_count: 256,
        buf_size: 32,
        buf: seed,
    };
    // SAFETY: RNDADDENTROPY reads a rand_pool_info and the `buf_size` bytes
    // behind its two numbers; `info` is that, and lives through the call.
    unsafe { ioctl(&random, Setter::<RNDADDENTROPY, _>::new(info)) }?;
    // SAFETY: RNDRESEEDCRNG takes no argument.
    unsafe { ioctl(&random, rustix::ioctl::NoArg::<RNDRESEEDCRNG>::new()) }?;
    Ok(())
}

/// Ends the guest with `status`. If there is no device for that, the guest is powered off by
/// ACPI, without the status.
pub fn power_off(status: u8) -> ! {
    rustix::fs::sync();
    x86::exit_qemu(status);
    let _ = reboot(RebootCommand::PowerOff);
    loop {
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}
