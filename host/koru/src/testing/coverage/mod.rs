// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which lines and functions of the modules the tests have executed.

mod html;
mod lcov;
mod lines;
mod record;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{KernelTree, Progress};
use koru_protocol::Exec;
use koru_qemu::{Accel, AccelChoice, Coverage, CoveragePlugin, KernelAddresses};
use koru_vm::{Guest, GuestConfig};
use serde_json::{Value, json};

use crate::{
    context::Context,
    log::oops::sources,
    testing::coverage::{
        lines::{Files, add_lines},
        record::{Executed, ModuleFile},
    },
    ui::table,
};

/// What the guests of one run execute.
pub struct CoverageRun {
    plugin: CoveragePlugin,
    /// Where kernels are, by release: nothing moves them.
    kernels: Mutex<BTreeMap<String, KernelAddresses>>,
    guests: Mutex<Vec<CoveredGuest>>,
}

/// A guest that records what it executes.
struct CoveredGuest {
    pid: u32,
    coverage: Arc<Coverage>,
    kos: Vec<(String, PathBuf)>,
    /// From which byte of the record on which tests ran.
    suites: Vec<(usize, String)>,
}

impl CoverageRun {
    /// Prepares the plugin for QEMU.
    pub fn new(context: &Context) -> Result<CoverageRun> {
        let version = CoveragePlugin::api_version(Path::new(koru_qemu::PROGRAM))?;
        let key = koru_kernels::Key::default()
            .with(CoveragePlugin::source())
            .with(version.to_string())
            .hex();
        let cache = &context.cache;
        let folder = cache.entry("plugins", &key, &*context.ui, |dir| {
            CoveragePlugin::compile(dir, version).map(|_| ())
        })?;
        Ok(CoverageRun {
            plugin: CoveragePlugin::in_folder(&folder),
            kernels: Mutex::default(),
            guests: Mutex::default(),
        })
    }

    /// Starts a guest that records what these modules execute, for a suite of tests.
    pub fn start(
        &self,
        mut config: GuestConfig,
        tree: &KernelTree,
        kos: &[(String, PathBuf)],
        suite: &str,
    ) -> Result<Guest> {
        let coverage = Arc::new(Coverage::new(&self.plugin)?);
        config.coverage = Some(coverage.clone());
        config.accel = AccelChoice::Only(Accel::Tcg);
        let guest = Guest::start(config)?;
        let known = lock(&self.kernels).get(&tree.release).copied();
        let addresses = match known {
            Some(addresses) => addresses,
            None => {
                let addresses = kernel_addresses(&guest, tree)?;
                lock(&self.kernels).insert(tree.release.clone(), addresses);
                addresses
            }
        };
        coverage.set_kernel(addresses)?;
        lock(&self.guests).push(CoveredGuest {
            pid: guest.pid(),
            coverage,
            kos: kos.to_vec(),
            suites: vec![(0, suite.to_owned())],
        });
        Ok(guest)
    }

    /// Notes that a guest runs another suite of tests from now on.
    pub fn next_suite(&self, guest: &Guest, suite: &str) -> Result<()> {
        let mut guests = lock(&self.guests);
        // Another process may have had the same number before.
        if let Some(found) = guests.iter_mut().rev().find(|g| g.pid == guest.pid()) {
            let recorded = found.coverage.record()?.len();
            found.suites.push((recorded, suite.to_owned()));
        }
        Ok(())
    }

    /// Finds the lines that were executed, and writes reports to a folder.
    pub fn finish(self, context: &Context, folder: &Path) -> Result<CoverageReport> {
        context.ui.status("finding the lines that were executed");
        let mut modules: Vec<ModuleFile> = Vec::new();
        let mut executed: BTreeMap<String, Executed> = BTreeMap::new();
        let mut incomplete = false;
        for guest in self
            .guests
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            let record = guest.coverage.record()?;
            incomplete |= record::execute(
                &record,
                &guest.kos,
                &guest.suites,
                &mut modules,
                &mut executed,
            );
        }
        let sources = sources(context);
        let mut files = Files::default();
        let mut unknown = Vec::new();
        for (at, module) in modules.iter().enumerate() {
            let of_module = |suite: &Executed| suite.get(&at).cloned().unwrap_or_default();
            let suites = executed
                .iter()
                .map(|(name, suite)| (name.as_str(), of_module(suite)));
            let suites: Vec<_> = suites.filter(|(_, offsets)| !offsets.is_empty()).collect();
            if suites.is_empty() {
                continue;
            }
            let in_checkout = context.is_in_checkout();
            if add_lines(&mut files, module, &suites, &sources, in_checkout).is_none() {
                unknown.push(module.name.clone());
            }
        }
        context.ui.done();
        unknown.sort();
        unknown.dedup();
        fs::create_dir_all(folder).path_context("making the folder", folder)?;
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).path_context("writing", &path)?;
            Ok::<PathBuf, Error>(path)
        };
        Ok(CoverageReport {
            lcov: write("lcov.info", lcov::text(&files))?,
            html: write("index.html", html::text(&files))?,
            files,
            unknown,
            incomplete,
        })
    }
}

/// What was executed of all modules, and where it is reported.
pub struct CoverageReport {
    files: Files,
    /// The modules without debug info.
    unknown: Vec<String>,
    /// Whether the guests executed more than is recorded.
    incomplete: bool,
    lcov: PathBuf,
    html: PathBuf,
}

impl CoverageReport {
    /// Returns a table of the files, what was not executed in each, and where the reports are.
    pub fn text(&self) -> String {
        let share = |(run, all): (usize, usize)| match all {
            0 => "-".to_owned(),
            _ => format!("{run} of {all} ({} %)", 100 * run / all),
        };
        let row =
            |name: &str, lines, functions| vec![name.to_owned(), share(lines), share(functions)];
        let mut rows: Vec<Vec<String>> = self
            .files
            .iter()
            .map(|file| row(&file.shown, file.lines_run(), file.functions_run()))
            .collect();
        if rows.len() > 1 {
            let sum = |count: &dyn Fn(&lines::FileCoverage) -> (usize, usize)| {
                let counts = self.files.iter().map(count);
                counts.fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1))
            };
            rows.push(row(
                "total",
                sum(&|f| f.lines_run()),
                sum(&|f| f.functions_run()),
            ));
        }
        let mut text = String::new();
        match rows.is_empty() {
            true => text.push_str("coverage: no module with debug info was loaded\n"),
            false => text.push_str(&table(&["coverage", "lines", "functions"], &rows)),
        }
        for file in self.files.iter() {
            let lines = file.lines_not_run();
            if !lines.is_empty() {
                text.push_str(&format!(
                    "\n{}: lines that did not run: {lines}",
                    file.shown
                ));
            }
            let functions = file.functions_not_run();
            if !functions.is_empty() {
                let functions = functions.join(", ");
                text.push_str(&format!(
                    "\n{}: functions that did not run: {functions}",
                    file.shown
                ));
            }
        }
        for name in &self.unknown {
            text.push_str(&format!(
                "\n{name} has no debug info, so its lines are unknown"
            ));
        }
        if self.incomplete {
            text.push_str("\nthe record of a guest was full: more may have run than is said here");
        }
        text.push_str(&format!(
            "\n\nlcov: {}\nHTML: {}",
            self.lcov.display(),
            self.html.display()
        ));
        text
    }

    /// Returns the same for programs.
    pub fn json(&self) -> Value {
        let files = self.files.iter().map(|file| {
            let functions = file.functions.iter().map(|(name, function)| {
                json!({ "name": name, "line": function.line, "run": function.is_run() })
            });
            let lines = file.lines.iter();
            let lines =
                lines.map(|(line, suites)| json!({ "line": line, "run": !suites.is_empty() }));
            json!({
                "file": file.path,
                "lines": lines.collect::<Vec<_>>(),
                "functions": functions.collect::<Vec<_>>(),
            })
        });
        json!({
            "files": files.collect::<Vec<_>>(),
            "without_debug_info": self.unknown,
            "incomplete": self.incomplete,
            "lcov": self.lcov,
            "html": self.html,
        })
    }
}

/// Finds out where a kernel is.
fn kernel_addresses(guest: &Guest, tree: &KernelTree) -> Result<KernelAddresses> {
    const NAMES: [&str; 3] = ["do_init_module", "modules", "init_top_pgt"];
    let pattern = format!(" ({})(\\.|$)", NAMES.join("|"));
    let found = guest
        .session()
        .output(Exec::new(["grep", "-E", &pattern, "/proc/kallsyms"]))?;
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    let address = |name: &str| {
        let mut found = text.lines().filter_map(|line| {
            let mut fields = line.split_whitespace();
            let address = u64::from_str_radix(fields.next()?, 16).ok()?;
            let symbol = fields.nth(1)?;
            // Compilers give the name of a changed function a suffix.
            (symbol.split('.').next() == Some(name) && address != 0).then_some(address)
        });
        found.next().ok_or_else(|| {
            let message = format!("the kernel does not say where its symbol `{name}` is");
            let attempted = format!("recording coverage on {}", tree.release);
            Error::new(Kind::Usage, attempted, message)
                .help("coverage needs a kernel for x86-64 that is built with CONFIG_KALLSYMS_ALL")
        })
    };
    let [do_init_module, modules, init_top_pgt] = NAMES.map(address);
    Ok(KernelAddresses {
        do_init_module: do_init_module?,
        modules: modules?,
        init_top_pgt: init_top_pgt?,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
