// SPDX-License-Identifier: MIT OR Apache-2.0

//! The memory of a process, all of which is mapped.

use std::{cell::RefCell, rc::Rc};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    error::{code::EINVAL, Result},
    fs::file::Offset,
};

/// The data that a write passes.
pub struct UserSliceReader(pub(crate) Vec<u8>);

#[allow(clippy::len_without_is_empty, reason = "no module asks for it")]
impl UserSliceReader {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn read_slice(&mut self, out: &mut [u8]) -> Result {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }

    pub fn read<T: FromBytes>(&mut self) -> Result<T> {
        let mut bytes = vec![0; size_of::<T>()];
        self.read_slice(&mut bytes)?;
        T::read_from_bytes(&bytes).map_err(|_| EINVAL)
    }
}

/// The buffer that a read fills.
pub struct UserSliceWriter {
    room: usize,
    at: usize,
    /// The memory, which writers to the same place share.
    memory: Rc<RefCell<Vec<u8>>>,
}

#[allow(clippy::len_without_is_empty, reason = "no module asks for it")]
impl UserSliceWriter {
    pub(crate) fn new(room: usize) -> Self {
        UserSliceWriter {
            room,
            at: 0,
            memory: Rc::default(),
        }
    }

    pub(crate) fn taken(&self) -> Vec<u8> {
        self.memory.take()
    }

    /// Creates another writer to the part that this one has not written.
    pub fn clone_writer(&self) -> UserSliceWriter {
        UserSliceWriter {
            room: self.room,
            at: self.at,
            memory: self.memory.clone(),
        }
    }

    pub fn len(&self) -> usize {
        self.room
    }

    pub fn is_empty(&self) -> bool {
        self.room == 0
    }

    pub fn write<T: IntoBytes + Immutable>(&mut self, value: &T) -> Result {
        self.put(value.as_bytes());
        Ok(())
    }

    pub fn write_slice_file(&mut self, data: &[u8], pos: &mut Offset) -> Result<usize> {
        let at = usize::try_from(*pos).map_err(|_| EINVAL)?;
        let rest = data.get(at..).unwrap_or_default();
        let len = rest.len().min(self.room);
        self.put(&rest[..len]);
        *pos += len as Offset;
        Ok(len)
    }

    fn put(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.room, "more than there is room for");
        let mut memory = self.memory.borrow_mut();
        memory.truncate(self.at);
        memory.extend_from_slice(bytes);
        self.room -= bytes.len();
        self.at += bytes.len();
    }
}
