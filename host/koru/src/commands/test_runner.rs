// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru test-runner`: runs a test binary in a guest, for cargo and nextest.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, Result};

use crate::{
    cli::KernelChoice,
    context::Context,
    testing::{
        binaries::{list_tests, modules_for},
        marks::TestMarks,
        result::{TestResult, describe},
        runner::{TestEnvironment, power_off, run_tests},
        settings::GuestTests,
    },
};

/// Runs `koru test-runner BINARY ARGS..`, which cargo and nextest call instead of the binary.
pub fn test_runner(context: &Context, binary: &Path, args: &[String]) -> Result<u8> {
    let lists = args
        .iter()
        .any(|a| a == "--list" || a == "--help" || a == "-h");
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.filter(|p| GuestTests::of(p).guest);
    let Some(package) = package.filter(|_| !lists) else {
        let error = Command::new(binary).args(args).exec();
        return Err(Error::path("running", binary, error));
    };
    let tree = context.tree(&KernelChoice::default())?;
    let tests = list_tests(binary, args, None)?;
    println!("\nrunning {} tests on {}", tests.len(), tree.release);
    if tests.is_empty() {
        println!("\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n");
        return Ok(0);
    }
    let kos = modules_for(context, &tree, &package)?;
    let machine = GuestTests::of(&package).machine(&TestMarks::of(binary)?);
    let environment = TestEnvironment::new(binary, &kos, &machine);
    let mut guest = None;
    let results = run_tests(context, &tree, &environment, &mut guest, &tests, &|r| {
        context.ui.done();
        println!("test {} ... {}", r.name, r.verdict());
    })?;
    power_off(guest)?;
    context.ui.done();
    let failed: Vec<&TestResult> = results.iter().filter(|r| r.failure.is_some()).collect();
    for result in &failed {
        println!("\n---- {} ----\n{}", result.name, describe(result));
    }
    let ignored = results.iter().filter(|r| r.ignored.is_some()).count();
    println!(
        "\ntest result: {}. {} passed; {} failed; {ignored} ignored; 0 measured; 0 filtered out\n",
        if failed.is_empty() { "ok" } else { "FAILED" },
        results.len() - failed.len() - ignored,
        failed.len(),
    );
    Ok(if failed.is_empty() { 0 } else { 101 })
}
