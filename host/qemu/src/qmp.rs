// SPDX-License-Identifier: MIT OR Apache-2.0

//! A client of QMP, QEMU's control channel.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde_json::{Value, json};

/// A connection to QMP.
#[derive(Debug)]
pub struct Qmp {
    stream: BufReader<UnixStream>,
    greeted: bool,
}

impl Qmp {
    /// Creates a client over a stream to a QEMU that may still be starting.
    pub fn new(stream: UnixStream) -> Self {
        Qmp {
            stream: BufReader::new(stream),
            greeted: false,
        }
    }

    fn greet(&mut self) -> io::Result<()> {
        let limit = Some(Duration::from_secs(10));
        self.stream.get_mut().set_read_timeout(limit)?;
        self.stream.get_mut().set_write_timeout(limit)?;
        self.read()?;
        self.greeted = true;
        self.ask("qmp_capabilities")
    }

    /// Runs a command without arguments.
    pub fn ask(&mut self, command: &str) -> io::Result<()> {
        self.run(command, json!({})).map(drop)
    }

    /// Runs a command and returns its result.
    pub fn run(&mut self, command: &str, arguments: Value) -> io::Result<Value> {
        if !self.greeted {
            self.greet()?;
        }
        let line = json!({ "execute": command, "arguments": arguments });
        let line = format!("{line}\n");
        self.stream.get_mut().write_all(line.as_bytes())?;
        loop {
            let mut answer = self.read()?;
            if let Some(error) = answer.get("error") {
                return Err(io::Error::other(format!("{command}: {error}")));
            }
            if let Some(result) = answer.get_mut("return") {
                return Ok(result.take());
            }
            // Everything else is an event.
        }
    }

    /// Leaves the memory out of a machine's state, because it is in a file already.
    pub fn ignore_shared(&mut self) -> io::Result<()> {
        let on = json!({ "capability": "x-ignore-shared", "state": true });
        self.run("migrate-set-capabilities", json!({ "capabilities": [on] }))
            .map(drop)
    }

    fn read(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}
