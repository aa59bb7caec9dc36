// SPDX-License-Identifier: MIT OR Apache-2.0

//! Lists the loaded modules, and their sections.

use std::{cmp::Reverse, fs, io, os::unix::fs::MetadataExt, path::Path};

use koru_protocol::ModuleRow;

/// Returns the loaded modules, the newest first.
pub fn loaded() -> io::Result<Vec<ModuleRow>> {
    match fs::read_to_string("/proc/modules") {
        Ok(text) => Ok(text.lines().filter_map(ModuleRow::parse).collect()),
        // A kernel without /proc.
        Err(e) if e.kind() == io::ErrorKind::NotFound => in_sysfs(Path::new("/sys/module")),
        Err(e) => Err(e),
    }
}

/// Returns the sections of a module that other code can be in or point to, and where its init was,
/// which may have allocated something.
pub fn sections_of(module: &str) -> io::Result<Vec<(String, u64)>> {
    const KEPT: [&str; 6] = [
        ".text",
        ".exit.text",
        ".init.text",
        ".data",
        ".bss",
        ".rodata",
    ];
    let entries = fs::read_dir(format!("/sys/module/{module}/sections"))?;
    let sections = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        KEPT.iter().find(|kept| name.starts_with(**kept))?;
        let address = fs::read_to_string(entry.path()).ok()?;
        let digits = address.trim().trim_start_matches("0x");
        Some((name, u64::from_str_radix(digits, 16).ok()?))
    });
    Ok(sections.collect())
}

/// Returns what sysfs tells about the loaded modules. It does not tell which ones are permanent.
fn in_sysfs(folder: &Path) -> io::Result<Vec<ModuleRow>> {
    let modules = fs::read_dir(folder)?.flatten();
    let mut rows: Vec<(u64, ModuleRow)> = modules
        .filter_map(|module| Some((module.metadata().ok()?.ino(), row(&module.path())?)))
        .collect();
    // sysfs numbers its entries in the order in which they are made.
    rows.sort_by_key(|(number, _)| Reverse(*number));
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Returns what a module's folder in sysfs tells, unless the module is part of the kernel.
fn row(module: &Path) -> Option<ModuleRow> {
    let read = |file: &str| {
        let text = fs::read_to_string(module.join(file)).ok()?;
        Some(text.trim().to_owned())
    };
    let state = match &*read("initstate")? {
        "coming" => "Loading",
        "going" => "Unloading",
        _ => "Live",
    };
    let holders = fs::read_dir(module.join("holders")).into_iter().flatten();
    let holders = holders.flatten();
    Some(ModuleRow {
        name: module.file_name()?.to_str()?.to_owned(),
        size: read("coresize").and_then(|size| size.parse().ok())?,
        refcount: read("refcnt").and_then(|count| count.parse().ok()),
        permanent: false,
        used_by: holders
            .filter_map(|holder| holder.file_name().into_string().ok())
            .collect(),
        state: state.to_owned(),
        taint: read("taint").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_a_kernel_without_proc() {
        let place = tempfile::tempdir().unwrap();
        let file = |path: &str, text: &str| {
            let path = place.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        // Part of the kernel.
        file("tty/parameters/x", "1\n");
        file("hello/initstate", "live\n");
        file("hello/coresize", "16384\n");
        file("hello/refcnt", "1\n");
        file("hello/taint", "OE\n");
        file("hello/holders/timer/initstate", "");
        file("going/initstate", "going\n");
        file("going/coresize", "8192\n");
        let rows = in_sysfs(place.path()).unwrap();
        let of = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
        let line = "hello 16384 1 timer, Live 0x0 (OE)";
        assert_eq!(*of("hello"), ModuleRow::parse(line).unwrap());
        let line = "going 8192 - - Unloading 0x0";
        assert_eq!(*of("going"), ModuleRow::parse(line).unwrap());
        assert_eq!(rows.len(), 2);
    }
}
