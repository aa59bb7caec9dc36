// SPDX-License-Identifier: MIT OR Apache-2.0

//! Procedural macros of `koru-pin-init`, which documents them.
//!
//! What they write can contain `unsafe`, also in a crate that forbids it. Three
//! rules keep that sound:
//!
//! - Every token of theirs has a mixed-site span: the user's variables and theirs
//!   never meet, and lints see that a macro wrote them.
//! - No expression of the user stands inside an `unsafe` block of theirs. An
//!   unsafe call in an initialiser needs an `unsafe` that the user wrote.
//! - What an `unsafe` of theirs calls is named by `$crate`, which a macro by example
//!   gives them, and the keyword has its span (see `trusted`): the user's crate may call
//!   itself `pin_init`. The derived `Zeroable`, which has no such macro, uses one path for
//!   what it claims and for what it checks.

use proc_macro::TokenStream;

mod attributes;
mod init;
mod pin_data;
mod pinned_drop;
mod trusted;
mod zeroable;

/// The function-like macros' common part: `(crate) (pinned | moved) input`.
#[doc(hidden)]
#[proc_macro]
pub fn __init(input: TokenStream) -> TokenStream {
    expanded(init::expand(input.into()))
}

#[allow(missing_docs, reason = "`koru-pin-init` documents it")]
#[proc_macro_attribute]
pub fn pin_data(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expanded(pin_data::attribute(arguments.into(), item.into()))
}

/// What [`macro@pin_data`] asks for. As a derive macro, it sees the struct after
/// `#[cfg]` and `#[cfg_attr]` were applied.
#[doc(hidden)]
#[proc_macro_derive(__PinData, attributes(pin, __pin_data))]
pub fn derive_pin_data(item: TokenStream) -> TokenStream {
    expanded(pin_data::derive(item.into()))
}

#[allow(missing_docs, reason = "`koru-pin-init` documents it")]
#[proc_macro_attribute]
pub fn pinned_drop(arguments: TokenStream, item: TokenStream) -> TokenStream {
    pinned_drop::attribute(arguments.into(), item.into()).into()
}

/// What [`macro@pinned_drop`] becomes: `(crate) (arguments) item`.
#[doc(hidden)]
#[proc_macro]
pub fn __pinned_drop(input: TokenStream) -> TokenStream {
    expanded(pinned_drop::expand(input.into()))
}

#[allow(missing_docs, reason = "`koru-pin-init` documents it")]
#[proc_macro_derive(Zeroable)]
pub fn derive_zeroable(item: TokenStream) -> TokenStream {
    expanded(zeroable::derive(item.into()))
}

#[allow(missing_docs, reason = "`koru-pin-init` documents it")]
#[proc_macro_derive(MaybeZeroable)]
pub fn derive_maybe_zeroable(item: TokenStream) -> TokenStream {
    expanded(zeroable::derive_maybe(item.into()))
}

fn expanded(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|e| e.into_compile_error()).into()
}
