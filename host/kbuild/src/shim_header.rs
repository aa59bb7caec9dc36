// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads what `kernel/shim/shim.h` says about the functions of the C interface layer.

use std::collections::BTreeMap;

/// The context that a function of the C interface layer needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Any context: interrupts, NMIs and the handlers of kprobes may call the function.
    Any,
    /// The function takes locks, but none that sleeps on a real-time kernel.
    Raw,
    /// The function takes locks, but does not sleep unless these do.
    Atomic,
    /// The function may sleep.
    Sleeps,
    /// The function may sleep, and concerns the calling process.
    Process,
}

impl Context {
    /// Returns the context that a word of the header stands for.
    pub fn of(marker: &str) -> Option<Context> {
        Some(match marker {
            "KORU_ANY" => Context::Any,
            "KORU_RAW" => Context::Raw,
            "KORU_ATOMIC" => Context::Atomic,
            "KORU_SLEEPS" => Context::Sleeps,
            "KORU_PROCESS" => Context::Process,
            _ => return None,
        })
    }
}

/// A function that the header declares: one of the layer, or one of the kernel's own that Rust
/// calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// The declaration, with one blank for each run of white space and without the semicolon.
    pub prototype: String,
}

impl Function {
    /// Returns the context with which the declaration begins.
    pub fn context(&self) -> Option<Context> {
        self.prototype.split(' ').next().and_then(Context::of)
    }
}

/// Returns all functions that a header declares, in the header's order.
pub fn functions(header: &str) -> Vec<Function> {
    let all = declarations(header).into_iter();
    all.filter_map(|prototype| {
        let (before, _) = prototype.split_once('(')?;
        if before.starts_with("typedef ") {
            return None;
        }
        let mut words = before.trim_end().rsplit([' ', '*']);
        let name = words.next().filter(|name| !name.is_empty())?.to_owned();
        Some(Function { name, prototype })
    })
    .collect()
}

/// Returns the context of every function that has one.
pub(crate) fn contexts(header: &str) -> BTreeMap<String, Context> {
    let all = functions(header).into_iter();
    all.filter_map(|f| Some((f.context()?, f)))
        .map(|(context, function)| (function.name, context))
        .collect()
}

/// Returns the declarations, which semicolons end, without comments, directives and the
/// contents of braces.
fn declarations(header: &str) -> Vec<String> {
    let code = without_comments(header).replace("\\\n", " ");
    let lines = code.lines().filter(|l| !l.trim_start().starts_with('#'));
    let mut found = vec![String::new()];
    let mut depth = 0;
    for c in lines.flat_map(|line| line.chars().chain(['\n'])) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth > 0 => {}
            ';' => found.push(String::new()),
            _ => found.last_mut().expect("one at least").push(c),
        }
    }
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    found.into_iter().map(words).collect()
}

fn without_comments(header: &str) -> String {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        code.push(' ');
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prototypes_in_all_shapes() {
        let header = "\
            #define KORU_ANY\n\
            #define KORU_LONG \\\n\tKORU_ANY void koru_macro(void);\n\
            /* KORU_ANY void koru_comment(void); */\n\
            struct mutex;\n\
            typedef int (*koru_open_t)(struct inode *inode);\n\
            KORU_ANY void koru_print(int level,\n\t\t const char *text);\n\
            KORU_ATOMIC struct task_struct *koru_current(void);\n\
            /* a */ KORU_SLEEPS int\nkoru_split(void) __attribute__((noreturn));\n\
            KORU_PROCESS long koru_copy(int (*run)(void *data), void *data);\n\
            struct koru_calls { int (*show)(void *); };\n\
            void koru_unmarked(void);\n";
        let found = functions(header);
        let found: Vec<_> = found.iter().map(|f| (&*f.name, f.context())).collect();
        assert_eq!(
            found,
            [
                ("koru_print", Some(Context::Any)),
                ("koru_current", Some(Context::Atomic)),
                ("koru_split", Some(Context::Sleeps)),
                ("koru_copy", Some(Context::Process)),
                ("koru_unmarked", None),
            ]
        );
        assert_eq!(
            functions(header)[0].prototype,
            "KORU_ANY void koru_print(int level, const char *text)"
        );
        assert_eq!(contexts(header).len(), 4);
    }

    #[test]
    fn the_last_one_may_lack_its_semicolon() {
        let found = functions("KORU_ANY void koru_one(void);\nvoid koru_two(void)\n");
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
