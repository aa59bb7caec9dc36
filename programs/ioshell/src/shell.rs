// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the commands.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::PathBuf,
};

use ioshell::bytes;
use nix::errno::Errno;

use crate::command::{Command, HELP, Mode};

/// The reason why no more commands are read.
#[derive(Debug)]
pub enum End {
    /// The user asked to quit.
    Quit,
    /// Nothing can be read or printed any more.
    Failed,
}

/// Returns an error's name and what it means.
pub fn name(e: &io::Error) -> String {
    match e.raw_os_error().map(Errno::from_raw) {
        Some(errno) => format!("{errno:?} ({})", errno.desc()),
        None => e.to_string(),
    }
}

/// The state of the shell: the open file, and where output goes.
pub struct Shell {
    out: io::Stdout,
    err: io::LineWriter<io::Stderr>,
    open: Option<(PathBuf, File)>,
    failed: bool,
    line: Option<usize>,
}

impl Shell {
    pub fn new(out: io::Stdout, err: io::LineWriter<io::Stderr>) -> Shell {
        Shell {
            out,
            err,
            open: None,
            failed: false,
            line: None,
        }
    }

    /// Returns whether a command has failed.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Sets the number of the line to which errors belong from now on.
    pub fn at_line(&mut self, number: usize) {
        self.line = Some(number);
    }

    pub fn prompt(&self) -> String {
        match &self.open {
            Some((path, _)) => format!("{}> ", path.display()),
            None => "ioshell> ".to_owned(),
        }
    }

    /// Opens a file that the command line names.
    pub fn open(&mut self, path: PathBuf) -> Result<(), End> {
        self.execute("open", Command::Open(path, Mode::Both))
    }

    /// Runs the command of a line.
    pub fn run(&mut self, line: &str) -> Result<(), End> {
        match Command::parse(line) {
            Ok(command) => {
                let word = line.split_whitespace().next().unwrap_or_default();
                self.execute(word, command)
            }
            Err(why) => self.misunderstood(&why),
        }
    }

    pub fn misunderstood(&mut self, why: &str) -> Result<(), End> {
        self.failed = true;
        let at = self.line.map_or(String::new(), |n| format!("line {n}: "));
        writeln!(self.err, "error: {at}{why}").map_err(|_| End::Failed)
    }

    fn execute(&mut self, word: &str, command: Command) -> Result<(), End> {
        if command == Command::Quit {
            return Err(End::Quit);
        }
        match self.result(command) {
            Ok(text) => {
                let said = self.out.write_all(text.as_bytes());
                said.and_then(|()| self.out.flush())
                    .map_err(|_| End::Failed)
            }
            Err(why) => self.misunderstood(&format!("{word}: {why}")),
        }
    }

    fn result(&mut self, command: Command) -> Result<String, String> {
        let why = |e: io::Error| name(&e);
        Ok(match command {
            Command::Open(path, mode) => {
                if let Some((path, _)) = &self.open {
                    return Err(format!("{} is open: close it first", path.display()));
                }
                let file = OpenOptions::new()
                    .read(mode != Mode::Write)
                    .write(mode != Mode::Read)
                    .create(mode == Mode::New)
                    .truncate(mode == Mode::New)
                    .open(&path)
                    .map_err(why)?;
                self.open = Some((path, file));
                String::new()
            }
            Command::Read(n) => {
                let mut buffer = room(n)?;
                let n = self.file()?.read(&mut buffer).map_err(why)?;
                format!("{}: {}\n", count(n), bytes::escape(&buffer[..n]))
            }
            Command::Write(bytes) => {
                let n = self.file()?.write(&bytes).map_err(why)?;
                format!("{} written\n", count(n))
            }
            Command::Seek(to) => {
                let at = self.file()?.seek(to).map_err(why)?;
                format!("position {at}\n")
            }
            Command::Tell => {
                let at = self.file()?.stream_position().map_err(why)?;
                format!("position {at}\n")
            }
            Command::Dump(n) => {
                let mut buffer = room(n)?;
                let file = self.file()?;
                // A file that cannot be sought has no position.
                let position = file.stream_position().ok();
                let mut len = 0;
                while len < n {
                    match file.read(&mut buffer[len..]) {
                        Ok(0) => break,
                        Ok(n) => len += n,
                        // The bytes that were read before the error are shown.
                        Err(_) if len > 0 => break,
                        Err(e) => return Err(name(&e)),
                    }
                }
                bytes::dump(position, &buffer[..len])
            }
            Command::Close => {
                self.file()?;
                self.open = None;
                String::new()
            }
            Command::Help => HELP.to_owned(),
            Command::Quit | Command::Nothing => String::new(),
        })
    }

    fn file(&mut self) -> Result<&mut File, String> {
        match &mut self.open {
            Some((_, file)) => Ok(file),
            None => Err("no file is open".to_owned()),
        }
    }
}

fn room(n: usize) -> Result<Vec<u8>, String> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(n)
        .map_err(|_| "ENOMEM".to_owned())?;
    buffer.resize(n, 0);
    Ok(buffer)
}

fn count(n: usize) -> String {
    match n {
        1 => "1 byte".to_owned(),
        n => format!("{n} bytes"),
    }
}
