use std::{fmt, io, path::Path};

/// What kind of failure it is; decides the exit code and how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request itself is wrong: an unknown module, kernel or option.
    Usage,
    /// Something that set-up provides is not there.
    Missing,
    /// The user's Rust code does not compile; rustc has said why already.
    Compile,
    /// The code compiles but cannot become a module of this kernel.
    Link,
    /// The machine: files, network, processes.
    System,
}

/// A stage's failure: what was attempted, what was wrong, and what to do.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    pub attempted: String,
    pub wrong: String,
    /// What the reader can do about it.
    pub todo: Option<String>,
    /// A tool's own output, shown as it is.
    pub output: Option<String>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: Kind, attempted: impl Into<String>, wrong: impl Into<String>) -> Self {
        Error {
            kind,
            attempted: attempted.into(),
            wrong: wrong.into(),
            todo: None,
            output: None,
        }
    }

    /// Adds what the reader can do about it.
    pub fn todo(mut self, todo: impl Into<String>) -> Self {
        self.todo = Some(todo.into());
        self
    }

    /// Adds a tool's own output.
    pub fn output(mut self, output: impl Into<String>) -> Self {
        let output = output.into();
        if !output.trim().is_empty() {
            self.output = Some(output);
        }
        self
    }

    /// An I/O failure while doing `attempted` to `path`.
    pub fn io(attempted: &str, path: &Path, error: io::Error) -> Self {
        let mut e = Error::new(
            Kind::System,
            format!("{attempted} {}", path.display()),
            error.to_string(),
        );
        match error.kind() {
            io::ErrorKind::StorageFull => e = e.todo("free some disk space and run it again"),
            io::ErrorKind::PermissionDenied => {
                e = e.todo("check who owns it, or set KORU_CACHE to a folder of yours")
            }
            _ => {}
        }
        e
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attempted, self.wrong)
    }
}

impl std::error::Error for Error {}

/// `io::Result` with the words that an [`Error`] needs.
pub(crate) trait IoContext<T> {
    fn at(self, attempted: &str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, attempted: &str, path: &Path) -> Result<T> {
        self.map_err(|e| Error::io(attempted, path, e))
    }
}
