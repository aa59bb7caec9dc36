//! The tests that run in a guest.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use cargo_metadata::Message;
use koru_build::{Error, KernelTree, Kind, Report, Result};

use super::Run;
use crate::{
    cli::{KernelChoice, MachineArgs},
    commands::test_runner::{self, Setting},
    context::Context,
    guest_tests::GuestTests,
    needs,
};

impl Run<'_> {
    /// The guest tests of the workspace around `folder`, on every kernel.
    pub fn guest_of(&self, folder: &Path) -> Result<()> {
        let workspace = koru_build::workspace_of(&around(folder)?)?;
        let binaries = guest_binaries(self.context, &workspace, None)?;
        let mut jobs = Vec::new();
        for tree in self.trees()? {
            let kos = test_runner::modules_for(self.context, &tree, &workspace)?;
            for binary in &binaries {
                let tests: Vec<(String, bool)> = test_runner::list(&binary.path, &[])?
                    .into_iter()
                    .filter(|(name, _)| self.wanted(&format!("{}::{name}", binary.name)))
                    .collect();
                if !tests.is_empty() {
                    jobs.push((tree.clone(), kos.clone(), binary, tests));
                }
            }
        }
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = Mutex::new(jobs.into_iter());
        let errors = Mutex::new(Vec::new());
        std::thread::scope(|s| {
            for _ in 0..workers {
                s.spawn(|| {
                    loop {
                        let job = jobs.lock().expect("no panic while held").next();
                        let Some((tree, kos, binary, tests)) = job else {
                            break;
                        };
                        let suite = format!("{} on {}", binary.name, tree.release);
                        let ran = test_runner::run_tests(
                            self.context,
                            &tree,
                            &Setting::new(&binary.path, &kos, &binary.machine),
                            None,
                            &tests,
                            &|result| self.add(&suite, result.clone()),
                        );
                        if let Err(e) = ran {
                            errors.lock().expect("no panic while held").push(e);
                        }
                    }
                });
            }
        });
        match errors.into_inner().expect("no panic while held").pop() {
            Some(e) => Err(e),
            None => Ok(()),
        }
    }

    /// The kernels to test on: the one asked for, or all that can boot.
    fn trees(&self) -> Result<Vec<KernelTree>> {
        if let Some(kernel) = &self.args.kernel {
            let choice = KernelChoice {
                kernel: Some(kernel.clone()),
                kdir: None,
            };
            return Ok(vec![self.context.tree(&choice)?]);
        }
        let supported = needs::SUPPORTED
            .iter()
            .filter_map(|k| self.context.kernels.find(Some(k)).ok())
            .filter(|t| t.image.is_some())
            .collect::<Vec<_>>();
        if supported.is_empty() {
            return Ok(vec![self.context.kernels.find(None)?]);
        }
        Ok(supported)
    }
}

/// A compiled test file, and the machine that it is for.
pub struct TestBinary {
    pub name: String,
    pub path: PathBuf,
    pub machine: MachineArgs,
}

/// Compiles the test binaries of the packages that say they are for the guest, or
/// one of them.
pub fn guest_binaries(
    context: &Context,
    workspace: &Path,
    only: Option<&str>,
) -> Result<Vec<TestBinary>> {
    context.ui.status("compiling the guest tests");
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "test",
            "--no-run",
            "--message-format=json",
            "--manifest-path",
        ])
        .arg(workspace.join("Cargo.toml"))
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    if workspace != context.home.root {
        cargo.args(koru_build::patch_options(&context.home));
    }
    let mut packages = 0;
    for package in guest_packages(workspace)? {
        cargo.args(["-p", &package]);
        packages += 1;
    }
    if let Some(name) = only {
        cargo.args(["--test", name]);
    }
    if packages == 0 {
        return Ok(Vec::new());
    }
    let run = koru_build::run(&mut cargo, "compiling the guest tests").map_err(|mut e| {
        // The compiler's messages are inside cargo's JSON.
        if let Some(text) = &e.output {
            let rendered: String = Message::parse_stream(text.as_bytes())
                .filter_map(|m| match m {
                    Ok(Message::CompilerMessage(m)) => m.message.rendered,
                    _ => None,
                })
                .collect();
            if !rendered.is_empty() {
                e.output = Some(rendered);
            }
        }
        e
    })?;
    Ok(Message::parse_stream(run.stdout.as_bytes())
        .filter_map(|m| match m {
            Ok(Message::CompilerArtifact(a)) if a.profile.test => {
                let package = a.manifest_path.parent()?;
                Some(TestBinary {
                    path: a.executable?.into_std_path_buf(),
                    machine: GuestTests::of(package.as_std_path()).machine(&a.target.name),
                    name: a.target.name,
                })
            }
            _ => None,
        })
        .filter(|binary| binary.name != "koru_tests")
        .collect())
}

/// The folder of the package that `folder` is in.
fn around(folder: &Path) -> Result<PathBuf> {
    folder
        .ancestors()
        .find(|d| d.join("Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "looking for tests",
                format!("there is no Cargo.toml in {} or above", folder.display()),
            )
            .todo("go into a module's folder, or make one: `koru new NAME`")
        })
}

fn guest_packages(workspace: &Path) -> Result<Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(workspace.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|e| {
            Error::new(
                Kind::Usage,
                format!("reading {}", workspace.display()),
                e.to_string(),
            )
        })?;
    Ok(metadata
        .packages
        .iter()
        .filter(|p| p.metadata["koru"]["guest"] == true)
        .map(|p| p.name.to_string())
        .collect())
}
