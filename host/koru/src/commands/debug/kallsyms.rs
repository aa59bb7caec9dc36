// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes a kernel's own symbols to a file for a debugger.

use std::{fs::File, path::Path};

use object::{Object, ObjectSymbol, ReadCache};

use super::x86::ELF_MACHINE;

/// The function that the kernel calls when a module is in place and its init has not run yet,
/// with the `struct module` as its argument.
pub const BEFORE_INIT: &str = "do_init_module";

/// The kernel's functions as `/proc/kallsyms` lists them: address and name, ordered by
/// address, without those of modules.
pub struct Functions(Vec<(u64, String)>);

impl Functions {
    pub fn read(kallsyms: &str) -> Functions {
        let mut found: Vec<(u64, String)> = kallsyms
            .lines()
            .filter_map(|line| {
                let mut fields = line.split_whitespace();
                let address = u64::from_str_radix(fields.next()?, 16).ok()?;
                let is_code = matches!(fields.next()?, "t" | "T" | "w" | "W");
                let name = fields.next()?;
                // A fourth field is the name of a module.
                (is_code && fields.next().is_none()).then(|| (address, name.to_owned()))
            })
            .collect();
        found.sort();
        Functions(found)
    }

    /// Returns the address of a function. Compilers give the name of a changed function a
    /// suffix.
    pub fn address(&self, name: &str) -> Option<u64> {
        let is = |known: &str| known.split('.').next() == Some(name);
        let found = self.0.iter().find(|(_, known)| is(known));
        found.map(|(address, _)| *address).filter(|a| *a != 0)
    }

    /// Returns how far the kernel is from the address that this `vmlinux` was linked for, or
    /// `None` if the file is not of this kernel or has no debug info.
    pub fn distance(&self, vmlinux: &Path) -> Option<u64> {
        let file = ReadCache::new(File::open(vmlinux).ok()?);
        let file = object::File::parse(&file).ok()?;
        file.section_by_name(".debug_info")?;
        let mut symbols = file.symbols().filter(|s| s.is_definition());
        let known = symbols.find(|s| s.name() == Ok(BEFORE_INIT))?;
        distance(self.address(BEFORE_INIT)?, known.address())
    }

    /// Returns an ELF file that contains nothing but these names.
    pub fn elf(&self) -> Vec<u8> {
        const HEADER: u64 = 64;
        const SECTION: u64 = 64;
        const SYMBOL: u64 = 24;
        const GLOBAL_FUNCTION: u8 = 1 << 4 | 2;
        let names_of_sections = b"\0.text\0.symtab\0.strtab\0.shstrtab\0";
        let begin = self.0.first().map_or(0, |f| f.0);
        let end = self.0.last().map_or(0, |f| f.0);
        let (mut symbols, mut names) = (vec![0; SYMBOL as usize], vec![0]);
        for (n, (address, name)) in self.0.iter().enumerate() {
            let next = self.0[n..].iter().map(|f| f.0).find(|next| next > address);
            symbols.extend((names.len() as u32).to_le_bytes());
            symbols.extend([GLOBAL_FUNCTION, 0]);
            symbols.extend(1u16.to_le_bytes()); // in .text
            symbols.extend(address.to_le_bytes());
            symbols.extend((next.unwrap_or(*address) - address).to_le_bytes());
            names.extend(name.bytes());
            names.push(0);
        }
        let symbols_at = HEADER;
        let names_at = symbols_at + symbols.len() as u64;
        let section_names_at = names_at + names.len() as u64;
        let sections_at = (section_names_at + names_of_sections.len() as u64).next_multiple_of(8);

        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(16, 0);
        for half in [2, ELF_MACHINE, 1, 0] {
            elf.extend(half.to_le_bytes()); // executable, architecture, version
        }
        for number in [0, 0, sections_at] {
            elf.extend(number.to_le_bytes()); // entry, program and section headers
        }
        elf.extend([0; 4]);
        for half in [HEADER as u16, 0, 0, SECTION as u16, 5, 4] {
            elf.extend(half.to_le_bytes());
        }
        elf.extend(&symbols);
        elf.extend(&names);
        elf.extend(names_of_sections);
        elf.resize(sections_at as usize, 0);
        elf.resize(elf.len() + SECTION as usize, 0);
        // The fields are: name, type, flags, address, offset, size, link, info, alignment,
        // entry size.
        let mut section = |head: [u32; 2], body: [u64; 4], tail: [u32; 2], of_one: u64| {
            head.iter().for_each(|n| elf.extend(n.to_le_bytes()));
            body.iter().for_each(|n| elf.extend(n.to_le_bytes()));
            tail.iter().for_each(|n| elf.extend(n.to_le_bytes()));
            elf.extend(1u64.to_le_bytes());
            elf.extend(of_one.to_le_bytes());
        };
        // The bytes of this section are only in the guest.
        section([1, 8], [6, begin, HEADER, end - begin], [0, 0], 0);
        let length = symbols.len() as u64;
        section([7, 2], [0, 0, symbols_at, length], [3, 1], SYMBOL);
        section([15, 3], [0, 0, names_at, names.len() as u64], [0, 0], 0);
        let length = names_of_sections.len() as u64;
        section([23, 3], [0, 0, section_names_at, length], [0, 0], 0);
        elf
    }
}

/// Returns the distance between two addresses if it is possible: a kernel is moved at boot by
/// whole large pages.
fn distance(here: u64, linked: u64) -> Option<u64> {
    const LARGE_PAGE: u64 = 2 << 20;
    let distance = here.wrapping_sub(linked);
    (distance % LARGE_PAGE == 0).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::ObjectSection;

    #[test]
    fn another_build_is_another_kernel() {
        let linked = 0xffff_ffff_8119_d5b0;
        assert_eq!(distance(linked, linked), Some(0));
        assert_eq!(distance(linked + 0x2a00_0000, linked), Some(0x2a00_0000));
        assert_eq!(distance(linked + 0x40, linked), None);
        let functions = Functions::read(SOME);
        assert_eq!(functions.distance(Path::new("/nowhere")), None);
        let dir = tempfile::tempdir().unwrap();
        let names_only = dir.path().join("vmlinux");
        std::fs::write(&names_only, functions.elf()).unwrap();
        assert_eq!(functions.distance(&names_only), None);
    }

    const SOME: &str = "\
ffffffff81000000 T _stext
ffffffff81000040 t do_init_module.isra.0
ffffffff81000040 T alias
ffffffff82000000 D data
ffffffff81000100 W last
ffffffffc0000000 t init_module\t[hello]
";

    #[test]
    fn names_of_the_kernel() {
        let functions = Functions::read(SOME);
        let at = functions.address("do_init_module");
        assert_eq!(at, Some(0xffff_ffff_8100_0040));
        assert_eq!(functions.address("init_module"), None);
        // Some users may not see the addresses.
        let hidden = Functions::read("0000000000000000 t do_init_module\n");
        assert_eq!(hidden.address("do_init_module"), None);
    }

    #[test]
    fn a_file_that_others_can_read() {
        let elf = Functions::read(SOME).elf();
        let file = object::File::parse(&*elf).unwrap();
        let text = file.section_by_name(".text").unwrap();
        assert_eq!(
            (text.address(), text.size()),
            (0xffff_ffff_8100_0000, 0x100)
        );
        let symbols: Vec<_> = file
            .symbols()
            .map(|s| (s.name().unwrap(), s.address() & 0xfff, s.size()))
            .collect();
        let wanted = [
            ("_stext", 0, 0x40),
            ("alias", 0x40, 0xc0),
            ("do_init_module.isra.0", 0x40, 0xc0),
            ("last", 0x100, 0),
        ];
        assert_eq!(symbols, wanted);
    }
}
