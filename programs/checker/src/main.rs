// SPDX-License-Identifier: MIT OR Apache-2.0

//! What `koru check` does with a module in a guest: loads it many times, and makes its allocations
//! fail.
#![forbid(unsafe_code)]

mod faults;
mod files;
mod inject;
mod module;

use std::{env, process::ExitCode};

use koru_protocol::TEST_SKIPPED;

use module::{Failure, Module};

const USAGE: &str = "\
Usage: checker reload TIMES KO NAME [PARAMETER..]
       checker faults KO NAME [PARAMETER..]
       checker files

reload  loads and unloads the module NAME of the file KO
faults  loads it while one allocation after the other fails, then uses each
        file in /proc, /dev and debugfs that it makes in the same way; needs a
        kernel with fault injection
files   prints the names of all files in /proc, /dev and debugfs
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["reload", times, ko, name, ref parameters @ ..] => match times.parse() {
            Ok(times) => Module::open(ko, name, parameters).and_then(|m| reload(&m, times)),
            Err(_) => return usage(),
        },
        ["files"] => {
            for file in files::all() {
                println!("{}", file.display());
            }
            Ok(())
        }
        ["faults", ko, name, ref parameters @ ..] => {
            let Ok(mut injection) = inject::Injection::new() else {
                eprintln!("checker: this kernel has no fault injection");
                return ExitCode::from(TEST_SKIPPED as u8);
            };
            Module::open(ko, name, parameters).and_then(|m| faults::walk_all(&m, &mut injection))
        }
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((what, errno)) => {
            eprintln!("checker: {what}: {}", errno.desc());
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}

/// Loads and unloads a module so many times.
fn reload(module: &Module, times: u32) -> Result<(), Failure> {
    for time in 1..=times {
        let failed = |what| move |errno| (format!("{what} it for the {time}. time"), errno);
        module.load().map_err(failed("loading"))?;
        module.unload().map_err(failed("unloading"))?;
    }
    Ok(())
}
