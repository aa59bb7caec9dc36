// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rules for the beginnings of source files: licence, documentation, imports.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_project::{
    assert_no_violations, files, is_ring_0, is_template, members, root, shown, source_files,
};

#[test]
fn every_rust_file_documents_itself() {
    let has_doc = |file: &Path| {
        let text = fs::read_to_string(file).expect("a source file");
        let before_code = text
            .lines()
            .take_while(|line| line.is_empty() || line.starts_with("//") || line.starts_with("#!"));
        before_code.into_iter().any(|line| line.starts_with("//! "))
    };
    let files = source_files("rs").into_iter();
    let violations: Vec<String> = files
        .filter(|f| !is_template(f) && !has_doc(f))
        .map(|f| shown(&f))
        .collect();
    assert_no_violations(
        "These files do not begin with module documentation (`//!`):",
        &violations,
    );
}

/// The origin of an import. Imports are in this order, with an empty line between origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Std,
    OtherCrates,
    ThisCrate,
}

/// Returns what is wrong with the order of a file's private imports, if anything. It reads
/// the head of the file only, as rustfmt writes it.
fn wrong_order(text: &str) -> Option<String> {
    let modules: Vec<&str> = text.lines().filter_map(declared_module).collect();
    let origin = |path: &str| {
        let first = path.split("::").next().unwrap_or(path);
        match first.trim_end_matches([';', '{']).trim() {
            "std" | "core" | "alloc" => Origin::Std,
            "crate" | "self" | "super" => Origin::ThisCrate,
            name if modules.contains(&name) => Origin::ThisCrate,
            _ => Origin::OtherCrates,
        }
    };
    let mut last: Option<Origin> = None;
    let mut after_empty_line = false;
    for line in head(text) {
        if let Some(path) = line.strip_prefix("use ") {
            let origin = origin(path);
            if let Some(last) = last {
                if origin < last {
                    return Some(format!("`{line}` comes after an import from {last:?}"));
                }
                if (origin != last) != after_empty_line {
                    return Some(format!("an empty line parts the origins: `{line}`"));
                }
            }
            last = Some(origin);
            after_empty_line = false;
        }
        after_empty_line |= line.is_empty();
    }
    None
}

fn declared_module(line: &str) -> Option<&str> {
    let (visibility, rest) = line.split_once("mod ")?;
    let is_visibility = visibility.is_empty() || visibility.starts_with("pub");
    let end = rest.find([';', ' '])?;
    is_visibility.then(|| &rest[..end])
}

/// Returns the lines before a file's first item that is neither an import nor the
/// declaration of a module or crate.
fn head(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| {
        let begins = [
            "use ",
            "mod ",
            "pub ",
            "extern crate ",
            "//",
            "#",
            "}",
            ")",
            " ",
        ];
        let is_item = [
            "fn ", "struct ", "enum ", "const ", "static ", "trait ", "type ",
        ];
        let public = line.strip_prefix("pub ").unwrap_or(line);
        let is_head = line.is_empty() || begins.iter().any(|b| line.starts_with(b));
        is_head && !is_item.iter().any(|i| public.starts_with(i))
    })
}

/// The order of imports holds in user space. Code for the kernel has upstream's order.
#[test]
fn imports_are_in_one_order() {
    let misuses = root().join("tests/misuse/cases");
    let is_ours = |f: &PathBuf| !is_ring_0(f) && !is_template(f) && !f.starts_with(&misuses);
    let files = source_files("rs").into_iter().filter(is_ours);
    let violations: Vec<String> = files
        .filter_map(|file| {
            let text = fs::read_to_string(&file).expect("a source file");
            let what = wrong_order(&text)?;
            Some(format!("{}: {what}", shown(&file)))
        })
        .collect();
    assert_no_violations(
        "Import from std, then other crates, then this crate, with an empty line between:",
        &violations,
    );
}

#[test]
fn order_of_imports_is_recognised() {
    let right = "//! Doc.\n#![forbid(unsafe_code)]\n\nmod own;\n\nuse std::{\n    fs,\n};\n\n\
                 use syn::Item;\n\nuse own::It;\nuse crate::other;\n\nfn main() {}\n";
    assert_eq!(wrong_order(right), None);
    for wrong in [
        "use syn::Item;\n\nuse std::fs;\n",
        "use crate::a;\n\nuse syn::Item;\n",
        "use std::fs;\nuse syn::Item;\n",
        "use std::fs;\n\nuse std::io;\n",
        "mod own;\n\nuse std::fs;\n\nuse own::It;\nuse syn::Item;\n",
    ] {
        assert!(wrong_order(wrong).is_some(), "{wrong}");
    }
}

/// Returns whether a file is a shell script, by its name or its first line.
fn is_shell(file: &Path) -> bool {
    match file.extension() {
        Some(extension) => extension == "sh",
        None => fs::read(file).is_ok_and(|content| content.starts_with(b"#!")),
    }
}

#[test]
fn every_source_file_names_its_licence() {
    let is_source = |f: &PathBuf| {
        let extension = f.extension().unwrap_or_default();
        ["rs", "c", "h"].iter().any(|e| extension == *e) || is_shell(f)
    };
    let lacks_licence = |file: &Path| {
        let licence = match is_ring_0(file) {
            true => "GPL-2.0-only",
            false => "MIT OR Apache-2.0",
        };
        let line = format!("SPDX-License-Identifier: {licence}");
        let text = fs::read_to_string(file).expect("a source file");
        // A script begins with its interpreter.
        let mut head = text.lines().take(2).skip_while(|l| l.starts_with("#!"));
        let first = head.next().unwrap_or_default();
        let comment = first.trim_start_matches(['/', '*', '#', ' ']);
        (comment.trim_end_matches([' ', '*', '/']) != line)
            .then(|| format!("{}: {line}", shown(file)))
    };
    let files = files().into_iter();
    let violations: Vec<String> = files
        .filter(|f| is_source(f) && !is_template(f))
        .filter_map(|f| lacks_licence(&f))
        .collect();
    assert_no_violations("These files do not begin with their licence:", &violations);
}

#[test]
fn every_package_has_the_licence_of_its_folder() {
    let members = members();
    let packages = members.packages.iter();
    let violations: Vec<String> = packages
        .filter(|p| {
            let is_gpl = p.license.as_deref() == Some("GPL-2.0-only");
            is_gpl != is_ring_0(p.manifest_path.as_std_path())
        })
        .map(|p| format!("{}: {:?}", p.manifest_path, p.license))
        .collect();
    assert_no_violations(
        "These packages have another licence than their folder:",
        &violations,
    );
}
