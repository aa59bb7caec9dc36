// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the agent does on x86 only: it ends QEMU through an I/O port.

/// The port of QEMU's isa-debug-exit, whose status distinguishes an orderly end from a panic.
const DEBUG_EXIT: u16 = 0xf4;

/// Ends QEMU with `status`. Returns if the device is missing, or if the kernel grants nobody
/// its port (without X86_IOPL_IOPERM, or locked down).
pub fn exit_qemu(status: u8) {
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
}
