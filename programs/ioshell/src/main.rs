// SPDX-License-Identifier: MIT OR Apache-2.0

//! A shell for trying out a device or any file: open, read, write, seek.
#![deny(unsafe_code)]

mod command;
mod passing;
mod script;
mod shell;
mod steps;

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};

use rustyline::{
    config::{Builder, Config},
    error::ReadlineError,
    history::FileHistory,
};

use shell::{End, Shell};

const USAGE: &str = "\
Usage: ioshell [--strict] [--script SCRIPT] [FILE]
       ioshell --calls SCRIPT
       ioshell --steps [NAME=DESCRIPTOR..]

Opens FILE, if given, and runs the commands that it reads: on a terminal with
line editing and a history, otherwise line by line. `help` lists the commands.

  --strict         exit with status 1 if a command failed
  --script SCRIPT  read the commands from this file
  --calls SCRIPT   make the system calls of this file, as `koru fuzz` writes it
  --steps          carry out the steps of `koru verify` (see steps.rs)
";

struct Options {
    strict: bool,
    script: Option<PathBuf>,
    file: Option<OsString>,
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let mut options = Options {
        strict: false,
        script: None,
        file: None,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("strict") => options.strict = true,
            Long("script") => options.script = Some(arguments.value()?.into()),
            Short('h') | Long("help") => return Ok(None),
            Value(file) if options.file.is_none() => options.file = Some(file),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--steps") => return steps::steps(&arguments.collect::<Vec<_>>()),
        Some("--calls") => {
            return match (arguments.next(), arguments.next()) {
                (Some(script), None) => script::play(script.as_ref()),
                _ => {
                    eprint!("{USAGE}");
                    ExitCode::from(2)
                }
            };
        }
        _ => {}
    }
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(e) => {
            eprintln!("ioshell: {e}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // Each line is written at once, because other programs may write to stderr, too.
    let mut shell = Shell::new(io::stdout(), io::LineWriter::new(io::stderr()));
    let ended = match &options.file {
        Some(file) => shell.open(file.into()),
        None => Ok(()),
    };
    let ended = ended.and_then(|()| match &options.script {
        Some(script) => match File::open(script) {
            Ok(file) => lines(&mut shell, BufReader::new(file)),
            Err(e) => {
                eprintln!("ioshell: {}: {}", script.display(), shell::name(&e));
                Err(End::Failed)
            }
        },
        None if io::stdin().is_terminal() => terminal(&mut shell),
        None => lines(&mut shell, io::stdin().lock()),
    });
    match ended {
        Err(End::Failed) => ExitCode::FAILURE,
        _ if options.strict && shell.failed() => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Runs the commands of a file or a pipe. A line that is not text is an error of that line.
fn lines(shell: &mut Shell, mut from: impl BufRead) -> Result<(), End> {
    for number in 1.. {
        let mut line = Vec::new();
        match from.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(e) => {
                eprintln!("ioshell: reading commands: {}", shell::name(&e));
                return Err(End::Failed);
            }
        }
        if line.ends_with(b"\n") {
            line.pop();
        }
        shell.at_line(number);
        match std::str::from_utf8(&line) {
            Ok(line) => shell.run(line)?,
            Err(_) => shell.misunderstood("not text; write-hex writes any bytes")?,
        }
    }
    Ok(())
}

/// Runs the commands that a user types.
fn terminal(shell: &mut Shell) -> Result<(), End> {
    let failed = |e: ReadlineError| {
        eprintln!("ioshell: the terminal: {e}");
        End::Failed
    };
    let config: Config = Builder::new().auto_add_history(true).build();
    let mut editor = rustyline::Editor::<(), FileHistory>::with_config(config).map_err(failed)?;
    // The history is kept for the next time. Without a home folder it is lost at the end.
    let history = env::var_os("HOME").map(|home| PathBuf::from(home).join(".ioshell_history"));
    if let Some(history) = &history {
        let _ = editor.load_history(history);
    }
    let ended = loop {
        match editor.readline(&shell.prompt()) {
            Ok(line) => match shell.run(&line) {
                Ok(()) => {}
                Err(end) => break Err(end),
            },
            // Ctrl-C discards the line.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break Ok(()),
            Err(e) => break Err(failed(e)),
        }
    };
    if let Some(history) = &history {
        let _ = editor.save_history(history);
    }
    ended
}
