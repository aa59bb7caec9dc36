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
