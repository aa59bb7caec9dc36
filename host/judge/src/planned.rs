// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a thread does for a planned call.

use crate::{
    layout::Integer,
    step::{Action, Argument},
    together::{Carrier, Planned, Together},
};

/// The name that the calls' file has.
pub const SHARED: &str = "shared";

impl Planned {
    /// Returns what a thread does.
    pub fn action(self, together: &Together) -> Action {
        let file = SHARED.to_owned();
        let call = &together.calls[self.call];
        let bytes = |integer: Integer| match call.operation.gives() {
            true => integer.bytes(i128::from(self.value)).unwrap_or_default(),
            false => vec![0; integer.size()],
        };
        let ioctl = |file, number, argument| Action::Ioctl {
            file,
            number,
            argument,
        };
        match call.carrier {
            Carrier::Write(integer) => Action::Write {
                file,
                bytes: bytes(integer),
                at: None,
            },
            Carrier::Read(integer) => Action::Read {
                file,
                size: integer.size(),
                at: None,
            },
            Carrier::Address(number, integer) => {
                ioctl(file, number, Argument::Bytes(bytes(integer)))
            }
            Carrier::Argument(number) => ioctl(file, number, Argument::Value(self.value)),
            Carrier::Result(number) => ioctl(file, number, Argument::Value(0)),
        }
    }
}
