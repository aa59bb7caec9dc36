// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rewrites `struct file_operations`.

use super::{Replacement, Site, member_value, parameter_name, replace};

/// The members of `struct proc_ops`, by those of `struct file_operations`.
const PROC_OPS: [(&str, &str); 11] = [
    ("open", "proc_open"),
    ("read", "proc_read"),
    ("read_iter", "proc_read_iter"),
    ("write", "proc_write"),
    ("llseek", "proc_lseek"),
    ("release", "proc_release"),
    ("poll", "proc_poll"),
    ("unlocked_ioctl", "proc_ioctl"),
    ("compat_ioctl", "proc_compat_ioctl"),
    ("mmap", "proc_mmap"),
    ("get_unmapped_area", "proc_get_unmapped_area"),
];

const FILE_OPERATIONS: &str = "struct file_operations";

/// Makes the `struct file_operations` that a call on this line takes a `struct proc_ops`.
pub(crate) fn proc_ops(site: &Site<'_>) -> Vec<Replacement> {
    try_proc_ops(site).unwrap_or_default()
}

fn try_proc_ops(site: &Site<'_>) -> Option<Vec<Replacement>> {
    let source = site.source;
    let statement = source.statement(site.line);
    let mut calls = ["proc_create", "proc_create_data"].into_iter();
    let call = calls.find_map(|name| source.call(name, statement.clone()))?;
    let variable = source.text(call.arguments.get(3)?.clone());
    let variable = variable.trim_start_matches('&').trim();
    // Where else it is used, it may have to stay what it is.
    let uses = source.words(variable, 0..source.len()).into_iter();
    let is_other = |at: &usize| {
        let before = source.code(0..*at).trim_end();
        let is_declared = before.ends_with(FILE_OPERATIONS);
        let statement = source.statement(source.line_of(*at));
        let is_proc = ["proc_create", "proc_create_data"]
            .iter()
            .any(|name| !source.words(name, statement.clone()).is_empty());
        !is_declared && !is_proc
    };
    if uses.filter(is_other).count() > 0 {
        return None;
    }
    let (tag, braces) = source.initializer(FILE_OPERATIONS, variable)?;
    let mut all = vec![replace(tag..tag + FILE_OPERATIONS.len(), "struct proc_ops")];
    for element in source.elements(&braces) {
        let code = source.code(element.clone());
        if code.trim().is_empty() {
            continue;
        }
        // `.open = f`, or gcc's old `open: f`.
        let (name, value) = match code.strip_prefix('.') {
            Some(member) => member.split_once('=')?,
            None => code.split_once(':')?,
        };
        let (name, value) = (name.trim(), value.trim());
        if name == "owner" {
            all.push(replace(source.with_comma(element), ""));
            continue;
        }
        let (_, new) = PROC_OPS.iter().find(|(old, _)| *old == name)?;
        let start = element.start;
        let end = start + code.find(value)?;
        // Blanks that align the values stay.
        let between = &code[..end - start];
        let blanks = between.strip_prefix(&format!(".{name}"));
        let text = match blanks {
            Some(blanks) => format!(".{new}{blanks}"),
            None => format!(".{new} = "),
        };
        all.push(replace(start..end, text));
    }
    Some(all)
}

/// Makes the handler of `.ioctl` one of `.unlocked_ioctl`.
pub(crate) fn unlocked_ioctl(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let words = source.words("ioctl", source.line(*line));
    let ([at], Some(name)) = (&words[..], member_value(source, *line, "ioctl")) else {
        return Vec::new();
    };
    let member = replace(*at..at + "ioctl".len(), "unlocked_ioctl");
    let Some(function) = source.function(name) else {
        return vec![member];
    };
    let [inode, file, ..] = &function.parameters[..] else {
        return vec![member];
    };
    let inode_name = parameter_name(source, inode);
    let is_used = !source.words(inode_name, function.body.clone()).is_empty();
    let [int] = source.words("int", function.before.clone())[..] else {
        return vec![member];
    };
    if function.parameters.len() != 4 || is_used {
        return vec![member];
    }
    vec![
        member,
        replace(int..int + 3, "long"),
        replace(inode.start..file.start, ""),
    ]
}

/// Writes `file_inode(F)` for `F->f_dentry->d_inode`, and `F->f_path.dentry` for the rest.
pub(crate) fn f_dentry(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let rewrite = |at: usize| {
        let end = at + "f_dentry".len();
        let before = source.code(0..at).strip_suffix("->").unwrap_or_default();
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let file = before.len() - before.trim_end_matches(is_name).len();
        let is_whole = !before[..before.len() - file].ends_with(['>', '.', ')', ']']);
        let inode = "->d_inode";
        match source.code(end..source.len()).starts_with(inode) && file > 0 && is_whole {
            true => {
                let start = before.len() - file;
                let name = source.text(start..before.len());
                replace(start..end + inode.len(), format!("file_inode({name})"))
            }
            false => replace(at..end, "f_path.dentry"),
        }
    };
    let places = source.words("f_dentry", source.line(*line)).into_iter();
    places.map(rewrite).collect()
}
