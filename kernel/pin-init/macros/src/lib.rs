// SPDX-License-Identifier: MIT OR Apache-2.0

//! The procedural macros of `koru-pin-init`, which documents them.
//!
//! Their output can contain `unsafe`, also in a crate that forbids it. Three rules keep that sound:
//!
//! - Every token of the macros has a mixed-site span: variables of the user and of the macros never
//!   meet, and lints see that a macro wrote the code.
//! - No expression of the user is inside an `unsafe` block of the macros. An unsafe call in an
//!   initialiser needs an `unsafe` that the user wrote.
//! - What an `unsafe` of the macros calls is named by `$crate`, which a declarative macro passes,
//!   and the keyword has the span of that (see `trusted`), because the user's crate may be called
//!   `pin_init`. The derived `Zeroable`, which has no such macro, uses the same path for what it
//!   claims and for what it checks.

use proc_macro::TokenStream;

mod attributes;
mod init;
mod pin_data;
mod pinned_drop;
mod trusted;
mod zeroable;

/// Expands the function-like macros: `(crate) (pinned | moved) input`.
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

/// Expands [`macro@pin_data`].
///
/// A derive macro sees the struct after `#[cfg]` and `#[cfg_attr]` were applied.
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

/// Expands [`macro@pinned_drop`]: `(crate) (arguments) item`.
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
