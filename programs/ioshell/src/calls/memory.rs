// SPDX-License-Identifier: MIT OR Apache-2.0

//! Good and bad pointers.

use std::fmt;

use crate::{bytes::from_hex, raw::Arena};

/// An address that a call gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// These bytes, which can be read and written; nothing is mapped behind them.
    Bytes(Vec<u8>),
    /// So many zeros, as with bytes.
    Room(usize),
    Null,
    /// An address of user space where nothing is.
    Unmapped,
    /// A page that can only be read.
    ReadOnly,
    /// Only the first eight bytes are there.
    Half,
    /// An address of the kernel's own memory.
    Kernel,
    /// An address that the processor knows to be none.
    NonCanonical,
    /// Where `mmap` maps files.
    Window,
}

/// Pointers that are words.
pub const NAMED: [(&str, Memory); 7] = [
    ("null", Memory::Null),
    ("unmapped", Memory::Unmapped),
    ("readonly", Memory::ReadOnly),
    ("half", Memory::Half),
    ("kernel", Memory::Kernel),
    ("noncanonical", Memory::NonCanonical),
    ("window", Memory::Window),
];

impl Memory {
    /// Reads a word, which may be something else.
    pub fn parse(text: &str) -> Result<Option<Memory>, String> {
        let memory = if let Some(hex) = text.strip_prefix('=') {
            Memory::Bytes(from_hex(hex)?)
        } else if let Some(size) = text.strip_prefix("room:") {
            let size = size.parse();
            Memory::Room(size.map_err(|_| format!("`{text}`: a number of bytes follows"))?)
        } else {
            let named = NAMED.iter().find(|(name, _)| *name == text);
            return Ok(named.map(|(_, memory)| memory.clone()));
        };
        match memory.size() <= Arena::SLOT {
            true => Ok(Some(memory)),
            false => Err(format!("there are at most {} bytes", Arena::SLOT)),
        }
    }

    /// Returns how many bytes can be used.
    pub fn size(&self) -> usize {
        match self {
            Memory::Bytes(bytes) => bytes.len(),
            Memory::Room(size) => *size,
            Memory::Half => 8,
            Memory::ReadOnly => 4096,
            _ => 0,
        }
    }

    /// Prepares the memory in a slot, and returns its address.
    pub fn address(&self, arena: &Arena, slot: usize) -> u64 {
        match self {
            Memory::Bytes(bytes) => arena.place(slot, bytes),
            Memory::Room(size) => arena.place(slot, &vec![0; *size]),
            Memory::Null => 0,
            Memory::Unmapped => arena.unmapped(),
            Memory::ReadOnly => arena.read_only(),
            Memory::Half => arena.place(slot, b"half\n\0\0\0"),
            // Where the kernel maps all memory.
            Memory::Kernel => 0xffff_8880_0000_0000,
            Memory::NonCanonical => 0x8000_0000_0000_0000,
            Memory::Window => arena.window(),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Memory::Bytes(bytes) => {
                f.write_str("=")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Memory::Room(size) => write!(f, "room:{size}"),
            named => {
                let name = NAMED.iter().find(|(_, memory)| memory == named);
                f.write_str(name.map_or("", |(name, _)| name))
            }
        }
    }
}
