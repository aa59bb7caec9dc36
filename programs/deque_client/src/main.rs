// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs commands on /proc/full_ex, such as `deque_client 5 push 1 push 2 pop`.
#![forbid(unsafe_code)]

mod words;

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, Read, Write},
    process::ExitCode,
};

use nix::errno::Errno;

use words::{Command, Words};

const FILE: &str = "/proc/full_ex";

const USAGE: &str = "\
Usage: deque_client [--file FILE] [COMMAND..]

Opens /proc/full_ex and runs the commands in order:
  N           writes the byte N; the first write sets the capacity
  push VALUE  writes an integer
  pop         reads the leftmost integer
Without commands, it reads them from standard input, where `#` begins a
comment. Exits with 1 if a command failed, with 2 if one was not understood.
";

/// The reason why the program ends early.
enum Stop {
    /// An error, with the exit status and the message for stderr.
    Because(u8, String),
    /// The output has no reader any more.
    NoOutput,
}

impl From<words::Misunderstood> for Stop {
    fn from(e: words::Misunderstood) -> Stop {
        Stop::Because(2, e.0)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(Stop::NoOutput) => ExitCode::FAILURE,
        Err(Stop::Because(status, why)) => {
            eprintln!("deque_client: {why}");
            ExitCode::from(status)
        }
    }
}

/// Returns whether every command succeeded.
fn run() -> Result<bool, Stop> {
    use lexopt::prelude::*;

    let usage = |e: lexopt::Error| Stop::Because(2, format!("{e}\n\n{USAGE}"));
    let mut path = FILE.to_owned();
    let mut given = Vec::new();
    let mut arguments = lexopt::Parser::from_env();
    loop {
        // After `push`, `-3` is an integer and not an option.
        let negative = arguments.try_raw_args().and_then(|mut raw| {
            raw.next_if(|a| {
                a.to_str()
                    .is_some_and(|a| a.parse::<i64>().is_ok_and(|n| n < 0))
            })
        });
        if let Some(negative) = negative {
            given.push(negative.to_string_lossy().into_owned());
            continue;
        }
        match arguments.next().map_err(usage)? {
            Some(Long("file")) => {
                path = arguments.value().and_then(|v| v.string()).map_err(usage)?;
            }
            Some(Short('h') | Long("help")) => {
                print!("{USAGE}");
                return Ok(true);
            }
            Some(Value(word)) => given.push(word.to_string_lossy().into_owned()),
            Some(other) => return Err(usage(other.unexpected())),
            None => break,
        }
    }
    let mut words = Words::default();
    let commands = words.take(&given)?;
    if !given.is_empty() {
        words.end()?;
    }
    let mut client = Client::open(&path)?;
    let mut good = true;
    for command in commands {
        good &= client.run(command)?;
    }
    if given.is_empty() {
        for (number, line) in io::stdin().lock().lines().enumerate() {
            let at =
                |e: words::Misunderstood| Stop::Because(2, format!("line {}: {}", number + 1, e.0));
            let line =
                line.map_err(|e| Stop::Because(1, format!("standard input: {}", name(&e))))?;
            let text = line.split('#').next().unwrap_or_default();
            let given: Vec<&str> = text.split_whitespace().collect();
            for command in words.take(&given).map_err(at)? {
                good &= client.run(command)?;
            }
        }
        words.end()?;
    }
    Ok(good)
}

struct Client {
    file: File,
}

impl Client {
    fn open(path: &str) -> Result<Client, Stop> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let failed = |e| Stop::Because(1, format!("open {path}: {}", name(&e)));
        file.map(|file| Client { file }).map_err(failed)
    }

    /// Runs a command and prints its result. Returns whether it succeeded.
    fn run(&mut self, command: Command) -> Result<bool, Stop> {
        let result = match command {
            Command::Byte(byte) => self.write(&[byte]),
            Command::Push(value) => self.write(&value.to_ne_bytes()),
            Command::Pop => self.pop(),
        };
        let (text, good) = match result {
            Ok(text) => (text, true),
            Err(e) => (name(&e), false),
        };
        writeln!(io::stdout(), "{command}: {text}").map_err(|_| Stop::NoOutput)?;
        Ok(good)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<String> {
        match self.file.write(bytes)? {
            n if n == bytes.len() => Ok("ok".to_owned()),
            n => Ok(format!("only {n} of {} bytes were taken", bytes.len())),
        }
    }

    fn pop(&mut self) -> io::Result<String> {
        let mut bytes = [0; 4];
        match self.file.read(&mut bytes)? {
            4 => Ok(i32::from_ne_bytes(bytes).to_string()),
            n => Ok(format!("{n} bytes instead of 4")),
        }
    }
}

/// Returns an error's name.
fn name(e: &io::Error) -> String {
    e.raw_os_error()
        .map_or_else(|| e.to_string(), |n| format!("{:?}", Errno::from_raw(n)))
}
