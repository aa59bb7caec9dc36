// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the tests of a folder whose module is no crate: the programs and scripts in its folder
//! `tests`, each while the module is loaded, or a few tests that fit every module.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{Source, Toolchain, repository};
use koru_kernels::{KernelTree, Key, Progress, output};
use koru_sandbox::Sandbox;

use crate::{
    cli::MachineArgs,
    context::Context,
    guest,
    loadable::{Loadable, all_in_order},
    testing::{
        result::TestResult,
        runner::{TestEnvironment, power_off, run_tests},
        test_run::TestRun,
    },
};

/// The script that a guest runs for each test, behind the lines that name the modules.
const SCRIPT: &str = include_str!("../../templates/guest/run-test");

/// The tests of a folder that has no folder `tests`.
const GENERAL: [&str; 2] = ["loads_and_unloads", "loads_and_unloads_twice"];

/// The folder of the test programs in a guest.
const FOLDER: &str = "/tests";

/// A test program or script.
struct TestProgram {
    name: String,
    file: PathBuf,
}

impl TestRun<'_> {
    /// Runs the tests of the folder that these sources are from, on every kernel.
    pub fn programs_of(&self, folder: &Path, sources: &[Source]) -> Result<()> {
        let programs = programs(self.context, &folder.join("tests"))?;
        let mut tests: Vec<String> = programs.iter().map(|p| p.name.clone()).collect();
        if tests.is_empty() {
            tests.extend(GENERAL.map(str::to_owned));
        }
        tests.retain(|name| self.wanted(name));
        for tree in self.trees()? {
            let built = self.context.build_sources(|| Ok(tree.clone()), sources);
            let modules =
                built.and_then(|(kos, _)| all_in_order(self.context, &tree, sources, &kos, &[]));
            match modules {
                Ok(modules) => self.run_programs(&tree, &modules, &programs, &tests)?,
                Err(e) => self.unless_one_of_several(&tree, e)?,
            }
        }
        Ok(())
    }

    fn run_programs(
        &self,
        tree: &KernelTree,
        modules: &[Loadable],
        programs: &[TestProgram],
        tests: &[String],
    ) -> Result<()> {
        let names: Vec<&str> = modules.iter().map(|m| m.name.as_str()).collect();
        let script = tempfile::NamedTempFile::new()
            .path_context("making a file in", &std::env::temp_dir())?;
        let reversed: Vec<&str> = names.iter().rev().copied().collect();
        let text = format!(
            "#!/bin/sh\nmodules='{}'\nreversed='{}'\n{SCRIPT}",
            names.join(" "),
            reversed.join(" ")
        );
        fs::write(script.path(), text).path_context("writing", script.path())?;
        fs::set_permissions(script.path(), Permissions::from_mode(0o755))
            .path_context("writing", script.path())?;
        let kos = modules.iter().map(|m| (m.name.clone(), m.path.clone()));
        let kos: Vec<(String, PathBuf)> = kos.collect();
        let read = |program: &TestProgram| {
            let content = fs::read(&program.file).path_context("reading", &program.file)?;
            Ok((format!("{FOLDER}/{}", program.name), content))
        };
        let files: Vec<(String, Vec<u8>)> = programs.iter().map(read).collect::<Result<_>>()?;
        let machine = MachineArgs {
            harsh: !self.args.plain,
            ..guest::machine()
        };
        let mut environment = TestEnvironment::new(script.path(), &kos, &machine);
        environment.files = &files;
        let tests: Vec<(String, bool)> = tests.iter().map(|t| (t.clone(), false)).collect();
        let suite = format!("{} on {}", names.last().unwrap_or(&"tests"), tree.release);
        environment.coverage = self.coverage_of(&suite);
        let tell = |result: &TestResult| self.add(&suite, result.clone());
        let mut up = None;
        run_tests(self.context, tree, &environment, &mut up, &tests, &tell)?;
        power_off(up)
    }
}

/// Returns the test programs and scripts of a folder. Sources are compiled.
fn programs(context: &Context, folder: &Path) -> Result<Vec<TestProgram>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_file()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if let "c" | "rs" | "sh" = file
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default()
        {
            found.push(TestProgram {
                name: name.into_owned(),
                file: compiled(context, &file)?,
            });
        }
    }
    Ok(found)
}

/// Returns the program that a source file is compiled to, which is static, because a guest has
/// no libraries. A script is returned as it is.
pub fn compiled(context: &Context, source: &Path) -> Result<PathBuf> {
    let ending = source.extension().and_then(|e| e.to_str());
    if ending == Some("sh") {
        return Ok(source.to_owned());
    }
    let text = fs::read(source).path_context("reading", source)?;
    let folder = source.parent().unwrap_or(Path::new("."));
    let mut key = Key::default().with(source.as_os_str().as_encoded_bytes());
    // A program may include the headers beside it.
    for entry in fs::read_dir(folder)
        .path_context("reading", folder)?
        .flatten()
    {
        if entry.path().extension().is_some_and(|e| e == "h") {
            key = key.add_file(&entry.path())?;
        }
    }
    let key = key.with(&text).hex();
    let attempted = format!("compiling {}", source.display());
    let entry = context.cache.entry("tests", &key, &*context.ui, |dir| {
        context.ui.status(&attempted);
        let program = dir.join("program");
        let mut compiler = if ending == Some("c") {
            let mut gcc = Command::new("gcc");
            gcc.args(["-static", "-O1", "-g", "-Wall", "-pthread"]);
            gcc
        } else {
            let mut rustc = Command::new(&Toolchain::find(&context.cache)?.rustc);
            rustc.args(["--edition=2021", "-O", "-Ctarget-feature=+crt-static"]);
            if String::from_utf8_lossy(&text).contains("#[test]") {
                rustc.arg("--test");
            }
            rustc
        };
        compiler.arg("-o").arg(&program).arg(source);
        let made = match &context.sandbox {
            None => output(&mut compiler, &attempted)?,
            Some(sandbox) => {
                // The tests are in a folder of the module's.
                let around = repository(folder).or(folder.parent()).unwrap_or(folder);
                let mut read = vec![around.to_owned()];
                if ending == Some("rs") {
                    read.extend(Toolchain::find(&context.cache)?.files());
                }
                let sandbox = read.into_iter().fold(sandbox.clone(), Sandbox::readable);
                sandbox.work(dir, dir).output(&compiler, &attempted)?
            }
        };
        let said = [made.stdout, made.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if !made.status.success() {
            let error = Error::new(Kind::Link, attempted.clone(), "it does not compile");
            return Err(error.output(said));
        }
        if !said.trim().is_empty() {
            context.ui.print(said.trim_end());
        }
        Ok(())
    })?;
    Ok(entry.join("program"))
}
