// SPDX-License-Identifier: MIT OR Apache-2.0

//! The `koru` command: parses, calls the libraries, prints.
#![forbid(unsafe_code)]

mod ask;
mod cache_usage;
mod cargo_settings;
mod cli;
mod commands;
mod context;
mod ctrl_c;
mod dependencies;
mod exec;
mod failure;
mod file_watcher;
mod fuzzing;
mod guest;
mod judging;
mod loadable;
mod log;
mod markup;
mod named;
mod programs;
mod run;
mod shell_word;
mod target;
mod testing;
mod ui;

use std::process::ExitCode;

use clap::Parser;
use koru_error::{Error, Kind};

use crate::{
    cli::{Cli, Command, DevTestArgs},
    context::Context,
    failure::{ErrorObject, exit_status},
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return end_parsing(&e),
    };
    let rules = cli.command.build_rules();
    let raw = cli.raw || set("KORU_RAW");
    let context = match Context::new(cli.json, cli.quiet, raw, &rules) {
        Ok(context) => context,
        Err(e) => {
            if cli.json {
                failure::print_json(&ErrorObject::from(&e));
            }
            ui::Ui::new(false).error(&e);
            return ExitCode::from(exit_status(e.kind));
        }
    };
    let result =
        match cli.command.refuses_json() {
            Some(why) if cli.json => Err(Error::new(Kind::Usage, "reading the option --json", why)
                .help("leave the option out")),
            _ => dispatch(&context, cli.command),
        };
    context.ui.done();
    ExitCode::from(result.unwrap_or_else(|e| failure::end(&context, e)))
}

/// Shows why the command line is wrong, or the help that it asks for.
fn end_parsing(error: &clap::Error) -> ExitCode {
    let mut options = std::env::args_os().take_while(|argument| argument != "--");
    if error.use_stderr() && options.any(|argument| argument == "--json") {
        let text = error.to_string();
        let (message, help) = text.split_once("\n\n").unwrap_or((&text, ""));
        failure::print_json(&ErrorObject {
            kind: "usage",
            context: "reading the command line".into(),
            message: message.trim_start_matches("error: ").trim().into(),
            hints: Vec::new(),
            help: Some(help.trim().into()),
            output: None,
            status: 2,
        });
    }
    // A reader that has gone does not mind.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|v| !v.is_empty())
}

fn dispatch(context: &Context, command: Command) -> koru_error::Result<u8> {
    match command {
        Command::Demo(a) => commands::demo::demo(context, &a),
        // In the checkout of Koru, the project to test is Koru itself.
        Command::Test(test) if context.is_in_checkout() => {
            let everything = DevTestArgs {
                test,
                only: Vec::new(),
                part: None,
                also_one_of: Vec::new(),
                commit: None,
            };
            commands::dev::test::test(context, &everything)
        }
        Command::Test(a) => commands::test::test(context, &a),
        Command::Preflight(a) => commands::preflight::preflight(context, &a),
        Command::Check(a) => commands::check::check(context, &a),
        Command::Fuzz(a) => commands::fuzz::fuzz(context, &a),
        Command::Verify(a) => commands::verify::verify(context, &a),
        Command::Grade(a) => commands::grade::grade(context, &a),
        Command::Contract { command } => commands::contract::contract(context, &command),
        Command::Bench(a) => commands::bench::bench(context, &a),
        Command::New(a) => commands::new::new(context, &a),
        Command::Build(a) => commands::build::build(context, &a),
        Command::Run(a) => commands::run::run(context, &a),
        Command::Watch(a) => commands::watch::watch(context, &a),
        Command::Debug(a) => commands::debug::debug(context, &a),
        Command::Load(a) => commands::load::load(context, &a),
        Command::Reload(a) => commands::load::reload(context, &a),
        Command::Unload(a) => commands::unload::unload(context, &a),
        Command::List(a) => commands::list::list(context, &a),
        Command::Log(a) => commands::log::log(context, &a),
        Command::Decode(a) => commands::decode::decode(context, &a),
        Command::Exec(a) => commands::exec::exec(context, &a),
        Command::Shell(a) => commands::shell::shell(context, &a),
        Command::Vm { command } => commands::vm::vm(context, &command),
        Command::Kernel { command } => commands::kernel::kernel(context, &command),
        Command::Api(a) => commands::api::api(context, &a),
        Command::Cache { command } => commands::cache::cache(context, &command),
        Command::Clean(a) => commands::clean::clean(context, &a),
        Command::Setup(a) => commands::setup::setup(context, &a),
        Command::Doctor(a) => commands::setup::doctor(context, &a),
        Command::Completions { shell } => commands::completions(shell),
        Command::Env(a) => commands::env::env(context, &a),
        Command::Editor(a) => commands::editor::editor(context, &a),
        Command::Dev { command } => commands::dev::dev(context, &command),
        Command::TestRunner { binary, args } => {
            commands::test_runner::test_runner(context, &binary, &args)
        }
        Command::VmServe(a) => target::standing_vm::serve(context, &a),
    }
}
