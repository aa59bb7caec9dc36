// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rewrites what concerns a process's memory.

use super::{Replacement, Site, replace};

/// Writes `mmap_read_lock(M)` for `down_read(&M->mmap_sem)`, and so on.
pub(crate) fn mmap_lock(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let calls = [
        ("down_read", "mmap_read_lock"),
        ("up_read", "mmap_read_unlock"),
        ("down_write", "mmap_write_lock"),
        ("up_write", "mmap_write_unlock"),
        ("down_read_trylock", "mmap_read_trylock"),
        ("down_write_trylock", "mmap_write_trylock"),
    ];
    let rewrite = |(old, new): &(&str, &str)| {
        let call = source.call(old, source.statement(*line))?;
        let [argument] = &call.arguments[..] else {
            return None;
        };
        let mm = source.text(argument.clone()).strip_prefix('&')?;
        let mm = mm.trim().strip_suffix("->mmap_sem")?;
        Some(replace(call.range.clone(), format!("{new}({mm})")))
    };
    calls.iter().filter_map(rewrite).collect()
}

/// Writes `vm_flags_set(V, F)` for `V->vm_flags |= F`, and so on.
pub(crate) fn vm_flags(site: &Site<'_>) -> Vec<Replacement> {
    try_vm_flags(site).into_iter().collect()
}

fn try_vm_flags(site: &Site<'_>) -> Option<Replacement> {
    let Site { source, line } = site;
    let [at] = source.words("vm_flags", source.line(*line))[..] else {
        return None;
    };
    let code = source.code(0..source.len());
    let before = code[..at].strip_suffix("->")?;
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '>');
    let start = before.trim_end_matches(is_part).len();
    let vma = &before[start..];
    let rest = code[at + "vm_flags".len()..].trim_start();
    let end = code.len() - rest.len() + rest.find(';')?;
    let (function, value) = if let Some(value) = rest.strip_prefix("|=") {
        ("vm_flags_set", value)
    } else if let Some(value) = rest.strip_prefix("&=") {
        ("vm_flags_clear", value.trim_start().strip_prefix('~')?)
    } else {
        let value = rest.strip_prefix('=').filter(|v| !v.starts_with('='));
        ("vm_flags_reset", value?)
    };
    let value = source.text(code.len() - value.len()..end).trim();
    let value = match value.strip_prefix('(').and_then(|v| v.strip_suffix(')')) {
        Some(inner) if !inner.contains(['(', ')']) => inner,
        _ => value,
    };
    Some(replace(start..end, format!("{function}({vma}, {value})")))
}
