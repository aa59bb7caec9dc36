// SPDX-License-Identifier: MIT OR Apache-2.0

//! Demangles names of symbols.

/// Returns a function's name as its source has it. Names in C stay as they are.
///
/// ```
/// use koru_klog::demangled;
/// let take = "_RNvMs_Cs5A6xvgFVS0T_14kt_fault_panicNtB4_6Panics4take";
/// assert_eq!(demangled(take), "kt_fault_panic::Panics::take");
/// assert_eq!(demangled("do_one_initcall"), "do_one_initcall");
/// ```
pub fn demangled(symbol: &str) -> String {
    let Ok(name) = rustc_demangle::try_demangle(symbol) else {
        return symbol.to_owned();
    };
    let name = format!("{name:#}");
    // `<a::Type>::method` is an inherent method of the type.
    if let Some((own, rest)) = name.strip_prefix('<').and_then(|n| n.split_once(">::")) {
        if !own.contains(['<', ' ', '&', '*', '[', '(']) {
            return format!("{own}::{rest}");
        }
    }
    name
}
