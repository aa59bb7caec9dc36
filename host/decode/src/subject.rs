// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the function that a report is about.

use koru_klog::ReportKind;

use crate::{Decoded, DecodedFrame, DecodedPart, Place, decoded::subject};

impl Decoded {
    /// Returns where it happened in one phrase: `read (timer.c:20)`, or a function of the
    /// kernel and how a module called it.
    pub fn place(&self) -> Option<String> {
        let named = |place: &Place| match (place.at(), place.function.as_str()) {
            (Some(at), "") => at,
            (Some(at), function) => format!("{function} ({at})"),
            (None, function) => function.to_owned(),
        };
        // Where nobody says where the processor was, the innermost frames may be those that only
        // check or wait.
        let is_kernel = |f: &&DecodedFrame| f.module.is_none();
        let mut inner = self.frames.iter().take_while(is_kernel);
        let top = inner.find(|f| !koru_klog::is_helper(&f.symbol));
        let top = top.or(self.frames.first());
        if self.kind == ReportKind::RustPanic {
            return self.at.as_ref().map(named);
        }
        let first = self.frames.iter().find(|f| f.module.is_some());
        let titled = titled_function(&self.line).filter(|f| !koru_klog::is_helper(f));
        // What is left of a stack may begin further out.
        let is_titled = |f: &DecodedFrame| titled.as_ref() == Some(&f.symbol);
        let is_cut = titled.is_some() && self.at.is_none() && !self.frames.iter().any(is_titled);
        if is_cut && self.kind == ReportKind::Sanitizer {
            return titled;
        }
        let place = match (&self.at, first) {
            (Some(place), _) => named(place),
            (None, Some(frame)) => {
                let module = frame.module.as_deref().unwrap_or_default();
                format!("{} [{module}]", frame.function)
            }
            (None, None) => {
                let own = || Some(subject(&self.frames)?.function.clone());
                return titled.or_else(own).or_else(|| self.place_of_lock());
            }
        };
        Some(match top.filter(|f| f.module.is_none()) {
            Some(kernel) => {
                let function = titled.as_ref().unwrap_or(&kernel.function);
                format!("{function}, called by {place}")
            }
            None => place,
        })
    }

    /// Returns where the lock was about to be taken that a report of lockdep is about, or the
    /// first one that it lists.
    fn place_of_lock(&self) -> Option<String> {
        let wanted = |p: &&DecodedPart| p.title.contains("trying to ");
        let wanted = self.parts.iter().find(wanted);
        let mut parts = wanted.into_iter().chain(&self.parts);
        let lock = parts.find_map(|part| part.locks.first())?;
        Some(lock.split_once(", at ")?.1.to_owned())
    }
}

/// Returns the function of the kernel that the line names with which a report begins: behind `in`
/// for the checks of memory, behind the place in the source for warnings.
fn titled_function(line: &str) -> Option<String> {
    let behind = match line.strip_prefix("WARNING: ") {
        Some(warning) => {
            let (_, at) = warning.split_once("at ")?;
            at.split_once(' ')?.1
        }
        None => {
            let is_check = ["BUG: KASAN: ", "BUG: KFENCE: ", "BUG: KMSAN: "];
            is_check.iter().find(|begin| line.starts_with(*begin))?;
            line.split_once(" in ")?.1
        }
    };
    let word = behind.split_whitespace().next()?;
    let name = word.split('+').next()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}
