//! The machine's own devices: the way out, and the memory through which files
//! come in. All the unsafe code of the agent is here.

use rustix::{
    ioctl::{Setter, ioctl, opcode},
    mm::{MapFlags, ProtFlags, mmap, munmap},
    system::{RebootCommand, reboot},
};
use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

/// QEMU's isa-debug-exit, whose status tells an orderly end from a panic.
const DEBUG_EXIT: u16 = 0xf4;

/// The first bytes of the memory that the host shares with this guest, through
/// QEMU's ivshmem-plain.
pub fn shared_memory(length: usize) -> io::Result<Vec<u8>> {
    let device = shared_device().ok_or(io::ErrorKind::NotFound)?;
    fs::write(device.join("enable"), "1")?;
    // BAR 2 is the memory itself.
    let bar = File::open(device.join("resource2"))?;
    if bar.metadata()?.len() < length as u64 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if length == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: a new mapping at an address of the kernel's choice touches no
    // memory of ours. The kernel refuses it when the device's is smaller.
    let address = unsafe {
        mmap(
            std::ptr::null_mut(),
            length,
            ProtFlags::READ,
            MapFlags::SHARED,
            &bar,
            0,
        )
    }?;
    // SAFETY: `length` bytes are mapped there and readable until the munmap
    // below. The host writes them before it asks and not again until it has
    // the answer, so nobody changes them meanwhile.
    let bytes = unsafe { std::slice::from_raw_parts(address.cast::<u8>(), length) }.to_vec();
    // SAFETY: this is the mapping made above; the slice into it is gone.
    let _ = unsafe { munmap(address, length) };
    Ok(bytes)
}

fn shared_device() -> Option<PathBuf> {
    let is = |device: &PathBuf, file: &str, id: &str| {
        fs::read_to_string(device.join(file)).is_ok_and(|text| text.trim() == id)
    };
    let devices = fs::read_dir("/sys/bus/pci/devices").ok()?;
    let mut devices = devices.flatten().map(|d| d.path());
    devices.find(|d| is(d, "vendor", "0x1af4") && is(d, "device", "0x1110"))
}

/// `struct rand_pool_info` of linux/random.h, with room for one seed.
#[repr(C)]
struct RandPoolInfo {
    entropy_count: i32,
    buf_size: i32,
    buf: [u8; 32],
}

/// Gives the kernel's random numbers a new beginning.
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

/// Ends the guest with `status`; by ACPI when the device is not there.
pub fn power_off(status: u8) -> ! {
    rustix::fs::sync();
    // SAFETY: ioperm only asks the kernel for access to one I/O port; it takes
    // no pointers.
    let granted = unsafe { libc::ioperm(DEBUG_EXIT.into(), 1, 1) } == 0;
    if granted {
        // SAFETY: the kernel granted this thread the port. Writing a byte to
        // it touches no memory; without the device behind it nothing happens.
        unsafe {
            core::arch::asm!(
                "out dx, al",
                in("dx") DEBUG_EXIT,
                in("al") status,
                options(nomem, nostack, preserves_flags)
            );
        }
    }
    let _ = reboot(RebootCommand::PowerOff);
    loop {
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}
