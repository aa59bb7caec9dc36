// SPDX-License-Identifier: MIT OR Apache-2.0

//! The agent: PID 1 in a guest, which does what the host asks for. With `--stdio`, the agent
//! runs on the machine that it is started on, until its input ends.
//!
//! Started by itself with another first argument, this binary is also the short-lived process
//! that loads a module ([`modules`]), that takes control of a terminal for a command ([`exec`]),
//! that writes down where modules are ([`slabs`]), or that counts what system calls take
//! ([`measure`]). So an oops kills only that process, and no code has to run between a fork and an
//! exec.

mod agent;
mod answer;
mod boot;
mod calls;
mod children;
mod exec;
mod file_users;
mod files;
mod inventory;
mod kmsg;
mod loaded;
mod machine;
mod measure;
mod measure_steps;
mod modules;
mod process;
mod resume;
mod role;
mod scheduling;
mod script;
mod serial;
mod serve;
mod slabs;
mod x86;

use std::process::ExitCode;

/// The argument that makes the agent use its standard input and output.
const STDIO: &str = "--stdio";

fn main() -> ExitCode {
    if rustix::process::getpid().is_init() {
        boot::prepare();
        let error = match serial::Line::open(serial::DEVICE) {
            Ok(line) => serve::serve(line),
            Err(error) => error,
        };
        // PID 1 must not return. Only the console is left for a message.
        eprintln!("koru-agent: {}: {error}", serial::DEVICE);
        machine::power_off(serial::STATUS_NO_LINE);
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(role) = args.first() {
        // Traces in the kernel log show the process by this name.
        let name = match role.as_str() {
            STDIO => "koru-agent",
            role => role,
        };
        let name = std::ffi::CString::new(name).unwrap_or_default();
        let _ = rustix::thread::set_name(&name);
    }
    match args.split_first() {
        Some((role, [])) if role == STDIO => {
            let error = match serial::Line::stdio() {
                Ok(line) => serve::serve(line),
                Err(error) => error,
            };
            match error.kind() {
                std::io::ErrorKind::UnexpectedEof => ExitCode::SUCCESS,
                _ => {
                    eprintln!("koru-agent: {error}");
                    ExitCode::FAILURE
                }
            }
        }
        Some((role, rest)) if role == modules::LOAD => modules::load_here(rest),
        Some((role, rest)) if role == modules::UNLOAD => modules::unload_here(rest),
        Some((role, [])) if role == slabs::REMEMBER => slabs::remember_here(),
        Some((role, [])) if role == measure::MEASURE => measure::measure_here(),
        Some((role, rest)) if role == exec::ON_TTY => exec::on_tty_here(rest),
        _ => {
            eprintln!(
                "koru-agent {}: runs as PID 1 inside a Koru guest, or with {STDIO}",
                env!("CARGO_PKG_VERSION")
            );
            ExitCode::from(2)
        }
    }
}
