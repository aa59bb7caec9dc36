// SPDX-License-Identifier: MIT OR Apache-2.0

//! All architectures, and what differs between them in the reports of kernels.

use crate::{Frame, arch::Arch, arm, mips, powerpc, riscv, s390, x86};

/// All architectures. A log does not say which one it is from, so each line is compared with
/// all of them.
pub(crate) const ALL: [&Arch; 6] = [
    &x86::ARCH,
    &arm::ARCH,
    &riscv::ARCH,
    &powerpc::ARCH,
    &s390::ARCH,
    &mips::ARCH,
];

/// Returns where the processor was, if a line shows that: `Some(None)` is an address that is
/// in no function.
pub(crate) fn pointer(text: &str) -> Option<Option<Frame>> {
    let place = ALL.iter().find_map(|arch| (arch.pointer)(text))?;
    Some(Frame::of_pointer(place))
}

/// Returns whether a line shows registers.
pub(crate) fn is_registers(text: &str) -> bool {
    let mut registers = ALL.iter().flat_map(|arch| arch.registers);
    registers.any(|begin| text.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_processor_was() {
        for line in [
            "RIP: 0010:f+0x10/0x20 [m]",
            "RIP: e030:f+0x10/0x20 [m]",
            "RIP: 0010:[<ffffffffa0a42101>]  [<ffffffffa0a42101>] f+0x10/0x20 [m]",
            "RIP  [<ffffffffa0a42101>] f+0x10/0x20 [m]",
            "IP: [<ffffffffa0a42101>] f+0x10/0x20 [m]",
            "EIP is at f+0x10/0x20 [m]",
            "EIP: f+0x10/0x20 [m]",
            "pc : f+0x10/0x20 [m]",
            "PC is at f+0x10/0x20 [m]",
            "epc : f+0x10/0x20 [m]",
            "NIP [c00000000012f4d0] f+0x10/0x20 [m]",
            "NIP f+0x10/0x20 [m]",
            "pc: c00000000012f4d0: f+0x10/0x20 [m]",
            "epc   : 8003ab3c f+0x10/0x20 [m]",
            "ERA: 9000000001045fa4 f+0x10/0x20 [m]",
            "RIP: 0010:f+0x10/0x20 (drivers/m/main.c:52) [m]",
            "NIP [c00000000012f4d0] .f+0x10/0x20 [m]",
            "Krnl PSW : 0704c00180000000 000003ff801e6072 (f+0x10/0x20 [m])",
            "Krnl PSW : 0704c00180000000 000003ff801e6072 ([<000003ff801e6072>] f+0x10/0x20 [m])",
        ] {
            let frame = pointer(line).flatten();
            let frame = frame.unwrap_or_else(|| panic!("{line}"));
            assert_eq!((&*frame.symbol, frame.offset), ("f", 0x10), "{line}");
            assert_eq!(frame.module.as_deref(), Some("m"), "{line}");
            assert!(frame.exact);
        }
    }

    #[test]
    fn addresses_without_a_function() {
        for line in [
            "RIP: 0010:0x0",
            "IP: [<          (null)>]           (null)",
            "pc : 0x0",
        ] {
            assert_eq!(pointer(line), Some(None), "{line}");
        }
        // This is where user space was.
        for line in ["RIP: 0033:0x7fcf3965180a", "RIP: 0033:f+0x1/0x2"] {
            assert_eq!(pointer(line), None, "{line}");
            assert!(is_registers(line));
        }
        assert_eq!(pointer("IP: 10.0.0.1 is up"), Some(None));
    }
}
