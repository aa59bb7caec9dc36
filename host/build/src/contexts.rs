//! Which context each function of the C interface layer needs, as `shim.h` says.

use std::collections::BTreeMap;

/// What a function of the C interface layer asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// Nothing: interrupts, NMIs and the handlers of kprobes may call it.
    Any,
    /// It takes locks, but does not sleep.
    Atomic,
    /// It may sleep.
    Sleeps,
    /// It may sleep, and is about the calling process.
    Process,
}

impl Context {
    fn of(marker: &str) -> Option<Context> {
        Some(match marker {
            "KORU_ANY" => Context::Any,
            "KORU_ATOMIC" => Context::Atomic,
            "KORU_SLEEPS" => Context::Sleeps,
            "KORU_PROCESS" => Context::Process,
            _ => return None,
        })
    }
}

/// The context of every function that the header marks.
pub(crate) fn contexts(header: &str) -> BTreeMap<String, Context> {
    let code = without_comments(header);
    let code: String = code
        .lines()
        .filter(|l| !l.trim_start().starts_with('#'))
        .flat_map(|l| [l, "\n"])
        .collect();
    code.split(';').filter_map(prototype).collect()
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

/// The function's name is the word before the first parenthesis; the marker stands
/// before it. The kernel's own functions that Rust calls are marked as well.
fn prototype(declaration: &str) -> Option<(String, Context)> {
    let (before, _) = declaration.split_once('(')?;
    let mut words = before.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let name = words.next_back().filter(|n| !n.is_empty())?;
    Some((name.to_owned(), words.find_map(Context::of)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prototypes_in_all_shapes() {
        let header = "\
            #define KORU_ANY\n\
            /* KORU_ANY void koru_comment(void); */\n\
            KORU_ANY void koru_print(int level,\n\t\t const char *text);\n\
            KORU_ATOMIC struct task_struct *koru_current(void);\n\
            /* a */ KORU_SLEEPS int\nkoru_split(void) __attribute__((noreturn));\n\
            KORU_PROCESS long koru_copy(int (*run)(void *data), void *data);\n\
            struct koru_calls { int (*show)(void *); };\n\
            void koru_unmarked(void);\n";
        let found = contexts(header);
        let of = |name: &str| found.get(name).copied();
        assert_eq!(of("koru_print"), Some(Context::Any));
        assert_eq!(of("koru_current"), Some(Context::Atomic));
        assert_eq!(of("koru_split"), Some(Context::Sleeps));
        assert_eq!(of("koru_copy"), Some(Context::Process));
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn the_layers_own_header() {
        let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernel/shim/shim.h");
        let header = std::fs::read_to_string(header).unwrap();
        let found = contexts(&header);
        assert_eq!(found.get("koru_print"), Some(&Context::Any));
        assert_eq!(found.get("koru_spin_lock"), Some(&Context::Atomic));
        assert_eq!(found.get("koru_kmalloc"), Some(&Context::Sleeps));
        assert_eq!(found.get("koru_copy_from_user"), Some(&Context::Process));
        let prototypes = header.matches("\nKORU_").count();
        assert_eq!(found.len(), prototypes, "{found:?}");
    }
}
