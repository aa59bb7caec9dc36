// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the commands that the READMEs of modules and programs tell a student to type.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::common::{self, root};

/// A command, and its output where the README shows it.
#[derive(Debug, Default, PartialEq)]
struct Example {
    command: String,
    shown: Vec<String>,
}

/// Returns the `koru run` commands among the indented lines. A command continues while a quote
/// is open.
fn examples(readme: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let (mut open, mut shows) = (false, false);
    for line in readme.lines() {
        let Some(text) = line.strip_prefix("    ") else {
            (open, shows) = (false, false);
            continue;
        };
        let typed = text.strip_prefix("$ ").unwrap_or(text);
        match found.last_mut() {
            Some(last) if open => last.command += &format!("\n{text}"),
            Some(last) if shows && typed == text => {
                last.shown.push(text.to_owned());
                continue;
            }
            _ if typed.contains("koru run ") => {
                shows = typed != text;
                found.push(Example {
                    command: typed.to_owned(),
                    ..Example::default()
                });
            }
            _ => {
                shows = false;
                continue;
            }
        }
        open = found
            .last()
            .is_some_and(|e| e.command.matches('\'').count() % 2 == 1);
    }
    found
}

#[test]
fn every_readme_has_examples() {
    let text = "    koru run a -- x\nwords\n\n    koru run b -- sh -c '\n        y\n    z'\n\
                \n    $ koru run c\n    out\n    more\n    $ cat x\n    no\n";
    let example = |command: &str, shown: &[&str]| Example {
        command: command.to_owned(),
        shown: shown.iter().map(|s| s.to_string()).collect(),
    };
    let wanted = [
        example("koru run a -- x", &[]),
        example("koru run b -- sh -c '\n    y\nz'", &[]),
        example("koru run c", &["out", "more"]),
    ];
    assert_eq!(examples(text), wanted);
}

#[test]
#[ignore = "takes long"]
fn readme_examples_work_as_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = dir.path().join("script");
    fs::write(&script, "2 push 1 pop\n").expect("a script");
    let mut tried = 0;
    for folder in ["modules", "programs"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let readme = entry.expect("an entry").path().join("README.md");
            let Ok(text) = fs::read_to_string(&readme) else {
                continue;
            };
            for example in examples(&text) {
                let command = example
                    .command
                    .replace("< script", &format!("< {}", script.display()));
                let koru = format!("koru() {{ '{}' \"$@\"; }}", root().join("koru").display());
                let output = Command::new("sh")
                    .args(["-c", &format!("{koru}\n{command}")])
                    .current_dir(root())
                    .env("KORU_KERNEL", "6.12")
                    .env("KORU_CACHE", common::kernels::cache())
                    .env_remove("KORU_ROOT")
                    .stdin(Stdio::null())
                    .output()
                    .expect("sh");
                let said = [output.stdout, output.stderr]
                    .map(|b| String::from_utf8_lossy(&b).into_owned());
                let said = said.concat();
                let at = format!("{}: {command}\n{said}", readme.display());
                // A command in the guest may fail, and some are meant to.
                assert!(matches!(output.status.code(), Some(0 | 1)), "{at}");
                assert!(!said.contains("error: unexpected"), "{at}");
                // Text behind a prompt is what a user types.
                if !example.shown.iter().any(|line| line.contains("> ")) {
                    for line in &example.shown {
                        assert!(said.contains(line.as_str()), "no `{line}'\n{at}");
                    }
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 12, "{tried}");
}
