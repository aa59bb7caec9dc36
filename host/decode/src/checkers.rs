// SPDX-License-Identifier: MIT OR Apache-2.0

//! Summarises the reports of the kernel's checkers: the sanitizers, the slab allocator, lockdep
//! and kmemleak.

use koru_klog::Report;

/// Summarises a report of KASAN, KFENCE, KMSAN, KCSAN or UBSAN.
pub(crate) fn sanitizer<T>(report: &Report<T>) -> String {
    if let Some(found) = report.head_after("BUG: KASAN: ") {
        return kasan(report, found);
    }
    let what = |found: &str| found.split(" in ").next().unwrap_or(found).to_owned();
    if let Some(found) = report.head_after("BUG: KFENCE: ") {
        return format!("memory error: {} (KFENCE)", what(found));
    }
    if let Some(found) = report.head_after("BUG: KMSAN: ") {
        return format!("use of uninitialised memory: {} (KMSAN)", what(found));
    }
    if let Some(found) = report.head_after("BUG: KCSAN: ") {
        let functions = found
            .split_once(" in ")
            .map_or(found, |(_, functions)| functions);
        return format!("data race: {functions} (KCSAN)");
    }
    let found = report.head_after("UBSAN: ").unwrap_or(report.line());
    let said = report.head.iter().find(|l| !l.starts_with("UBSAN: "));
    let said = said.map_or(String::new(), |said| format!(": {said}"));
    format!("undefined behaviour: {found}{said}")
}

/// Summarises a report of KASAN: `BUG: KASAN: slab-out-of-bounds in f+0x1/0x2 [m]`, and then
/// `Write of size 1 at addr ffff888003d3c6d8 by task insmod/84`.
fn kasan<T>(report: &Report<T>, found: &str) -> String {
    let what = found.split(" in ").next().unwrap_or(found);
    let words = match what {
        "slab-out-of-bounds" => "past the end or before the beginning of an allocation",
        "stack-out-of-bounds" => "past the end of a variable on the stack",
        "global-out-of-bounds" => "past the end of a static variable",
        "vmalloc-out-of-bounds" => "past the end of an allocation",
        "use-after-free" | "slab-use-after-free" => "memory that was freed",
        "stack-use-after-scope" => "a stack variable that is out of scope",
        "double-free" => return "memory error: memory was freed twice (double-free)".to_owned(),
        _ => return format!("memory error: {what}"),
    };
    let access = report.head.iter().find_map(|line| {
        let (access, rest) = line.split_once(" of size ")?;
        let size = rest.split(' ').next()?;
        Some(match size {
            "1" => format!("{} of 1 byte", access.to_lowercase()),
            _ => format!("{} of {size} bytes", access.to_lowercase()),
        })
    });
    let access = access.unwrap_or_else(|| "access".to_owned());
    format!("memory error: {access}: {words} ({what})")
}

/// Summarises what the slab allocator found: `BUG kmalloc-64 (Tainted: G OE ): Poison
/// overwritten`.
pub(crate) fn slab(line: &str) -> String {
    let begin = line.strip_prefix("BUG ").unwrap_or(line);
    let Some((cache, found)) = begin.split_once(" (").and_then(|(cache, rest)| {
        let (_, found) = rest.split_once("): ")?;
        Some((cache, found))
    }) else {
        return format!("memory error: {line}");
    };
    let words = [
        ("Poison overwritten", "written after it was freed"),
        ("Object already free", "freed twice"),
        (
            "Redzone overwritten",
            "written past the end or before the beginning",
        ),
        ("Right Redzone overwritten", "written past the end"),
        ("Left Redzone overwritten", "written before the beginning"),
        ("Object padding overwritten", "written past the end"),
        (
            "Padding overwritten",
            "written past the end of the last object",
        ),
        ("Freechain corrupt", "written after it was freed"),
        ("Freepointer corrupt", "written after it was freed"),
        (
            "Objects remaining",
            "destroyed although objects of it are still in use",
        ),
        (
            "Invalid object pointer",
            "freed with a pointer that is not the object's",
        ),
    ];
    let words = words.iter().find(|(begin, _)| found.starts_with(begin));
    let words = words.map_or(String::new(), |(_, words)| format!(": {words}"));
    format!("memory error: BUG {cache}: {found}{words}")
}

/// Returns what lockdep found.
pub(crate) fn lockdep<T>(report: &Report<T>) -> String {
    let line = report.line().trim_matches(['[', ']', ' ']);
    let begins = ["WARNING: ", "BUG: ", "INFO: "];
    let found = begins.iter().find_map(|begin| line.strip_prefix(begin));
    let found = found.unwrap_or(line).trim_end_matches(['!', '.', ' ']);
    // What is wrong with the locks stands in a line of its own.
    let said = report.head.iter().skip(1).find(|l| {
        l.starts_with("inconsistent {") || l.contains("suspicious rcu_") || l.contains("is freeing")
    });
    match said {
        Some(said) => format!("{found}: {said}"),
        None => found.to_owned(),
    }
}

/// Summarises a report of kmemleak: `unreferenced object 0xffff888003f2a040 (size 64):`.
pub(crate) fn leak(line: &str) -> String {
    let size = line
        .split_once("(size ")
        .and_then(|(_, rest)| rest.split(')').next());
    match size {
        Some(size) => format!("memory leak: {size} bytes that nothing refers to"),
        None => format!("memory leak: {line}"),
    }
}
