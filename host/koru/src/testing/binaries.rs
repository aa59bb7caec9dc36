// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles test binaries, lists their tests, and builds the modules that they need.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{Artifact, Message};
use koru_error::{Error, Kind, Result};
use koru_kbuild::{find_modules, usable_target_dir};
use koru_kernels::{KernelTree, Progress};

use crate::{
    cli::MachineArgs,
    context::Context,
    programs,
    testing::{marks::TestMarks, settings::GuestTests},
};

/// A compiled test file, and the machine that it runs on.
pub struct TestBinary {
    pub name: String,
    pub path: PathBuf,
    pub machine: MachineArgs,
    /// How its tests want to run.
    pub marks: TestMarks,
}

impl TestBinary {
    /// Takes a test binary among the artifacts that cargo reports.
    fn of(artifact: Artifact) -> Option<Result<TestBinary>> {
        let path = artifact.executable.filter(|_| artifact.profile.test)?;
        let settings = GuestTests::of(artifact.manifest_path.parent()?.as_std_path());
        let binary = TestMarks::of(path.as_std_path()).map(|marks| TestBinary {
            name: artifact.target.name,
            path: path.into_std_path_buf(),
            machine: settings.machine(&marks),
            marks,
        });
        Some(binary)
    }
}

/// Compiles the test binaries of all packages whose tests are for the guest, or one of those
/// binaries.
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
        .args(["--target", programs::USER_TARGET])
        // The binaries run on an emulated processor, from memory that contains them as a
        // whole.
        .args(["--config", "profile.test.opt-level=1"])
        .args(["--config", "profile.test.debug=false"])
        .args(["--config", "profile.test.strip=true"])
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    if workspace != context.home.root {
        cargo.args(koru_kbuild::patch_options(&context.home));
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
    let wanted = metadata(workspace)?.target_directory;
    let target_dir = usable_target_dir(&context.home, wanted.as_std_path());
    cargo.env("CARGO_TARGET_DIR", target_dir);
    let run = koru_kernels::run(&mut cargo, "compiling the guest tests").map_err(|mut e| {
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
    Message::parse_stream(run.stdout.as_bytes())
        .filter_map(|message| match message {
            Ok(Message::CompilerArtifact(artifact)) => TestBinary::of(artifact),
            _ => None,
        })
        .collect()
}

pub fn metadata(workspace: &Path) -> Result<cargo_metadata::Metadata> {
    cargo_metadata::MetadataCommand::new()
        .manifest_path(workspace.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|e| {
            Error::new(
                Kind::Usage,
                format!("reading {}", workspace.display()),
                e.to_string(),
            )
        })
}

fn guest_packages(workspace: &Path) -> Result<Vec<String>> {
    Ok(metadata(workspace)?
        .packages
        .iter()
        .filter(|p| p.metadata["koru"]["guest"] == true)
        .map(|p| p.name.to_string())
        .collect())
}

/// Returns the tests that the binary itself lists for these arguments, and whether each is
/// ignored.
pub fn list_tests(binary: &Path, args: &[String]) -> Result<Vec<(String, bool)>> {
    // Arguments that matter only for running are left out.
    let of = |ignored: bool| -> Result<Vec<String>> {
        let mut command = Command::new(binary);
        command.args(args.iter().filter(|a| {
            !matches!(
                a.as_str(),
                "--nocapture" | "--no-capture" | "--show-output" | "--quiet" | "-q"
            ) && !a.starts_with("--test-threads")
                && !a.starts_with("--color")
        }));
        command.args(["--list", "--format", "terse"]);
        if ignored {
            command.arg("--ignored");
        }
        let run = koru_kernels::run(&mut command, &format!("listing {}", binary.display()))?;
        Ok(run
            .stdout
            .lines()
            .filter_map(|l| l.strip_suffix(": test"))
            .map(str::to_owned)
            .collect())
    };
    if args
        .iter()
        .any(|a| a == "--ignored" || a == "--include-ignored")
    {
        return Ok(of(false)?.into_iter().map(|t| (t, false)).collect());
    }
    let ignored = of(true)?;
    Ok(of(false)?
        .into_iter()
        .map(|t| {
            let skip = ignored.contains(&t);
            (t, skip)
        })
        .collect())
}

/// Builds the modules of the package's workspace, and returns their names and files.
pub fn modules_for(
    context: &Context,
    tree: &KernelTree,
    package: &Path,
) -> Result<Vec<(String, PathBuf)>> {
    let workspace = koru_kbuild::workspace_of(package)?;
    let modules = find_modules(&context.home, &workspace, &[])?;
    let (kos, _) = context.build(tree, &modules)?;
    if workspace == context.home.root {
        programs::build(context, &programs::names(&workspace))?;
    }
    for ko in &kos {
        context.register_module(&ko.name, &ko.path);
    }
    Ok(kos.into_iter().map(|k| (k.name, k.path)).collect())
}
