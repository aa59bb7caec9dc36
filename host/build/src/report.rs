use std::path::Path;

/// How a stage tells its progress; the command-line program draws it.
pub trait Report: Sync {
    /// What is being done now; replaces what was said before.
    fn status(&self, text: &str);
    /// A line that stays: a warning or a compiler's message, printed as it is.
    fn print(&self, text: &str);
}

/// Says nothing.
pub struct Silent;

impl Report for Silent {
    fn status(&self, _: &str) {}
    fn print(&self, _: &str) {}
}

/// A source file's path as seen from the current folder.
pub(crate) fn shortened(file: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = Path::new(file).strip_prefix(here).ok();
    short.map_or(file.to_owned(), |f| f.display().to_string())
}
