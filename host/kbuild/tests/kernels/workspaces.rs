// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds in a workspace: what is built again, and what is refused.

use std::{fs, path::PathBuf};

use koru_error::Kind;
use koru_kbuild::{Ko, Module};

use crate::{alone, build, modules, trees};

/// Two modules in a workspace of their own.
struct Workspace(tempfile::TempDir);

const SOURCE: &str = "#![no_std]
#![forbid(unsafe_code)]
use kernel::prelude::*;
module! { type: It, name: \"NAME\", license: \"GPL\", }
struct It;
impl kernel::Module for It {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!(\"TEXT\\n\");
        Ok(It)
    }
}
";

impl Workspace {
    fn new(names: &[&str]) -> Workspace {
        let dir = tempfile::tempdir().unwrap();
        let members = format!("[workspace]\nresolver = \"2\"\nmembers = {names:?}\n");
        fs::write(dir.path().join("Cargo.toml"), members).unwrap();
        let workspace = Workspace(dir);
        for name in names {
            let manifest = format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
                 [dependencies]\nkoru-kernel = \"0.1\"\n"
            );
            fs::create_dir_all(workspace.path(name).join("src")).unwrap();
            fs::write(workspace.path(name).join("Cargo.toml"), manifest).unwrap();
            workspace.write(name, &SOURCE.replace("NAME", name));
        }
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, source: &str) {
        fs::write(self.path(name).join("src/lib.rs"), source).unwrap();
    }

    fn modules(&self) -> Vec<Module> {
        modules(self.0.path(), &[])
    }
}

#[test]
fn only_what_changed_is_built() {
    let _alone = alone();
    let workspace = Workspace::new(&["kb_one", "kb_two"]);
    let both = workspace.modules();
    assert_eq!(both.len(), 2);
    let tree = trees().pop().expect("a kernel");
    let names_and_news = |kos: &[Ko]| -> Vec<(String, bool)> {
        kos.iter().map(|k| (k.name.clone(), k.rebuilt)).collect()
    };
    let is = |kos: &[Ko], one: bool, two: bool| {
        let wanted = [("kb_one".to_owned(), one), ("kb_two".to_owned(), two)];
        assert_eq!(names_and_news(kos), wanted);
    };
    let first = build(&tree, &both).unwrap();
    is(&first, true, true);
    let stamp = |ko: &Ko| fs::metadata(&ko.path).unwrap().modified().unwrap();
    let before: Vec<_> = first.iter().map(stamp).collect();
    is(&build(&tree, &both).unwrap(), false, false);
    assert_eq!(first.iter().map(stamp).collect::<Vec<_>>(), before);

    let source = SOURCE.replace("NAME", "kb_one");
    workspace.write("kb_one", &source.replace("TEXT", "another text"));
    let second = build(&tree, &both).unwrap();
    is(&second, true, false);
    assert_eq!(stamp(&second[1]), before[1]);
    let bytes = fs::read(&second[0].path).unwrap();
    let contains = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
    assert!(contains(b"another text") && !contains(b"TEXT"));

    // What does not compile leaves the last good one.
    workspace.write("kb_one", &source.replace("Ok(It)", "Ok(nowhere)"));
    let error = build(&tree, &both).unwrap_err();
    assert_eq!(error.kind, Kind::Compile, "{error}");
    assert_eq!(fs::read(&second[0].path).unwrap(), bytes);
    // As does what cannot become a module.
    workspace.write("kb_one", "#![no_std]\npub use kernel as _kernel;\n");
    let error = build(&tree, &both).unwrap_err();
    assert_eq!(error.kind, Kind::Link, "{error}");
    assert!(error.message.contains("no `init_module`"), "{error}");
    assert_eq!(fs::read(&second[0].path).unwrap(), bytes);

    workspace.write("kb_one", &source.replace("TEXT", "a third text"));
    is(&build(&tree, &both).unwrap(), true, false);
    is(&build(&tree, &both).unwrap(), false, false);
    // One that is lost is made again.
    fs::remove_file(&second[1].path).unwrap();
    is(&build(&tree, &both).unwrap(), false, true);
}

#[test]
fn floats_are_refused_by_name() {
    let _alone = alone();
    let workspace = Workspace::new(&["kb_float"]);
    let source = SOURCE.replace("NAME", "kb_float").replace(
        "pr_info!(\"TEXT\\n\");",
        "let n = core::hint::black_box(3.0);\n        pr_info!(\"{}\\n\", half(n) as i64);",
    );
    workspace.write(
        "kb_float",
        &format!("{source}#[inline(never)]\nfn half(n: f64) -> f64 {{ n / 2.0 }}\n"),
    );
    for tree in trees() {
        let error = build(&tree, &workspace.modules()).unwrap_err();
        assert_eq!(error.kind, Kind::Link, "{error}");
        assert!(
            error.message.contains("floating point is used in "),
            "{error}"
        );
        assert!(error.message.contains("`kb_float::half`"), "{error}");
        assert!(error.help.is_some_and(|t| t.contains("integers")));
    }
}

#[test]
fn missing_kernel_symbol_is_named() {
    let _alone = alone();
    let workspace = Workspace::new(&["kb_symbol"]);
    let source = SOURCE
        .replace("NAME", "kb_symbol")
        .replace("#![forbid(unsafe_code)]\n", "");
    let source = source.replace(
        "pr_info!(\"TEXT\\n\");",
        "extern \"C\" { fn no_such_function(); }\n        unsafe { no_such_function() };",
    );
    workspace.write("kb_symbol", &source);
    for tree in trees() {
        let error = build(&tree, &workspace.modules()).unwrap_err();
        assert_eq!(error.kind, Kind::Link, "{error}");
        assert!(
            error.message.contains("does not export no_such_function"),
            "{error}"
        );
    }
}

#[test]
fn crates_and_workspaces_do_not_mix() {
    let _alone = alone();
    // The same name twice, in two workspaces with one target folder: each gets
    // its own text.
    let tree = trees().pop().expect("a kernel");
    for text in ["the first", "the second"] {
        let workspace = Workspace::new(&["kb_same"]);
        let source = SOURCE.replace("NAME", "kb_same").replace("TEXT", text);
        workspace.write("kb_same", &source);
        let ko = build(&tree, &workspace.modules()).unwrap().remove(0);
        let bytes = fs::read(&ko.path).unwrap();
        assert!(
            bytes.windows(text.len()).any(|w| w == text.as_bytes()),
            "{text}"
        );
    }
}
