// SPDX-License-Identifier: GPL-2.0-only

//! The procedural macros.
//!
//! [`prelude`](crate::prelude) has those that modules use.

#[doc(hidden)]
pub use crate::{__log as log, __log_fmt as log_fmt, __seq_print as seq_print};
#[doc(hidden)]
pub use koru_macros::{
    fmt as __fmt, log as __log, log_fmt as __log_fmt, module as __module, seq_print as __seq_print,
};

/// Formats arguments, each in an [`Adapter`](crate::fmt::Adapter).
///
/// This is the kernel's form of [`core::format_args!`].
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, str::CString};
/// fn name(unit: u32) -> Result<CString> {
///     CString::try_from_fmt(fmt!("unit{unit}"))
/// }
/// ```
#[doc(inline)]
pub use crate::__fmt as fmt;

/// Declares a kernel module, at the root of its crate.
///
/// The keys must be given in this order; those with * are required:
///
/// | key | |
/// |---|---|
/// | `type` * | the type that implements [`Module`](crate::Module) or [`InPlaceModule`](crate::InPlaceModule) |
/// | `name` * | the name, for `rmmod` and before every message |
/// | `author`, `authors` | one text, or a list of them |
/// | `description` | what the module does |
/// | `license` * | `"GPL"` or another; one that is not on the kernel's list taints it and hides GPL-only symbols |
/// | `version` | the version that `modinfo` shows |
/// | `alias`, `firmware`, `imports_ns` | lists of texts |
/// | `params` | see below |
///
/// Each of `params` is `name: type { default: .., perm: .., description: .. }`. The type is an
/// integer of up to 64 bits, `bool`, a fixed array of one of these, or `&'static CStr`. `perm` is
/// the mode of the file in /sys/module: 0o444 if it is not given, 0 for no file. It must have no
/// write bits, because the module holds references to the value. The value is
/// `module_parameters::name.value()`.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"greeter\0";
/// # mod greeter {
/// use kernel::prelude::*;
///
/// module! {
///     type: Greeter,
///     name: "greeter",
///     authors: ["You", "Someone else"],
///     description: "Greets as often as it is told",
///     license: "GPL",
///     version: "1.0",
///     params: {
///         whom: &'static CStr { default: c"world", description: "Whom to greet" },
///         repeat: i32 { default: 1, perm: 0o444, description: "How often" },
///     },
/// }
///
/// struct Greeter;
///
/// impl kernel::Module for Greeter {
///     fn init(_module: &'static ThisModule) -> Result<Self> {
///         let whom = module_parameters::whom.value().to_str()?;
///         for _ in 0..*module_parameters::repeat.value() {
///             pr_info!("Hello {whom}\n");
///         }
///         Ok(Greeter)
///     }
/// }
/// # }
/// # fn main() {}
/// ```
#[doc(inline)]
pub use crate::__module as module;

/// Declares a trait with optional methods, or implements one.
///
/// It goes on the trait and on each implementation. The trait then has a constant `HAS_METHOD` for
/// each method, which says whether the implementation defines that method.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
///
/// #[vtable]
/// trait Operations {
///     fn start(&self) {
///         build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
///     }
/// }
///
/// struct Nothing;
///
/// #[vtable]
/// impl Operations for Nothing {}
///
/// static_assert!(!Nothing::HAS_START);
/// ```
pub use koru_macros::vtable;

/// Makes identifiers of parts.
///
/// The result is the input with one identifier in the place of each `[<PART ..>]`, where a part is an
/// identifier, a text or a number. After a part, `:lower` and `:upper` change its letters, and
/// `:span` makes errors point to it. A keyword is refused.
///
/// # Examples
///
/// ```
/// use kernel::macros::paste;
///
/// macro_rules! getter {
///     ($field:ident, $ty:ty) => {
///         paste! {
///             fn [<get_ $field:lower>](value: &Settings) -> $ty {
///                 value.$field
///             }
///         }
///     };
/// }
///
/// struct Settings {
///     limit: u32,
/// }
///
/// getter!(limit, u32);
/// assert!(get_limit(&Settings { limit: 5 }) == 5);
/// ```
pub use koru_macros::paste;

/// Makes one identifier of two.
///
/// # Examples
///
/// ```
/// use kernel::macros::concat_idents;
///
/// const MAX_USERS: u32 = 5;
///
/// macro_rules! most {
///     ($what:ident) => {
///         concat_idents!(MAX_, $what)
///     };
/// }
/// assert!(most!(USERS) == 5);
/// ```
pub use koru_macros::concat_idents;

// These pass `$crate` to the procedural macros, because a module may call another crate `kernel`.

#[doc(hidden)]
#[macro_export]
macro_rules! __module {
    ($($input:tt)*) => { $crate::macros::__module! { ($crate) $($input)* } };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __fmt {
    ($($input:tt)*) => { $crate::macros::__fmt!(($crate) $($input)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($($input:tt)*) => { $crate::macros::__log!(($crate) $($input)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __seq_print {
    ($($input:tt)*) => { $crate::macros::__seq_print!(($crate) $($input)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_fmt {
    ($($input:tt)*) => { $crate::macros::__log_fmt!(($crate) $($input)*) };
}
