// SPDX-License-Identifier: MIT OR Apache-2.0

//! The error type of Koru's host side.
//!
//! An [`Error`] says what was being done ([`context`](Error::context)), what went wrong
//! ([`message`](Error::message)), what the user can do about it ([`help`](Error::help)), and
//! what the tool that failed printed ([`output`](Error::output)), and what that means
//! ([`hints`](Error::hints)). The error that caused an [`Error`] is its
//! [`source`](std::error::Error::source).
#![forbid(unsafe_code)]

mod errno;
mod hint;

use std::{fmt, io, path::Path};

pub use errno::{Errno, errno_name, errno_text, unload_help};
pub use hint::{Edit, Hint, Place};

/// The kind of a failure, which decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request itself is wrong: an unknown module, kernel or option.
    Usage,
    /// Something that set-up provides is missing.
    Missing,
    /// The user's Rust code does not compile; rustc has already said why.
    Compile,
    /// The code compiles, but cannot become a module of this kernel.
    Link,
    /// The machine failed: its files, network or processes, or a guest.
    System,
}

/// A failure, and what the user can do about it.
#[derive(Debug)]
pub struct Error {
    /// The kind of the failure.
    pub kind: Kind,
    /// What was being done, such as "loading hello".
    pub context: String,
    /// What went wrong.
    pub message: String,
    /// What the user can do about the failure.
    pub help: Option<String>,
    /// The output of the tool that failed, shown as it is.
    pub output: Option<String>,
    /// What few errors have. The box keeps results small.
    rest: Option<Box<Rest>>,
}

#[derive(Debug, Default)]
struct Rest {
    hints: Vec<Hint>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result whose error is an [`Error`] unless another type is given.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates an error without help, output, hints and source.
    pub fn new(kind: Kind, context: impl Into<String>, message: impl Into<String>) -> Self {
        Error {
            kind,
            context: context.into(),
            message: message.into(),
            help: None,
            output: None,
            rest: None,
        }
    }

    /// Adds what the user can do about the failure.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the output of a tool, unless it is blank.
    pub fn output(mut self, output: impl Into<String>) -> Self {
        let output = output.into();
        if !output.trim().is_empty() {
            self.output = Some(output);
        }
        self
    }

    /// Adds explanations of the output.
    pub fn with_hints(mut self, hints: Vec<Hint>) -> Self {
        if !hints.is_empty() {
            self.rest.get_or_insert_default().hints = hints;
        }
        self
    }

    /// Returns explanations of the output, one for each cause.
    pub fn hints(&self) -> &[Hint] {
        self.rest.as_ref().map_or(&[], |rest| &rest.hints)
    }

    /// Adds the error that caused this one.
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.rest.get_or_insert_default().source = Some(source.into());
        self
    }

    /// Returns a copy, without the error that caused this one.
    pub fn without_source(&self) -> Error {
        Error {
            kind: self.kind,
            context: self.context.clone(),
            message: self.message.clone(),
            help: self.help.clone(),
            output: self.output.clone(),
            rest: None,
        }
        .with_hints(self.hints().to_vec())
    }

    /// Creates the error of an I/O operation. `context` says what was being done.
    pub fn io(context: impl Into<String>, error: io::Error) -> Self {
        let e = Error::new(Kind::System, context, error.to_string());
        let e = match error.kind() {
            io::ErrorKind::StorageFull => e.help("free some disk space and try again"),
            io::ErrorKind::PermissionDenied => {
                e.help("check its owner, or set KORU_CACHE to a folder of your own")
            }
            _ => e,
        };
        e.caused_by(error)
    }

    /// Creates the error of an I/O operation on `path`. `verb` is a word such as "reading".
    pub fn path(verb: &str, path: &Path, error: io::Error) -> Self {
        Error::io(format!("{verb} {}", path.display()), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.context, self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source: &(dyn std::error::Error + 'static) = self.rest.as_ref()?.source.as_deref()?;
        Some(source)
    }
}

/// Turns an [`io::Result`] into a [`Result`] by adding what was being done.
pub trait IoContext<T> {
    /// Adds what was being done.
    fn context(self, context: &str) -> Result<T>;

    /// Adds what was being done to which file.
    fn path_context(self, verb: &str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, context: &str) -> Result<T> {
        self.map_err(|e| Error::io(context, e))
    }

    fn path_context(self, verb: &str, path: &Path) -> Result<T> {
        self.map_err(|e| Error::path(verb, path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_its_help_and_its_source() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = Error::path("writing", Path::new("/x"), full);
        assert!(error.to_string().starts_with("writing /x: "));
        assert!(error.help.as_deref().unwrap().contains("disk space"));
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn blank_output_is_none() {
        let error = Error::new(Kind::System, "a", "b").output(" \n");
        assert_eq!(error.output, None);
    }
}
