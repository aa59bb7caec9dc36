// SPDX-License-Identifier: MIT OR Apache-2.0

//! Code that is older or newer than the kernel: each file in `compile` and `modpost` is really
//! built for each supported kernel, and its first lines say which hints it must get.
//!
//! - `// on all: TEXT`, `// on 6.12: TEXT`: one hint with this text. All hints of a file are
//!   listed.
//! - `// rewritten: compiles`: with the edits of its hints, the file builds.
//! - `// fails without a hint`: it does not build, and nothing is known about it.
//! - `// not a module`: it is not built.
//!
//! A file without a line for a kernel builds for that kernel as it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::Hint;
use koru_kbuild::explain;
use koru_kernels::{Cache, Home, KernelTree, Kernels, SUPPORTED};

fn tree(version: &str) -> KernelTree {
    let home = Home::find().expect("the checkout");
    let kernels = Kernels::new(&Cache::new(&home.cache));
    let tree = kernels.supported(version);
    tree.expect("`koru setup` gets it").expect("a kernel tree")
}

/// A folder with modules in C, and what is expected of them.
struct Folder {
    dir: tempfile::TempDir,
    files: BTreeMap<String, Expected>,
    /// Whether the objects become modules, which modpost checks.
    has_modules: bool,
}

#[derive(Default)]
struct Expected {
    hints: Vec<String>,
    is_mechanical: bool,
    fails: bool,
}

impl Folder {
    fn copy(of: &str, version: &str) -> Folder {
        let from = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/old_code")
            .join(of);
        let dir = tempfile::tempdir().expect("a folder");
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(from).expect("the cases").flatten() {
            let name = entry.file_name().into_string().expect("a name");
            let text = fs::read_to_string(entry.path()).expect("a case");
            fs::write(dir.path().join(&name), &text).expect("a copy");
            if text.contains("\n// not a module\n") {
                continue;
            }
            let mut expected = Expected::default();
            for line in text.lines().take_while(|l| l.starts_with("//")) {
                let line = line.trim_start_matches("// ");
                for start in ["on all: ".to_owned(), format!("on {version}: ")] {
                    let hint = line.strip_prefix(&start).map(str::to_owned);
                    expected.hints.extend(hint);
                }
                expected.is_mechanical |= line == "rewritten: compiles";
                expected.fails |= line == "fails without a hint";
            }
            files.insert(name, expected);
        }
        Folder {
            dir,
            files,
            has_modules: of == "modpost",
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().expect("a folder")
    }

    /// Builds what can be built of these files, and returns what make printed.
    fn build(&self, names: &BTreeSet<&str>, tree: &KernelTree) -> String {
        let objects = names.iter().map(|name| name.replace(".c", ".o"));
        let kbuild: String = objects.clone().map(|o| format!("obj-m += {o}\n")).collect();
        fs::write(self.path().join("Kbuild"), kbuild).expect("a Kbuild");
        let mut make = Command::new("make");
        make.arg("-C")
            .arg(&tree.build_dir)
            .arg(format!("M={}", self.path().display()))
            .args(["-s", "-k", "-j2", "CONFIG_DEBUG_INFO_BTF_MODULES="])
            .env("LC_ALL", "C")
            .env_remove("MAKEFLAGS");
        match self.has_modules {
            true => make.arg("modules"),
            false => make.args(objects),
        };
        let output = make.output().expect("make");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    }

    /// Builds these files, and returns what make printed and the hints of each file.
    fn hints<'a>(
        &self,
        names: &BTreeSet<&'a str>,
        tree: &KernelTree,
    ) -> (String, BTreeMap<&'a str, Vec<Hint>>) {
        let output = self.build(names, tree);
        let mut hints = BTreeMap::new();
        for name in names {
            // The hints are those that the file would get alone.
            let stem = name.trim_end_matches(".c");
            let is_its = |line: &&str| {
                let ends = [
                    format!("/{stem}.ko]"),
                    format!("/{stem}.o"),
                    format!(" {stem}.ko "),
                ];
                line.contains("modpost: ")
                    && (ends.iter().any(|end| line.contains(end))
                        || line.contains(&format!("module {stem} uses ")))
            };
            let modpost: Vec<&str> = output.lines().filter(is_its).collect();
            let found = explain(
                &(errors_of(&output, name) + &modpost.join("\n")),
                &self.path(),
                tree,
            );
            hints.insert(*name, found);
        }
        (output, hints)
    }

    fn has_object(&self, name: &str) -> bool {
        self.dir.path().join(name.replace(".c", ".o")).is_file()
    }
}

/// Returns the compiler's messages about one file, with their notes.
fn errors_of(output: &str, name: &str) -> String {
    let mut all = String::new();
    let mut is_own = false;
    for line in output.lines() {
        let is_start = line.starts_with('/') || line.starts_with("In file included from ");
        if line.contains(".c:") && is_start {
            is_own = line.contains(&format!("/{name}:"));
        } else if line.starts_with("make") || line.contains("modpost: ") {
            is_own = false;
        }
        if is_own {
            all += line;
            all.push('\n');
        }
    }
    all
}

/// Makes the edits of a hint.
fn apply(hint: &Hint, dir: &Path) {
    let mut edits = hint.edits.clone();
    edits.sort_by_key(|e| (e.file.clone(), std::cmp::Reverse(e.line)));
    for edit in edits {
        let path = dir.join(&edit.file);
        let text = fs::read_to_string(&path).expect("a case");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let range = edit.line - 1..edit.line - 1 + edit.old.len();
        assert_eq!(lines[range.clone()], edit.old[..], "{hint}");
        lines.splice(range, edit.new);
        fs::write(&path, lines.join("\n") + "\n").expect("a case");
    }
}

fn check(of: &str, version: &str) {
    let tree = tree(version);
    let folder = Folder::copy(of, version);
    let names: BTreeSet<&str> = folder.files.keys().map(String::as_str).collect();
    let (output, mut hints) = folder.hints(&names, &tree);
    let mut wrong = Vec::new();
    for (name, expected) in &folder.files {
        let found: Vec<&str> = hints[&**name].iter().map(|h| h.message.as_str()).collect();
        let is_it = |wanted: &String| found.iter().any(|f| f.contains(wanted.as_str()));
        if found.len() != expected.hints.len() || !expected.hints.iter().all(is_it) {
            wrong.push(format!(
                "{name}: {found:#?} instead of {:#?}\n{}",
                expected.hints,
                errors_of(&output, name)
            ));
        }
        let builds = of == "modpost" || (expected.hints.is_empty() && !expected.fails);
        if folder.has_object(name) != builds {
            wrong.push(format!(
                "{name}: builds: {builds}\n{}",
                errors_of(&output, name)
            ));
        }
    }
    assert!(wrong.is_empty(), "for {version}:\n{}", wrong.join("\n"));
    // Edits may lead to the next error, which has a hint of its own.
    for _ in 0..4 {
        let mut edited = BTreeSet::new();
        for (name, hints) in &hints {
            let hint = hints.iter().find(|h| !h.edits.is_empty());
            if let (true, Some(hint)) = (folder.files[*name].is_mechanical, hint) {
                apply(hint, &folder.path());
                edited.insert(*name);
            }
        }
        if edited.is_empty() {
            break;
        }
        let (output, next) = folder.hints(&edited, &tree);
        for name in edited {
            let is_stuck = next[name].is_empty() && !folder.has_object(name);
            if is_stuck || next[name].iter().any(|h| h.edits.is_empty()) {
                let text = fs::read_to_string(folder.path().join(name)).expect("a case");
                wrong.push(format!("{name}:\n{text}\n{}", errors_of(&output, name)));
            }
        }
        hints = next;
    }
    for (name, _) in folder.files.iter().filter(|(_, e)| e.is_mechanical) {
        let is_explained = hints.get(&**name).is_some_and(|hints| !hints.is_empty());
        if is_explained || !folder.has_object(name) {
            wrong.push(format!("{name} does not build"));
        }
    }
    assert!(
        wrong.is_empty(),
        "rewritten for {version}:\n{}",
        wrong.join("\n")
    );
}

#[test]
#[ignore = "takes long"]
fn compilers_errors_are_explained_once_for_each_cause() {
    for version in SUPPORTED {
        check("compile", version);
    }
}

#[test]
#[ignore = "takes long"]
fn modposts_errors_are_explained() {
    for version in SUPPORTED {
        check("modpost", version);
    }
}
