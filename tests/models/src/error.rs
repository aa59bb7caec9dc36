// SPDX-License-Identifier: MIT OR Apache-2.0

//! Errors, which are numbers.

use std::convert::Infallible;

use crate::alloc::AllocError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error(pub(crate) i32);

pub type Result<T = (), E = Error> = core::result::Result<T, E>;

pub mod code {
    use super::Error;

    pub const ENOMEM: Error = Error(12);
    pub const EACCES: Error = Error(13);
    pub const EINVAL: Error = Error(22);
    pub const ENOSPC: Error = Error(28);
    pub const EMSGSIZE: Error = Error(90);
    pub const ERESTARTSYS: Error = Error(512);
}

impl From<AllocError> for Error {
    fn from(_: AllocError) -> Error {
        code::ENOMEM
    }
}

impl From<std::num::TryFromIntError> for Error {
    fn from(_: std::num::TryFromIntError) -> Error {
        code::EINVAL
    }
}

impl From<std::fmt::Error> for Error {
    fn from(_: std::fmt::Error) -> Error {
        code::EINVAL
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Error {
        match never {}
    }
}
