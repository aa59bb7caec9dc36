// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parses words into commands.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Byte(u8),
    Push(i32),
    Pop,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Byte(byte) => write!(f, "{byte}"),
            Command::Push(value) => write!(f, "push {value}"),
            Command::Pop => f.write_str("pop"),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Misunderstood(pub String);

/// A parser of commands. A command may begin on one line and end on the next.
#[derive(Default)]
pub struct Words {
    /// Whether `push` was the last word.
    pushing: bool,
}

impl Words {
    pub fn take(&mut self, words: &[impl AsRef<str>]) -> Result<Vec<Command>, Misunderstood> {
        let mut commands = Vec::new();
        for word in words {
            let word = word.as_ref();
            if self.pushing {
                let value = word.parse();
                let value = value.map_err(|_| not(word, "an integer of 32 bits"))?;
                commands.push(Command::Push(value));
                self.pushing = false;
                continue;
            }
            match word {
                "push" => self.pushing = true,
                "pop" => commands.push(Command::Pop),
                _ if word.parse::<i64>().is_ok() => {
                    let byte = word.parse();
                    let byte =
                        byte.map_err(|_| not(word, "a byte, 0 to 255; or is `push` missing?"))?;
                    commands.push(Command::Byte(byte));
                }
                _ => {
                    return Err(not(
                        word,
                        "a command; the commands are N, push VALUE and pop",
                    ));
                }
            }
        }
        Ok(commands)
    }

    /// Checks that no command is incomplete when there are no more words.
    pub fn end(&self) -> Result<(), Misunderstood> {
        match self.pushing {
            true => Err(Misunderstood("nothing follows `push`".to_owned())),
            false => Ok(()),
        }
    }
}

fn not(word: &str, what: &str) -> Misunderstood {
    Misunderstood(format!("`{word}` is not {what}"))
}

#[cfg(test)]
mod tests {
    use super::{Command::*, *};

    fn all(text: &str) -> Result<Vec<Command>, Misunderstood> {
        let mut words = Words::default();
        let given: Vec<&str> = text.split(' ').collect();
        let commands = words.take(&given)?;
        words.end().map(|()| commands)
    }

    #[test]
    fn commands() {
        assert_eq!(
            all("5 push 1 push -2 pop 255"),
            Ok(vec![Byte(5), Push(1), Push(-2), Pop, Byte(255)])
        );
        assert_eq!(all("push 2147483647"), Ok(vec![Push(i32::MAX)]));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "256",
            "-1",
            "push",
            "push x",
            "push 2147483648",
            "pull",
            "push pop",
        ] {
            assert!(all(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_command_on_two_lines() {
        let mut words = Words::default();
        assert_eq!(words.take(&["push"]), Ok(vec![]));
        assert_eq!(words.take(&["3", "pop"]), Ok(vec![Push(3), Pop]));
    }
}
