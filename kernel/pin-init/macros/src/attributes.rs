// SPDX-License-Identifier: MIT OR Apache-2.0

//! The attributes that an entry of an initialiser may have.

use syn::{Attribute, Error, Result};

/// Accepts `#[cfg]` and the lint levels, which mean the same on every piece of code that an entry
/// expands to.
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

/// Returns whether the attribute is `#[cfg(..)]`, which all parts of an entry need.
pub fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}
