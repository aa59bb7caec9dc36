// SPDX-License-Identifier: MIT OR Apache-2.0

//! What `koru` says about code that was written for other kernels, or for user space.

use std::{fs, path::Path};

use crate::common::{Run, koru, root};

/// Creates a module from the template, with this source and these dependencies.
fn module(folder: &Path, name: &str, body: &str, dependencies: &str) {
    let made = koru(["new", name]).dir(folder).run();
    made.exits(0);
    let dir = folder.join(name);
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("a manifest");
    let at = manifest.find("[dependencies]\n").expect("dependencies") + "[dependencies]\n".len();
    let manifest = format!("{}{dependencies}{}", &manifest[..at], &manifest[at..]);
    fs::write(dir.join("Cargo.toml"), manifest).expect("a manifest");
    let source = format!(
        "//! A module.\n#![no_std]\n#![forbid(unsafe_code)]\n\
         use kernel::prelude::*;\n\
         module! {{ type: It, name: \"{name}\", license: \"GPL\", }}\n\
         struct It;\n{body}"
    );
    fs::write(dir.join("src/lib.rs"), source).expect("a source");
}

fn build(folder: &Path, name: &str) -> Run {
    koru(["build", "--quiet", "--kernel", "6.12"])
        .dir(&folder.join(name))
        .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
        .run()
}

const USER_SPACE: &str = r#"
use std::collections::HashMap;

impl kernel::Module for It {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        println!("one");
        println!("two");
        eprintln!("three");
        let list = vec![1, 2];
        let text = String::from("x");
        let boxed = Box::new(1);
        let mut vector = KVec::new();
        vector.push(1);
        let thread = std::thread::spawn(|| {});
        let lock = kernel::sync::Mutex::new(1);
        let root = 2.0f64.sqrt();
        let copy = [1].to_vec();
        let wrong = nowhere;
        Ok(It)
    }
}
"#;

#[test]
fn names_of_user_space_get_one_hint_for_each_cause() {
    let folder = tempfile::tempdir().expect("a folder");
    module(folder.path(), "hints_user", USER_SPACE, "");
    let run = build(folder.path(), "hints_user");
    run.exits(1);
    for hint in [
        "the `kernel` crate has no maps",
        "`pr_info!(\"..\\n\")` writes to the kernel log",
        "`pr_err!(\"..\\n\")` writes to the kernel log",
        "`kernel::kvec![1, 2]?` makes a `KVec`",
        "`CString::try_from_fmt(fmt!(\"{n}\"))?` of `kernel::str` makes a text",
        "memory is allocated with flags",
        "`kernel::kthread::KThread::spawn(",
        "`new_mutex!`, `new_spinlock!` and the like",
        "the kernel saves no FPU state for modules: use integers, such as fixed point",
        "a copy is a `KVec`",
    ] {
        let hint = format!("help: {hint}");
        assert_eq!(run.err.matches(&hint).count(), 1, "{hint}\n{run}");
    }
    // rustc's own words stay, and what is only wrong has no hint.
    run.says("error: cannot find macro `println` in this scope")
        .says("cannot find value `nowhere` in this scope");
}

/// Everything that the hints tell people to write.
const SUGGESTED: &str = r#"
use kernel::{
    kthread::KThread,
    kvec, new_mutex, new_spinlock,
    str::CString,
    sync::{Arc, Mutex, SpinLock},
    time::{delay::fsleep, Delta, Instant, Monotonic},
};

impl kernel::Module for It {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("..\n");
        pr_err!("..\n");
        let list = kvec![1, 2]?;
        let n = list.len();
        let text = CString::try_from_fmt(fmt!("{n}"))?;
        let boxed = KBox::new(1, GFP_KERNEL)?;
        let mut v = KVec::new();
        v.push(*boxed, GFP_KERNEL)?;
        v.extend_from_slice(&[1, 2], GFP_KERNEL)?;
        let thread = KThread::spawn(c"name", |thread| {
            while thread.sleep(Delta::from_millis(10)) {}
        })?;
        let lock: Pin<KBox<Mutex<u32>>> = KBox::pin_init(new_mutex!(0), GFP_KERNEL)?;
        let spin: Pin<KBox<SpinLock<u32>>> = KBox::pin_init(new_spinlock!(0), GFP_KERNEL)?;
        let shared = Arc::new(1, GFP_KERNEL)?;
        let start = Instant::<Monotonic>::now();
        fsleep(Delta::from_millis(10));
        let count = core::sync::atomic::AtomicU32::new(0);
        pr_info!("{:?} {}\n", start.elapsed().as_millis(), text.to_bytes().len());
        drop((thread, lock, spin, shared, count));
        if n > 2 {
            return Err(EINVAL);
        }
        Ok(It)
    }
}
"#;

#[test]
fn everything_that_hints_suggest_compiles() {
    let folder = tempfile::tempdir().expect("a folder");
    module(folder.path(), "hints_good", SUGGESTED, "");
    let run = build(folder.path(), "hints_good");
    run.exits(0);
    assert!(!run.err.contains("help: "), "{run}");
}

const EMPTY: &str = "
impl kernel::Module for It {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(It)
    }
}
";

#[test]
fn dependency_that_needs_std_or_alloc_is_named_once() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, dependency, package, library) in [
        ("hints_std", "memchr = \"2\"\n", "memchr v2", "std"),
        (
            "hints_alloc",
            "hashbrown = { version = \"0.17\", default-features = false }\n",
            "hashbrown v0.17",
            "alloc",
        ),
    ] {
        module(folder.path(), name, EMPTY, dependency);
        let run = build(folder.path(), name);
        run.exits(1)
            .says(&format!("error: compiling {name}: the dependenc"))
            .says(&format!("`{package}"))
            .says(&format!("needs `{library}`"));
        // rustc's hundred errors in the dependency are left out.
        assert!(run.err.lines().count() < 10, "{run}");
    }
    module(
        folder.path(),
        "hints_no_std",
        EMPTY,
        "memchr = { version = \"2\", default-features = false }\n",
    );
    build(folder.path(), "hints_no_std").exits(0);
}

#[test]
fn symbols_for_gpl_modules_are_explained_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let body = EMPTY.replace("Ok(It)", "Instant::<Monotonic>::now();\n        Ok(It)");
    let body = format!("use kernel::time::{{Instant, Monotonic}};\n{body}");
    module(folder.path(), "hints_closed", &body, "");
    let source = folder.path().join("hints_closed/src/lib.rs");
    let text = fs::read_to_string(&source).expect("a source");
    fs::write(
        &source,
        text.replace("license: \"GPL\"", "license: \"Proprietary\""),
    )
    .expect("a source");
    let run = build(folder.path(), "hints_closed");
    run.exits(1)
        .says("for modules with a GPL-compatible licence only");
    assert_eq!(run.err.matches("help: ").count(), 1, "{run}");
}

const OLD_PROC: &str = r#"#include <linux/module.h>
#include <linux/proc_fs.h>
static struct file_operations ops = { .owner = THIS_MODULE };
static int __init old_init(void) { proc_create("old", 0, NULL, &ops); return 0; }
static void __exit old_exit(void) { remove_proc_entry("old", NULL); }
module_init(old_init); module_exit(old_exit); MODULE_LICENSE("GPL");
"#;

#[test]
fn old_code_in_c_is_shown_with_the_line_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("Kbuild"), "obj-m := old.o\n").expect("a Kbuild");
    fs::write(folder.path().join("old.c"), OLD_PROC).expect("a source");
    let run = koru(["verify", "jiffies", "--src", ".", "--kernel", "6.12"])
        .dir(folder.path())
        .run();
    // The compiler's words are there, then what they mean, then the error.
    let compiler = run.err.find("old.c:4:").expect("gcc's error");
    let hint = run
        .err
        .find("help: since Linux 5.6, `proc_create` takes a `struct proc_ops`")
        .unwrap_or_else(|| panic!("no hint\n{run}"));
    assert!(compiler < hint, "{run}");
    run.exits(4)
        .says("3 - static struct file_operations ops = { .owner = THIS_MODULE };")
        .says("3 + static struct proc_ops ops = { };");
    assert_eq!(run.err.matches("help: ").count(), 1, "{run}");
}
