// SPDX-License-Identifier: MIT OR Apache-2.0

//! All modules together in one guest: they do not get into each other's way, and
//! leave nothing behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Read,
    path::Path,
};

use koru_testing::{MODULES, Module, is_loaded};
use koru_tests::{expect_eq, expect_ok};

koru_testing::test_file!(takes_long);

/// The modules, without those that exist to be tested themselves.
fn modules() -> Vec<String> {
    let files = names(MODULES).into_iter();
    let modules = files.filter_map(|f| f.strip_suffix(".ko").map(str::to_owned));
    let own =
        modules.filter(|m| !m.starts_with("kt_") && !m.starts_with("misuse_") && m != "misc_test");
    own.collect()
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = expect_ok(folder, fs::read_dir(folder)).flatten();
    entries
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect()
}

fn load_all() -> Vec<Module> {
    let load = |name: String| expect_ok(&format!("insmod {name}"), Module::load(&name, &[]));
    modules().into_iter().map(load).collect()
}

/// In the order in which they came, or in the other one.
fn unload_all(mut modules: Vec<Module>, backwards: bool) {
    if backwards {
        modules.reverse();
    }
    for module in modules {
        expect_ok(&format!("rmmod {}", module.name()), module.unload());
    }
}

fn is_process(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_digit())
}

/// What a module can leave where one sees it.
#[derive(Debug, PartialEq)]
struct Visible {
    proc: BTreeSet<String>,
    dev: BTreeSet<String>,
    sys_module: BTreeSet<String>,
    misc: BTreeSet<String>,
    /// Without the kernel's own workers, which come and go.
    threads: BTreeSet<String>,
    modules: String,
}

impl Visible {
    fn now() -> Visible {
        let mut proc = names("/proc");
        proc.retain(|name| !is_process(name));
        let kernel_thread = |pid: &String| {
            // Only a kernel thread has no program.
            let dir = Path::new("/proc").join(pid);
            let name = fs::read_to_string(dir.join("comm")).ok()?;
            let program = fs::read_link(dir.join("exe")).is_ok();
            (!program && !name.starts_with("kworker")).then(|| name.trim().to_owned())
        };
        let mut processes = names("/proc");
        processes.retain(|name| is_process(name));
        Visible {
            proc,
            dev: names("/dev"),
            sys_module: names("/sys/module"),
            misc: names("/sys/class/misc"),
            threads: processes.iter().filter_map(kernel_thread).collect(),
            modules: fs::read_to_string("/proc/modules").expect("/proc/modules"),
        }
    }
}

/// Files of modules.
fn files() -> BTreeSet<String> {
    let of = |folder: &'static str| {
        let mut names = names(folder);
        names.retain(|name| !is_process(name));
        names
            .into_iter()
            .map(move |name| format!("{folder}/{name}"))
    };
    of("/proc").chain(of("/dev")).collect()
}

#[test]
fn all_modules_at_once() {
    let before = Visible::now();
    expect_eq("modules before", &*before.modules, "");
    for backwards in [false, true] {
        let loaded = load_all();
        expect_eq("there are modules to load", loaded.len() > 2, true);
        let now = Visible::now();
        for module in &loaded {
            let name = module.name();
            let line = format!("{name} ");
            let listed = now.modules.lines().any(|l| l.starts_with(&line));
            expect_eq(&format!("/proc/modules has {name}"), listed, true);
            expect_eq(&format!("/sys/module has {name}"), is_loaded(name), true);
        }
        expect_eq(
            "lines of /proc/modules",
            now.modules.lines().count(),
            loaded.len(),
        );
        unload_all(loaded, backwards);
        let after = Visible::now();
        expect_eq(
            "what can be seen after all were unloaded",
            after,
            Visible {
                proc: before.proc.clone(),
                dev: before.dev.clone(),
                sys_module: before.sys_module.clone(),
                misc: before.misc.clone(),
                threads: before.threads.clone(),
                modules: String::new(),
            },
        );
    }
}

/// Objects of each slab cache, and pages of vmalloc and percpu memory.
fn memory() -> BTreeMap<String, i64> {
    // Empty what is kept for later, so that only what is in use counts.
    fs::write("/proc/sys/vm/drop_caches", "3").expect("drop_caches");
    for cache in names("/sys/kernel/slab") {
        // Some are not for shrinking.
        let _ = fs::write(format!("/sys/kernel/slab/{cache}/shrink"), "1");
    }
    let slabs = fs::read_to_string("/proc/slabinfo").expect("/proc/slabinfo");
    let number = |text: Option<&str>| text.and_then(|n| n.parse().ok());
    let slab = |line: &str| {
        let mut fields = line.split_whitespace();
        let name = fields.next()?.to_owned();
        Some((name, number(fields.next())?))
    };
    // The first two lines are a title.
    let mut memory: BTreeMap<String, i64> = slabs.lines().skip(2).filter_map(slab).collect();
    let info = fs::read_to_string("/proc/meminfo").expect("/proc/meminfo");
    for line in info.lines() {
        let mut fields = line.split_whitespace();
        if let (Some(name @ ("VmallocUsed:" | "Percpu:")), kib) = (fields.next(), fields.next()) {
            memory.insert(name.to_owned(), number(kib).expect("a size") / 4);
        }
    }
    memory
}

/// Loading, using and unloading all modules over and over leaks no memory.
///
/// Counts go up and down by themselves: the kernel frees some objects only when
/// others have come, and keeps a slab's free ones. But what leaks one object a time
/// has grown by at least [`ROUNDS`] after each of three parts, and nothing else does.
#[koru_testing::one_cpu]
#[test]
fn nothing_leaks() {
    const ROUNDS: i64 = 30;
    const PARTS: usize = 3;
    let round = |n: i64| {
        let before = files();
        let loaded = load_all();
        for file in files().difference(&before) {
            // What opens is what may leak; not every one can be read.
            if let Ok(mut file) = File::open(file) {
                let _ = file.read(&mut [0; 100]);
            }
        }
        unload_all(loaded, n % 2 == 0);
    };
    // What is made once, for the first.
    (0..5).for_each(round);
    let mut seen = vec![memory()];
    for _ in 0..PARTS {
        (0..ROUNDS).for_each(round);
        seen.push(memory());
    }
    let names: BTreeSet<&String> = seen.iter().flat_map(|m| m.keys()).collect();
    for name in names {
        let counts: Vec<i64> = seen
            .iter()
            .map(|m| m.get(name).copied().unwrap_or(0))
            .collect();
        let grows = counts.windows(2).all(|two| two[1] - two[0] >= ROUNDS);
        expect_eq(
            &format!("{name} grows by {ROUNDS} in each of {PARTS} parts: {counts:?}"),
            grows,
            false,
        );
    }
}
