// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles test binaries, lists their tests, and builds the modules that they need.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use cargo_metadata::{Artifact, Message, Metadata, Package};
use koru_error::{Error, Kind, Result};
use koru_kbuild::{
    CargoRun, Module, Toolchain, find_modules, make_real_folders, needs_fetch, usable_target_dir,
};
use koru_kernels::{KernelTree, Progress};
use koru_sandbox::{Sandbox, Stream};

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
    /// The folder of its package.
    pub package: PathBuf,
    pub machine: MachineArgs,
    /// How its tests want to run.
    pub marks: TestMarks,
}

impl TestBinary {
    /// Takes a test binary among the artifacts that cargo reports.
    fn of(artifact: Artifact) -> Option<Result<TestBinary>> {
        let path = artifact.executable.filter(|_| artifact.profile.test)?;
        let package = artifact.manifest_path.parent()?.as_std_path();
        let settings = GuestTests::of(package);
        let binary = TestMarks::of(path.as_std_path()).map(|marks| TestBinary {
            name: artifact.target.name,
            path: path.into_std_path_buf(),
            package: package.to_owned(),
            machine: settings.machine(&marks),
            marks,
        });
        Some(binary)
    }
}

/// Compiles the test binaries of those packages whose tests are for the guest and that `wanted`
/// selects by their folders, or one of those binaries.
pub fn guest_binaries(
    context: &Context,
    workspace: &Path,
    wanted: &dyn Fn(&Path) -> bool,
    only: Option<&str>,
) -> Result<Vec<TestBinary>> {
    let attempted = "compiling the guest tests";
    context.ui.status(attempted);
    let metadata = metadata(workspace)?;
    let is_own = workspace == context.home.root;
    let packages = guest_packages(&metadata, wanted);
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    let target_dir = usable_target_dir(&context.home, metadata.target_directory.as_std_path());
    let target = match is_own {
        true => target_dir.clone(),
        // A folder of koru's own, since it belongs to the sandbox.
        false => target_dir.join("koru/tests"),
    };
    if !is_own {
        make_real_folders(&target_dir, &["koru", "tests"])?;
    }
    let toolchain = Toolchain::find(&context.cache)?;
    let cargo_run = CargoRun {
        home: &context.home,
        toolchain: &toolchain,
        workspace,
        sandbox: context.rust_sandbox.as_ref().filter(|_| !is_own),
        readable: Vec::new(),
        target: &target,
    };
    let mut cargo = koru_kbuild::cargo();
    cargo
        .args([
            "test",
            "--no-run",
            "--message-format=json",
            "--manifest-path",
        ])
        .arg(workspace.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .args(["--target", programs::USER_TARGET])
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    let options = match is_own {
        true => Vec::new(),
        false => koru_kbuild::patch_options(&context.home),
    };
    cargo.args(&options);
    // The binaries run on an emulated processor, from memory that contains them as a whole.
    match is_own {
        // The manifest says the same of the tests' own packages, and their dependencies are there.
        true => cargo.arg("--profile=program"),
        false => cargo
            .args(["--config", "profile.test.opt-level=1"])
            .args(["--config", "profile.test.debug=false"])
            .args(["--config", "profile.test.strip=true"]),
    };
    cargo.args(packages.iter().flat_map(|package| ["-p", package]));
    if let Some(name) = only {
        cargo.args(["--test", name]);
    }
    let mut heard = Heard::of(&cargo_run, &mut cargo, attempted)?;
    if !heard.success && needs_fetch(&heard.said) {
        context.ui.status("fetching dependencies");
        cargo_run.fetch(&options)?;
        heard = Heard::of(&cargo_run, &mut cargo, attempted)?;
    }
    if !heard.success {
        // The compiler's messages are inside cargo's JSON.
        let output = match heard.rendered.is_empty() {
            true => heard.said,
            false => heard.rendered,
        };
        let mut error = Error::new(Kind::System, attempted, "`cargo` failed");
        error.help = koru_kbuild::unreadable(&output);
        return Err(error.output(output));
    }
    let artifacts = heard.artifacts.into_iter();
    artifacts.filter_map(TestBinary::of).collect()
}

/// What cargo reported.
#[derive(Default)]
struct Heard {
    success: bool,
    artifacts: Vec<Artifact>,
    rendered: String,
    said: String,
}

impl Heard {
    fn of(run: &CargoRun, cargo: &mut Command, attempted: &str) -> Result<Heard> {
        let heard = Mutex::new(Heard::default());
        let line = |stream: Stream, line: &str| {
            let mut heard = heard.lock().expect("no panic while held");
            match (stream, Message::parse_stream(line.as_bytes()).next()) {
                (Stream::Stderr, _) => {
                    heard.said.push_str(line);
                    heard.said.push('\n');
                }
                (_, Some(Ok(Message::CompilerArtifact(a)))) => heard.artifacts.push(a),
                (_, Some(Ok(Message::CompilerMessage(m)))) => {
                    heard.rendered += &m.message.rendered.unwrap_or_default();
                }
                _ => {}
            }
        };
        let status = run.lines(cargo, attempted, &line);
        let mut heard = heard.into_inner().expect("no panic while held");
        match status {
            Ok(status) => heard.success = status.success(),
            Err(e) => return Err(e.output(heard.said)),
        }
        Ok(heard)
    }
}

pub fn metadata(workspace: &Path) -> Result<Metadata> {
    koru_kbuild::metadata_command(&workspace.join("Cargo.toml"))
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

fn guest_packages(metadata: &Metadata, wanted: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let folder = |p: &Package| {
        p.manifest_path
            .parent()
            .map(|dir| dir.as_std_path().to_owned())
    };
    metadata
        .packages
        .iter()
        .filter(|p| p.metadata["koru"]["guest"] == true)
        .filter(|p| folder(p).is_some_and(|folder| wanted(&folder)))
        .map(|p| p.name.to_string())
        .collect()
}

/// Returns the tests that the binary itself lists for these arguments, and whether each is
/// ignored. The binary runs in the sandbox, if there is one.
pub fn list_tests(
    binary: &Path,
    args: &[String],
    sandbox: Option<&Sandbox>,
) -> Result<Vec<(String, bool)>> {
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
        let attempted = format!("listing {}", binary.display());
        let listed = match sandbox {
            None => koru_kernels::run(&mut command, &attempted)?.stdout,
            Some(sandbox) => {
                let sandbox = sandbox.clone().readable(binary);
                let output = sandbox.output(&command, &attempted)?;
                if !output.status.success() {
                    let said = String::from_utf8_lossy(&output.stderr);
                    let error = Error::new(Kind::System, attempted, "the test binary failed");
                    return Err(error.output(said));
                }
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
        };
        Ok(listed
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
    build_for_tests(context, tree, &workspace, &modules)
}

/// Builds these modules of a workspace and what its tests need beside them. Returns the modules'
/// names and files.
pub fn build_for_tests(
    context: &Context,
    tree: &KernelTree,
    workspace: &Path,
    modules: &[Module],
) -> Result<Vec<(String, PathBuf)>> {
    if modules.is_empty() {
        return Ok(Vec::new());
    }
    let (kos, _) = context.build(tree, modules)?;
    if workspace == context.home.root {
        programs::build(context, &programs::names(workspace))?;
    }
    for ko in &kos {
        context.register_module(&ko.name, &ko.path);
    }
    Ok(kos.into_iter().map(|k| (k.name, k.path)).collect())
}
