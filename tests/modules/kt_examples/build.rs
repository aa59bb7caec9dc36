// SPDX-License-Identifier: GPL-2.0-only

//! Collects the examples of the kernel crate's documentation that can run in a module.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../kernel/kernel/src");
    println!("cargo::rerun-if-changed={}", kernel.display());
    let mut files = Vec::new();
    rust_files(&kernel, &mut files)?;
    files.sort();
    let mut examples = Vec::new();
    for file in &files {
        let name = file
            .strip_prefix(&kernel)
            .expect("a file in it")
            .display()
            .to_string();
        examples_of(&name, &fs::read_to_string(file)?, &mut examples);
    }
    examples.retain(|example| example.can_run());
    let mut code = String::new();
    for (number, example) in examples.iter().enumerate() {
        code += &format!("mod example_{number} {{\n{}\n}}\n", example.function());
    }
    code += "const EXAMPLES: &[(&str, fn())] = &[\n";
    for (number, example) in examples.iter().enumerate() {
        code += &format!("({:?}, example_{number}::example),\n", example.place);
    }
    code += "];\n";
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("examples.rs"), code)
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

struct Example {
    /// The file and the line at which the example begins.
    place: String,
    /// What is written behind the opening fence.
    attributes: String,
    lines: Vec<String>,
}

/// Finds the fenced blocks in the documentation comments of a file.
fn examples_of(name: &str, source: &str, examples: &mut Vec<Example>) {
    let mut open: Option<Example> = None;
    for (number, line) in source.lines().enumerate() {
        let line = line.trim_start();
        let Some(text) = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))
        else {
            open = None;
            continue;
        };
        let text = text.strip_prefix(' ').unwrap_or(text);
        match (text.strip_prefix("```"), open.take()) {
            (Some(attributes), None) => {
                open = Some(Example {
                    place: format!("{name}:{}", number + 1),
                    attributes: attributes.to_owned(),
                    lines: Vec::new(),
                })
            }
            (Some(_), Some(example)) => examples.push(example),
            (None, Some(mut example)) => {
                // rustdoc hides these lines from readers, not from the compiler.
                let code = match text.trim_start() {
                    "#" => "",
                    hidden if hidden.starts_with("# ") => &hidden[2..],
                    _ => text,
                };
                example.lines.push(code.to_owned());
                open = Some(example);
            }
            (None, None) => {}
        }
    }
}

impl Example {
    /// Returns whether the example can be a function of a module: it need not be run by hand,
    /// and is not a module or a crate itself.
    fn can_run(&self) -> bool {
        let has = |text: &str| self.lines.iter().any(|line| line.contains(text));
        self.attributes.is_empty() && !has("module! {") && !has("#![")
    }

    /// Returns a function that does what the example does, as rustdoc would make it. Errors
    /// are for the reader to handle; here they fail the test.
    fn function(&self) -> String {
        let body = self.lines.join("\n");
        let last = self.lines.iter().rfind(|line| !line.trim().is_empty());
        match last.is_some_and(|line| line.starts_with("Ok::<()")) {
            true => format!(
                "pub fn example() {{ fn run() -> Result<(), impl core::fmt::Debug> \
                 {{\n{body}\n}} run().unwrap() }}"
            ),
            false => format!("pub fn example() {{\n{body}\n}}"),
        }
    }
}
