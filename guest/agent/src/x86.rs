// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the agent does on x86 only: it ends QEMU through an I/O port, and reads the processor's
//! counter.

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

/// Returns the processor's counter.
#[inline]
pub fn ticks() -> u64 {
    // SAFETY: every processor of this architecture has the instruction, which changes nothing, and
    // Linux lets processes use it unless they ask for the opposite.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// A system call, with its number and all arguments but the first.
#[derive(Clone, Copy)]
pub struct SystemCall {
    pub number: libc::c_long,
    pub arguments: [usize; 3],
}

/// Makes a system call and returns its result, which is a negative errno if it failed.
///
/// # Safety
///
/// The kernel may read and write what the arguments point to, as the system call's manual page
/// says, and close or replace the file that `first` names. Nothing else in this process may rely
/// on those.
#[inline]
pub unsafe fn system_call(call: &SystemCall, first: usize) -> isize {
    let result: isize;
    // SAFETY: the instruction changes the three registers named here, and what the caller
    // vouches for.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") call.number as isize => result,
            in("rdi") first,
            in("rsi") call.arguments[0],
            in("rdx") call.arguments[1],
            in("r10") call.arguments[2],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        );
    }
    result
}
