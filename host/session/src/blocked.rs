// SPDX-License-Identifier: MIT OR Apache-2.0

//! Explains from kernel stacks what keeps a load or an unload from ending.

use koru_klog::demangled;
use koru_protocol::Inside;

/// The largest number of tasks that a message names.
const NAMED: usize = 3;

/// Describes the tasks that are in the module's code; returns `None` when there are none.
pub fn reason(inside: &[Inside]) -> Option<String> {
    let who = named(inside)?;
    if let Some(own) = inside.iter().find(|task| waits_for_itself(&task.stack)) {
        return Some(format!(
            "{} is removing a file in a call of that very file, so it waits for itself",
            name(own)
        ));
    }
    let (verb, have) = match inside.len() {
        1 => ("is", "has"),
        _ => ("are", "have"),
    };
    let why = match inside.iter().all(cannot_be_killed) {
        true => ", and cannot be killed: it may be waiting for a lock that was never released",
        false => "",
    };
    Some(format!(
        "{who} {verb} in the module's code and {have} not left it{why}"
    ))
}

/// Returns what the user can do about the tasks that are in the module's code.
pub fn hint(inside: &[Inside]) -> Option<&'static str> {
    if inside.is_empty() {
        return None;
    }
    if inside.iter().any(|task| waits_for_itself(&task.stack)) {
        return Some("only a restart of the machine ends this (`koru vm stop`)");
    }
    if inside.iter().all(cannot_be_killed) {
        return Some(
            "the owner of the lock must release it; if its guard was leaked, only a restart of \
             the machine helps (`koru vm stop`)",
        );
    }
    Some(
        "end that call, for example with `koru exec kill PID` in a guest that stays up; a file \
         whose calls block must end them in its `removing()`",
    )
}

/// Returns the innermost place of a stack that is in a module, as `f+0x1/0x2 [m]`: where a call
/// returns to.
pub fn place(stack: &str) -> Option<&str> {
    let places = stack.lines().map(|line| line.trim_start_matches("[<0>] "));
    places.into_iter().find(|place| place.ends_with(']'))
}

/// Returns what the user can do about a task that waits by itself in a module's code: the kernel
/// leaves out the functions that switch to another task, such as `mutex_lock`, so a lock is
/// waited for if a module's function is the innermost.
pub fn lock_hint(stack: &str) -> Option<&'static str> {
    let innermost = stack.lines().next()?;
    innermost.ends_with(']').then_some(
        "if it waits for a lock, look for who has taken it: perhaps the same task, or a function \
         that returned without releasing it",
    )
}

/// Formats the stacks that could be read, each below the name of its task.
pub fn stacks(own: &str, inside: &[Inside]) -> String {
    let others = inside
        .iter()
        .take(NAMED)
        .map(|task| (name(task), task.stack.as_str()));
    [("who waits".to_owned(), own)]
        .into_iter()
        .chain(others)
        .filter(|(_, stack)| !stack.trim().is_empty())
        .map(|(who, stack)| {
            let lines = stack.lines().map(|line| format!("  {}\n", function(line)));
            format!("the stack of {who}:\n{}", lines.collect::<String>())
        })
        .collect()
}

/// Formats a line of a stack: the function as its author wrote it, and the module.
fn function(line: &str) -> String {
    let line = line.trim_start_matches("[<0>] ");
    let (symbol, rest) = line.split_once('+').unwrap_or((line, ""));
    match rest.split_once(' ') {
        Some((_, module)) => format!("{} {module}", demangled(symbol)),
        None => demangled(symbol),
    }
}

fn named(inside: &[Inside]) -> Option<String> {
    let mut names: Vec<String> = inside.iter().take(NAMED).map(name).collect();
    let more = inside.len().saturating_sub(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let last = names.pop()?;
    Some(match names.is_empty() {
        true => last,
        false => format!("{} and {last}", names.join(", ")),
    })
}

fn name(task: &Inside) -> String {
    format!("process {} ({})", task.pid, task.name)
}

/// Returns whether a task removes a procfs file from a call of that file. The removal waits
/// for the end of all such calls, and so for itself.
fn waits_for_itself(stack: &str) -> bool {
    let at = |function: &str| {
        stack.lines().position(|line| {
            let line = line.trim_start_matches("[<0>] ");
            line.strip_prefix(function)
                .is_some_and(|rest| rest.starts_with('+') || rest.is_empty())
        })
    };
    let calls = ["proc_reg_read", "proc_reg_write", "proc_reg_read_iter"];
    let more = ["proc_reg_open", "proc_reg_llseek", "proc_reg_release"];
    let call = calls.iter().chain(&more).filter_map(|f| at(f)).max();
    matches!((at("proc_entry_rundown"), call), (Some(removal), Some(call)) if removal < call)
}

fn cannot_be_killed(task: &Inside) -> bool {
    task.state == 'D'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(pid: u32, stack: &str) -> Inside {
        Inside {
            pid,
            name: "cat".into(),
            state: if stack == BLOCKED { 'S' } else { 'D' },
            stack: stack.into(),
        }
    }

    const BLOCKED: &str = "[<0>] koru_wait_sleep+0x1a/0x30 [m]\n[<0>] m_read+0x1/0x2 [m]\n\
                           [<0>] proc_reg_read+0x57/0xa0\n[<0>] vfs_read+0xac/0x320\n";
    const ITSELF: &str = "[<0>] proc_entry_rundown+0x8f/0xd0\n[<0>] proc_remove+0x1/0x2\n\
                          [<0>] koru_proc_remove+0x1/0x2 [m]\n[<0>] proc_reg_write+0x57/0xa0\n";
    const LOCK: &str = "[<0>] m_write+0x1/0x2 [m]\n[<0>] proc_reg_write+0x57/0xa0\n";

    #[test]
    fn who_is_blocked_is_named() {
        assert_eq!(reason(&[]), None);
        assert_eq!(
            reason(&[task(7, BLOCKED)]).unwrap(),
            "process 7 (cat) is in the module's code and has not left it"
        );
        let many: Vec<Inside> = (1..=20).map(|pid| task(pid, BLOCKED)).collect();
        assert!(
            reason(&many)
                .unwrap()
                .starts_with("process 1 (cat), process 2 (cat), process 3 (cat) and 17 more are ")
        );
        assert!(hint(&many).unwrap().contains("koru exec kill PID"));
    }

    #[test]
    fn a_call_that_waits_for_itself() {
        let said = reason(&[task(7, BLOCKED), task(8, ITSELF)]).unwrap();
        assert!(
            said.starts_with("process 8 (cat) is removing a file"),
            "{said}"
        );
        assert!(hint(&[task(8, ITSELF)]).unwrap().contains("restart"));
        // In the opposite order a removal calls the file's release, which is no deadlock.
        let below = "[<0>] proc_reg_release+0x1/0x2\n[<0>] proc_entry_rundown+0x8f/0xd0\n";
        assert!(!waits_for_itself(below));
    }

    #[test]
    fn a_lock_that_is_not_given_back() {
        let said = reason(&[task(7, LOCK)]).unwrap();
        assert!(said.contains("a lock that was never released"), "{said}");
        assert!(hint(&[task(7, LOCK)]).unwrap().contains("guard was leaked"));
        let said = reason(&[task(7, LOCK), task(8, BLOCKED)]).unwrap();
        assert!(!said.contains("lock"), "{said}");
    }

    #[test]
    fn place_is_the_innermost_in_a_module() {
        assert_eq!(place(BLOCKED), Some("koru_wait_sleep+0x1a/0x30 [m]"));
        assert_eq!(place("[<0>] do_wait+0x1/0x2\n"), None);
        assert!(lock_hint(LOCK).is_some());
        assert!(lock_hint(ITSELF).is_none());
    }

    #[test]
    fn stacks_have_their_owners() {
        let take = "[<0>] _RNvMs_Cs5A6xvgFVS0T_14kt_fault_panicNtB4_6Panics4take+0x1/0x2 [m]\n";
        let text = stacks("[<0>] a+0x1/0x2\n", &[task(7, take)]);
        let expected = [
            "the stack of who waits:",
            "  a",
            "the stack of process 7 (cat):",
            "  kt_fault_panic::Panics::take [m]",
            "",
        ];
        assert_eq!(text, expected.join("\n"));
        assert_eq!(stacks("", &[]), "");
    }
}
