// SPDX-License-Identifier: MIT OR Apache-2.0

//! A client of QEMU's gdb stub, with what is needed to stop a guest at a function. The
//! protocol is in gdb's documentation, appendix "Remote Protocol".

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::x86::FIRST_ARGUMENT_REGISTER;

/// A connection to the stub. The guest is stopped when the connection is made, and still when
/// it is closed, so that a debugger may take over.
pub struct GdbStub {
    stream: BufReader<UnixStream>,
}

/// How often a waiting call checks whether to give up.
const TICK: Duration = Duration::from_millis(100);

/// The time limit for a reply to a request that does not run the guest.
const LIMIT: Duration = Duration::from_secs(10);

impl GdbStub {
    /// Connects to the stub, which stops the guest.
    pub fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_write_timeout(Some(LIMIT))?;
        let mut stub = GdbStub {
            stream: BufReader::new(stream),
        };
        // The reply says why the guest is stopped, and so confirms that it is.
        stub.ask("?")?;
        Ok(stub)
    }

    /// Lets the guest run until it is about to execute the instruction at an address. Returns
    /// false when `give_up` returns true before that.
    pub fn run_to(&mut self, address: u64, give_up: &dyn Fn() -> bool) -> io::Result<bool> {
        self.expect_ok(&format!("Z0,{address:x},1"))?;
        self.send("c")?;
        while !self.wait(TICK)? {
            if give_up() {
                return Ok(false);
            }
        }
        let stopped = self.packet()?;
        if !stopped.starts_with(['S', 'T']) {
            return Err(unexpected("c", &stopped));
        }
        self.expect_ok(&format!("z0,{address:x},1"))?;
        Ok(true)
    }

    /// Lets the guest execute one instruction, which also passes a place where it was stopped.
    pub fn step(&mut self) -> io::Result<()> {
        let stopped = self.ask("s")?;
        match stopped.starts_with(['S', 'T']) {
            true => Ok(()),
            false => Err(unexpected("s", &stopped)),
        }
    }

    /// Runs a command of QEMU's monitor, and returns what it prints.
    pub fn monitor(&mut self, command: &str) -> io::Result<String> {
        let hex: String = command.bytes().map(|b| format!("{b:02x}")).collect();
        let request = format!("qRcmd,{hex}");
        let mut answer = self.ask(&request)?;
        let mut text = Vec::new();
        loop {
            match answer.as_str() {
                "OK" => return Ok(String::from_utf8_lossy(&text).into_owned()),
                // What the command prints comes in packets of its own.
                other => match other.strip_prefix('O') {
                    Some(printed) => text.extend(unhex(printed)),
                    None => return Err(unexpected(&request, other)),
                },
            }
            if !self.wait(LIMIT)? {
                return Err(ErrorKind::TimedOut.into());
            }
            answer = self.packet()?;
        }
    }

    /// Lets the guest run until it ends.
    pub fn run_on(&mut self) -> io::Result<()> {
        self.send("c")
    }

    /// Returns the first argument of the function that is about to begin.
    pub fn first_argument(&mut self) -> io::Result<u64> {
        let registers = unhex(&self.ask("g")?);
        let at = FIRST_ARGUMENT_REGISTER * 8;
        let bytes = registers.get(at..at + 8);
        let bytes = bytes.and_then(|b| b.try_into().ok());
        bytes
            .map(u64::from_le_bytes)
            .ok_or_else(|| unexpected("g", "too few registers"))
    }

    /// Reads the guest's memory at an address of its kernel.
    pub fn read(&mut self, address: u64, length: usize) -> io::Result<Vec<u8>> {
        let request = format!("m{address:x},{length:x}");
        let answer = self.ask(&request)?;
        let bytes = unhex(&answer);
        match bytes.len() == length {
            true => Ok(bytes),
            false => Err(unexpected(&request, &answer)),
        }
    }

    fn expect_ok(&mut self, request: &str) -> io::Result<()> {
        let mut answer = self.ask(request)?;
        // The stub may report twice that the guest stopped: because of the connection, and
        // because of the request.
        while answer.starts_with(['S', 'T']) && self.wait(LIMIT)? {
            answer = self.packet()?;
        }
        match answer.as_str() {
            "OK" => Ok(()),
            other => Err(unexpected(request, other)),
        }
    }

    fn ask(&mut self, request: &str) -> io::Result<String> {
        self.send(request)?;
        match self.wait(LIMIT)? {
            true => self.packet(),
            false => Err(ErrorKind::TimedOut.into()),
        }
    }

    fn send(&mut self, packet: &str) -> io::Result<()> {
        let frame = format!("${packet}#{:02x}", sum(packet.as_bytes()));
        self.stream.get_mut().write_all(frame.as_bytes())
    }

    /// Skips acknowledgements, and returns whether there is something to read within the
    /// limit.
    fn wait(&mut self, limit: Duration) -> io::Result<bool> {
        self.stream.get_ref().set_read_timeout(Some(limit))?;
        loop {
            match self.stream.fill_buf() {
                Ok([]) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok([b'+', ..]) => self.stream.consume(1),
                Ok(_) => return Ok(true),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(false);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn packet(&mut self) -> io::Result<String> {
        self.stream.get_ref().set_read_timeout(Some(LIMIT))?;
        let mut text = Vec::new();
        self.stream.read_until(b'$', &mut Vec::new())?;
        self.stream.read_until(b'#', &mut text)?;
        let mut check = [0; 2];
        self.stream.read_exact(&mut check)?;
        if text.pop() != Some(b'#') || unhex_bytes(&check) != [sum(&text)] {
            return Err(ErrorKind::InvalidData.into());
        }
        self.stream.get_mut().write_all(b"+")?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn unexpected(request: &str, answer: &str) -> io::Error {
    io::Error::other(format!(
        "QEMU's gdb stub answered `{request}` with `{answer}`"
    ))
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, b| sum.wrapping_add(*b))
}

fn unhex(text: &str) -> Vec<u8> {
    unhex_bytes(text.as_bytes())
}

/// Decodes hexadecimal digits, up to the first pair that is not a byte.
fn unhex_bytes(text: &[u8]) -> Vec<u8> {
    let digit = |b: u8| (b as char).to_digit(16);
    text.chunks_exact(2)
        .map_while(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::net::UnixListener, thread};

    #[test]
    fn packets_come_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gdb");
        let listener = UnixListener::bind(&path).unwrap();
        let stub = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut far = GdbStub {
                stream: BufReader::new(stream),
            };
            let mut asked = Vec::new();
            for answer in ["T05thread:01;", "0102ff", "E14"] {
                far.stream.get_mut().write_all(b"+").unwrap();
                far.wait(LIMIT).unwrap();
                asked.push(far.packet().unwrap());
                far.send(answer).unwrap();
            }
            asked
        });
        let mut near = GdbStub::connect(&path).unwrap();
        assert_eq!(near.read(0x10, 3).unwrap(), [1, 2, 0xff]);
        assert!(near.read(0, 4).is_err());
        drop(near);
        assert_eq!(stub.join().unwrap(), ["?", "m10,3", "m0,4"]);
    }
}
