// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tries KVM with a tiny virtual machine that counts, which a real KVM finishes in
//! microseconds.

use std::{
    ptr,
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use kvm_bindings::kvm_userspace_memory_region;
use kvm_ioctls::{Kvm, VcpuExit};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// The time within which a real KVM finishes. An emulated one took 28 ms, a real one stays
/// below 1 ms.
const FAST: Duration = Duration::from_millis(10);

/// The time after which the virtual machine is given up.
const LIMIT: Duration = Duration::from_secs(2);

/// Returns whether `/dev/kvm` runs real-mode code, and runs it fast.
pub(crate) fn passes() -> bool {
    let (done, result) = channel();
    // This is a thread because a broken KVM may never return; the thread is left behind then.
    let started = thread::Builder::new().spawn(move || _ = done.send(run()));
    started.is_ok() && matches!(result.recv_timeout(LIMIT), Ok(Some(elapsed)) if elapsed < FAST)
}

/// Counts 4096 turns in a virtual machine of one page, and returns the time that it took.
fn run() -> Option<Duration> {
    const PAGE: usize = 4096;
    const AT: u64 = 0x1000;
    // mov cx, 4096; again: loop again; hlt
    const CODE: [u8; 6] = [0xb9, 0x00, 0x10, 0xe2, 0xfe, 0xf4];
    let kvm = Kvm::new().ok()?;
    let vm = kvm.create_vm().ok()?;
    // SAFETY: a new anonymous mapping touches no memory that exists.
    let page = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            PAGE,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE,
        )
    }
    .ok()?;
    let elapsed = (|| {
        // SAFETY: the page is ours, writable, and longer than the code.
        unsafe { ptr::copy_nonoverlapping(CODE.as_ptr(), page.cast(), CODE.len()) };
        let region = kvm_userspace_memory_region {
            slot: 0,
            flags: 0,
            guest_phys_addr: AT,
            memory_size: PAGE as u64,
            userspace_addr: page as u64,
        };
        // SAFETY: the page stays mapped until after the machine's last run,
        // and Rust code does not touch it meanwhile.
        unsafe { vm.set_user_memory_region(region) }.ok()?;
        let mut vcpu = vm.create_vcpu(0).ok()?;
        let mut sregs = vcpu.get_sregs().ok()?;
        sregs.cs.base = 0;
        sregs.cs.selector = 0;
        vcpu.set_sregs(&sregs).ok()?;
        let mut regs = vcpu.get_regs().ok()?;
        regs.rip = AT;
        regs.rflags = 2;
        vcpu.set_regs(&regs).ok()?;
        let start = Instant::now();
        match vcpu.run() {
            Ok(VcpuExit::Hlt) => Some(start.elapsed()),
            _ => None,
        }
    })();
    drop(vm);
    // SAFETY: the machine that used the page is gone.
    let _ = unsafe { munmap(page, PAGE) };
    elapsed
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_trial_comes_back() {
        // Either verdict is right on some machine; hanging is not.
        super::passes();
    }
}
