// SPDX-License-Identifier: GPL-2.0-only

//! The procedural macros of the `kernel` crate, which re-exports and documents them:
//! [`macro@vtable`], [`module!`] and [`fmt!`].
//!
//! `module!` writes code that a module must not write itself, as `trusted` explains.

#![allow(
    clippy::unnecessary_safety_comment,
    reason = "they argue for the unsafe code that the macros write"
)]

mod fmt;
mod keys;
mod module;
mod param;
mod paste;
mod print;
#[path = "../../pin-init/macros/src/trusted.rs"]
mod trusted;
mod vtable;

use proc_macro::TokenStream;

/// Declares a kernel module; `kernel::macros::module`, which has the documentation, puts `(crate)`
/// before the input.
#[proc_macro]
pub fn module(input: TokenStream) -> TokenStream {
    let module = syn::parse_macro_input!(input as module::ModuleInfo);
    module.expand().into()
}

/// Declares or implements a trait with optional methods; `kernel::macros::vtable` has the
/// documentation.
#[proc_macro_attribute]
pub fn vtable(attr: TokenStream, item: TokenStream) -> TokenStream {
    let item = syn::parse_macro_input!(item as syn::Item);
    vtable::expand(attr.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Formats arguments; `kernel::macros::fmt`, which has the documentation, puts `(crate)` before the
/// input.
#[proc_macro]
pub fn fmt(input: TokenStream) -> TokenStream {
    let wrap = fmt::Wrap::Adapter;
    fmt::expand(input.into(), wrap)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes identifiers of parts; `kernel::macros::paste` has the documentation.
#[proc_macro]
pub fn paste(input: TokenStream) -> TokenStream {
    paste::expand(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes one identifier of two; `kernel::macros::concat_idents` has the documentation.
#[proc_macro]
pub fn concat_idents(input: TokenStream) -> TokenStream {
    paste::concat(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Prints a message with arguments, which cannot forge records.
#[doc(hidden)]
#[proc_macro]
pub fn log(input: TokenStream) -> TokenStream {
    print::log(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Prints a message with arguments to a sequential file.
#[doc(hidden)]
#[proc_macro]
pub fn seq_print(input: TokenStream) -> TokenStream {
    print::seq_print(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Formats arguments for the log, so that they cannot forge records.
#[doc(hidden)]
#[proc_macro]
pub fn log_fmt(input: TokenStream) -> TokenStream {
    let wrap = fmt::Wrap::Escape;
    fmt::expand(input.into(), wrap)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
