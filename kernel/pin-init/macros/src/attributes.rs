// SPDX-License-Identifier: MIT OR Apache-2.0

//! Attributes that an initialiser's entries may have.

use syn::{Attribute, Error, Result};

/// Accepts `#[cfg]` and the lint levels: what means the same on every piece of
/// code that one entry becomes.
pub fn check(attributes: &[Attribute]) -> Result<()> {
    for attribute in attributes {
        let lint = ["allow", "warn", "deny", "forbid", "expect"];
        let known = is_cfg(attribute) || lint.iter().any(|name| attribute.path().is_ident(name));
        if !known {
            return Err(Error::new_spanned(
                attribute,
                "only `#[cfg(..)]` and lint levels are allowed here",
            ));
        }
    }
    Ok(())
}

/// Whether it is `#[cfg(..)]`, which all parts of an entry need.
pub fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}
