// SPDX-License-Identifier: MIT OR Apache-2.0

//! Explains why a module could not be loaded.
//!
//! An errno alone does not say whether the kernel's loader refused the file or the module's
//! init failed: both return ENOENT, for example. What the loader logs does.

use koru_error::Errno;
use koru_protocol::LogRecord;

/// Returns what the user can do about a module that could not be loaded, from the errno and
/// what was logged meanwhile.
pub(crate) fn load_help(errno: i32, records: &[LogRecord]) -> String {
    let kernel = records.iter().filter(|r| r.facility == 0);
    if let Some(help) = kernel.flat_map(|r| r.text.lines()).find_map(loader_help) {
        return help;
    }
    match Errno::from_raw_os_error(errno) {
        Errno::NOEXEC => {
            "the file is not a module of this kernel: build it for this one (--kernel)".into()
        }
        Errno::EXIST => "it is already loaded: `koru unload` it first".into(),
        Errno::NOMEM => {
            init_help("memory is short (--memory gives a guest more), or a name in /proc is taken")
        }
        Errno::NOENT => init_help(
            "something that it looks for does not exist, such as the function of a kprobe",
        ),
        Errno::INVAL => init_help("a function of the kernel refused an argument"),
        Errno::BUSY => init_help("a number or a name that it registers is taken"),
        _ => init_help("see the log"),
    }
}

fn init_help(cause: &str) -> String {
    format!("the module's init returned this error; a usual cause: {cause}")
        .replace("; a usual cause: see the log", ": see the log")
}

/// Returns the help for a line of the kernel's module loader, `MODULE: MESSAGE`.
fn loader_help(line: &str) -> Option<String> {
    let (_, message) = line.split_once(": ")?;
    if let Some(rest) = message.strip_prefix("Unknown symbol ") {
        let symbol = rest.split(' ').next().unwrap_or(rest);
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
        load_help(errno.raw_os_error(), &records)
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
            init.starts_with("the module's init returned this error"),
            "{init}"
        );
        let other = help(Errno::IO, &[]);
        assert_eq!(other, "the module's init returned this error: see the log");
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
        assert!(load_help(2, &[record.clone()]).contains("init"));
        record.facility = 0;
        assert!(load_help(2, &[record]).contains("nosuch"));
    }
}
