// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reports the progress of long work.

/// A receiver of the progress of long work, such as a terminal that draws it.
pub trait Progress: Sync {
    /// Shows what is being done now, in place of what was shown before.
    fn status(&self, text: &str);
    /// Prints a line that stays, such as a warning or a compiler's message.
    fn print(&self, text: &str);
}

/// A receiver that shows nothing.
pub struct NoProgress;

impl Progress for NoProgress {
    fn status(&self, _: &str) {}
    fn print(&self, _: &str) {}
}
