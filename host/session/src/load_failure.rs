// SPDX-License-Identifier: MIT OR Apache-2.0

//! Explains why a module could not be loaded.
//!
//! An errno alone does not say whether the kernel's loader refused the file or the module's
//! init failed: both return ENOENT, for example. What the loader logs does.

use koru_error::Errno;
use koru_protocol::LogRecord;

/// What a module's init usually means by an errno.
const CAUSES: [(Errno, &str); 11] = [
    (
        Errno::NOMEM,
        "memory is short (--memory gives a guest more), proc_create found its name taken or its \
         folder missing, or a size is wrong",
    ),
    (
        Errno::NOENT,
        "the function of a kprobe does not exist in this kernel or was inlined, a file that it \
         opens is not there, or a folder in /proc or debugfs is missing",
    ),
    (
        Errno::INVAL,
        "an argument of a registration is wrong or incomplete, a parameter is out of range, or a \
         function may not be probed",
    ),
    (
        Errno::BUSY,
        "a device number is taken, an interrupt line is not shared, or a region is in use",
    ),
    (
        Errno::EXIST,
        "a name in /sys, a class or a device is taken, a cache or file system of this name \
         exists, or an earlier unload has left it behind",
    ),
    (
        Errno::NODEV,
        "the hardware is not there, the driver found no device, or a needed feature is off",
    ),
    (
        Errno::NXIO,
        "the hardware does not answer, an address is wrong, or a resource is missing",
    ),
    (
        Errno::PERM,
        "init returned -1 instead of an errno, lockdown forbids it, or a capability is missing",
    ),
    (
        Errno::FAULT,
        "an address of user space is wrong, a copy failed, or init returned a count of bytes",
    ),
    (
        Errno::NOSYS,
        "this kernel is built without the feature, the call does not exist, or it is not \
         implemented for this machine",
    ),
    (
        Errno::OPNOTSUPP,
        "this kernel is built without the feature, the device lacks it, or a flag is unknown",
    ),
];

/// Returns what the user can do about a module that could not be loaded, from the errno, whether
/// a module of its name is loaded, and what was logged meanwhile.
pub(crate) fn load_help(errno: i32, is_loaded: bool, records: &[LogRecord]) -> String {
    let kernel = records.iter().filter(|r| r.facility == 0);
    if let Some(help) = kernel.flat_map(|r| r.text.lines()).find_map(loader_help) {
        return help;
    }
    let name = Errno::from_raw_os_error(errno);
    match name {
        Errno::NOEXEC => {
            return "the file is not a module of this kernel: build it for this one (--kernel)"
                .into();
        }
        Errno::EXIST if is_loaded => return "it is already loaded: `koru unload` it first".into(),
        _ => {}
    }
    let causes = CAUSES.iter().find(|(errno, _)| *errno == name);
    // Only its name is searched for: `Errno(-2)` would say nothing.
    let returned = match koru_error::errno_name(errno) {
        Some(name) => format!("init returned -{name}"),
        None => "init returned this error".to_owned(),
    };
    match causes {
        Some((_, causes)) => format!("{returned}: see the log\nusual causes: {causes}"),
        None => format!("{returned}: see the log"),
    }
}

/// Returns why a module could not be loaded, from the errno and from what was logged meanwhile.
pub fn load_message(errno: i32, records: &[LogRecord]) -> String {
    match unknown_symbols(records).as_slice() {
        [] => koru_error::errno_text(errno),
        [symbol] => format!("the kernel did not find the symbol `{symbol}`"),
        symbols => format!("the kernel did not find {} symbols", symbols.len()),
    }
}

/// Returns the symbols that the kernel's module loader did not find, in the order of the log.
pub(crate) fn unknown_symbols(records: &[LogRecord]) -> Vec<&str> {
    let kernel = records.iter().filter(|r| r.facility == 0);
    let lines = kernel.flat_map(|r| r.text.lines());
    let mut symbols = Vec::new();
    for (symbol, _) in lines.filter_map(unknown_symbol) {
        if !symbols.contains(&symbol) {
            symbols.push(symbol);
        }
    }
    symbols
}

/// Returns the symbol of a line such as `x: Unknown symbol y (err -2)`, and what follows it.
fn unknown_symbol(line: &str) -> Option<(&str, &str)> {
    let (_, message) = line.split_once(": ")?;
    let rest = message.strip_prefix("Unknown symbol ")?;
    Some(rest.split_once(' ').unwrap_or((rest, "")))
}

/// Returns the help for a line of the kernel's module loader, `MODULE: MESSAGE`.
fn loader_help(line: &str) -> Option<String> {
    let (_, message) = line.split_once(": ")?;
    if let Some((symbol, rest)) = unknown_symbol(line) {
        return Some(match rest.contains("(err -22)") {
            true => {
                format!("the kernel lets only modules with a GPL-compatible licence use `{symbol}`")
            }
            false => format!("this kernel has no symbol `{symbol}` for modules"),
        });
    }
    if let Some(symbol) = message.strip_prefix("disagrees about version of symbol ") {
        return Some(format!(
            "`{symbol}` is different in the kernel that the module was built for: build it for \
             this one (--kernel)"
        ));
    }
    if let Some((has, wants)) = message
        .strip_prefix("version magic '")
        .and_then(|rest| rest.split_once("' should be '"))
    {
        let release = |magic: &str| magic.split(' ').next().unwrap_or_default().to_owned();
        return Some(format!(
            "it was built for {}, and this kernel is {}: build it for this one (--kernel)",
            release(has),
            release(wants)
        ));
    }
    let invalid = message.split_once(" invalid for parameter ");
    invalid.map(|(value, parameter)| {
        let bare = |text: &str| text.trim_matches(['`', '\'']).to_owned();
        format!(
            "the parameter `{}` does not take the value `{}`",
            bare(parameter),
            bare(value)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(errno: Errno, lines: &[&str]) -> String {
        let record = |text: &&str| LogRecord {
            seq: 0,
            level: 4,
            facility: 0,
            timestamp_us: 0,
            text: (*text).to_owned(),
            continuation: false,
        };
        let records: Vec<LogRecord> = lines.iter().map(record).collect();
        load_help(errno.raw_os_error(), false, &records)
    }

    #[test]
    fn loader_is_told_from_init() {
        for (errno, line, expected) in [
            (
                Errno::NOENT,
                "x: Unknown symbol nosuch (err -2)",
                "no symbol `nosuch`",
            ),
            (
                Errno::INVAL,
                "x: Unknown symbol gpl_only (err -22)",
                "GPL-compatible",
            ),
            (
                Errno::INVAL,
                "x: disagrees about version of symbol module_layout",
                "`module_layout`",
            ),
            (
                Errno::NOEXEC,
                "x: version magic '6.1.0-56-amd64 SMP preempt mod_unload ' should be '6.12.117 SMP '",
                "built for 6.1.0-56-amd64, and this kernel is 6.12.117",
            ),
            (
                Errno::INVAL,
                "x: `abc' invalid for parameter `level'",
                "`level` does not take the value `abc`",
            ),
        ] {
            let help = help(
                errno,
                &["x: loading out-of-tree module taints kernel.", line],
            );
            assert!(help.contains(expected), "{line}: {help}");
        }
        let init = help(
            Errno::NOENT,
            &["x: loading out-of-tree module taints kernel."],
        );
        assert!(
            init.starts_with("init returned -ENOENT: see the log\nusual causes: the function of a"),
            "{init}"
        );
        let other = help(Errno::IO, &[]);
        assert_eq!(other, "init returned -EIO: see the log");
        let twice = load_help(Errno::EXIST.raw_os_error(), true, &[]);
        assert!(twice.starts_with("it is already loaded"), "{twice}");
        let taken = load_help(Errno::EXIST.raw_os_error(), false, &[]);
        assert!(taken.contains("is taken"), "{taken}");
    }

    #[test]
    fn module_cannot_speak_for_the_loader_of_another_program() {
        // What a program writes to /dev/kmsg has another facility.
        let mut record = LogRecord {
            seq: 0,
            level: 4,
            facility: 1,
            timestamp_us: 0,
            text: "x: Unknown symbol nosuch (err -2)".into(),
            continuation: false,
        };
        assert!(load_help(2, false, &[record.clone()]).contains("init"));
        record.facility = 0;
        assert!(load_help(2, false, &[record]).contains("nosuch"));
    }
}
