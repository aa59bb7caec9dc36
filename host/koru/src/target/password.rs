// SPDX-License-Identifier: MIT OR Apache-2.0

//! Asks for the password of sudo on another machine.

use std::{
    fs::File,
    io::{IsTerminal, Read, Write},
};

use koru_session::AskPassword;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

use crate::context::Context;

/// Returns a function that asks for sudo's password on another machine, or `None` if nobody
/// can be asked.
pub fn ask_password(context: &Context, machine: String) -> Option<AskPassword> {
    if !std::io::stdin().is_terminal() && !std::io::stderr().is_terminal() {
        return None;
    }
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    let ui = context.ui.clone();
    Some(Box::new(move |before| {
        ui.done();
        if before.starts_with("Sorry") {
            writeln!(terminal, "{before}").ok()?;
        }
        unseen(&mut terminal, &format!("password for sudo on {machine}: "))
    }))
}

/// Asks for a line without showing it; returns `None` at the end of input or after Ctrl-C.
fn unseen(terminal: &mut File, question: &str) -> Option<String> {
    const INTERRUPT: u8 = 3;
    let before = tcgetattr(&*terminal).ok()?;
    let mut hidden = before.clone();
    // Ctrl-C sends no signal meanwhile: killed by one, this program would leave the terminal
    // in this mode.
    hidden
        .local_modes
        .remove(LocalModes::ECHO | LocalModes::ISIG);
    hidden.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
    tcsetattr(&*terminal, OptionalActions::Flush, &hidden).ok()?;
    let asked = terminal.write_all(question.as_bytes());
    // A read from a terminal returns a whole line.
    let mut line = [0; 4096];
    let typed = asked.and_then(|()| terminal.read(&mut line));
    let _ = tcsetattr(&*terminal, OptionalActions::Flush, &before);
    let _ = writeln!(terminal);
    let typed = line[..typed.ok()?].strip_suffix(b"\n")?;
    String::from_utf8(typed.to_vec()).ok()
}
