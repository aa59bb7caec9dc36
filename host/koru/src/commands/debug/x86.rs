// SPDX-License-Identifier: MIT OR Apache-2.0

//! What debugging a module depends on in the x86 architecture.

use koru_error::Result;
use object::{RelocationFlags, elf};

/// The linker's name for such files, as `ld -m` takes it.
pub const LD_EMULATION: &str = "elf_x86_64";

/// The number of the architecture in the header of an ELF file.
pub const ELF_MACHINE: u16 = 62;

/// Returns the address that a relocation at `place` refers to, from the value that the kernel
/// wrote there.
pub fn relocation_target(
    flags: RelocationFlags,
    place: u64,
    read: &mut impl FnMut(u64, usize) -> Result<Vec<u8>>,
) -> Result<Option<u64>> {
    let RelocationFlags::Elf { r_type } = flags else {
        return Ok(None);
    };
    let mut number = |bytes: usize| -> Result<u64> {
        let bytes = read(place, bytes)?;
        let mut wide = match bytes.last() {
            Some(last) if last & 0x80 != 0 => [0xff; 8],
            _ => [0; 8],
        };
        wide[..bytes.len()].copy_from_slice(&bytes);
        Ok(u64::from_le_bytes(wide))
    };
    Ok(match r_type {
        elf::R_X86_64_64 => Some(number(8)?),
        elf::R_X86_64_32S => Some(number(4)?),
        elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => Some(number(4)?.wrapping_add(place)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relocations_tell_what_they_refer_to() {
        let place = 0xffff_ffff_c000_0010_u64;
        let of = |r_type, bytes: &[u8]| {
            let flags = RelocationFlags::Elf { r_type };
            let mut read = |at, length| {
                assert_eq!((at, length), (place, bytes.len()));
                Ok(bytes.to_vec())
            };
            relocation_target(flags, place, &mut read).unwrap()
        };
        let address = 0xffff_ffff_c020_5000_u64;
        let bytes = address.to_le_bytes();
        assert_eq!(of(elf::R_X86_64_64, &bytes), Some(address));
        assert_eq!(of(elf::R_X86_64_32S, &bytes[..4]), Some(address));
        let relative = (-16_i32).to_le_bytes();
        let back = of(elf::R_X86_64_PC32, &relative);
        assert_eq!(back, Some(0xffff_ffff_c000_0000));
        assert_eq!(of(elf::R_X86_64_NONE, &[]), None);
    }
}
