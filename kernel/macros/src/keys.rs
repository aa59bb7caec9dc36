// SPDX-License-Identifier: GPL-2.0-only

//! The keys of `module!` and of its parameters, which have a fixed order.

use syn::ext::IdentExt;
use syn::{Error, Ident, Result};

/// Returns the position of `key` in `order`.
///
/// The error names the key if it is unknown, was given before, or comes too late; `next` is the
/// first position that is still allowed.
pub(crate) fn position(key: &Ident, order: &[&str], next: usize, of: &str) -> Result<usize> {
    let name = key.unraw().to_string();
    let Some(position) = order.iter().position(|known| *known == name) else {
        return Err(Error::new(
            key.span(),
            format!(
                "unknown key `{name}` of {of}; the keys are: {}",
                order.join(", ")
            ),
        ));
    };
    if position < next {
        let before = order[next - 1];
        let message = if before == name {
            format!("key `{name}` of {of} is given twice")
        } else {
            format!("key `{name}` of {of} must come before `{before}`")
        };
        return Err(Error::new(key.span(), message));
    }
    Ok(position)
}
