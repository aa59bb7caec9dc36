// SPDX-License-Identifier: MIT OR Apache-2.0

//! The devices, the registers and the kernel's command line of an x86 machine.

use super::tsc;
use crate::Accel;

/// The QEMU program.
pub const PROGRAM: &str = "qemu-system-x86_64";

/// The index of rdi, which has a function's first argument, among the registers that QEMU's
/// gdb stub lists: rax, rbx, rcx, rdx, rsi, rdi, ... Each has eight bytes.
pub(crate) const FIRST_ARGUMENT_REGISTER: usize = 5;

/// Returns the guest's processor, as `-cpu` takes it.
pub fn cpu(accel: Accel) -> &'static str {
    match accel {
        Accel::Kvm => "host",
        // With erms the kernel clears and copies pages a byte at a time, which is fast only on
        // silicon.
        Accel::Tcg => "max,-erms",
    }
}

/// Returns QEMU's arguments for the machine itself: a PC that ends when the guest writes to
/// port 0xf4. `pvh` says that qboot is enough of a BIOS.
pub(crate) fn arguments(accel: Accel, pvh: bool) -> Vec<&'static str> {
    let mut arguments = vec!["-cpu", cpu(accel), "-machine", "pc"];
    arguments.extend(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
    if pvh {
        arguments.extend(["-bios", "qboot.rom"]);
    }
    arguments
}

/// Returns the words for the kernel's command line that such a machine needs.
pub fn kernel_words(accel: Accel) -> Vec<&'static str> {
    let mut words = vec!["console=ttyS0"];
    if accel == Accel::Tcg {
        // On a busy host the emulated timer may fail the kernel's short test of it, and
        // the kernel would panic. The timer is there, so the test is left out.
        words.extend(["noreplace-smp", "no_timer_check"]);
        // All processors of the guest count by the host's one counter. The kernel believes
        // that only of another vendor's processors, and would otherwise read the HPET, a
        // device.
        if tsc::is_clock() {
            words.push("tsc=reliable");
        }
    }
    words
}
