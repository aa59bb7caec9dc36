// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the errors of gcc and clang.

use std::path::Path;

/// An error of the C compiler about a line of the module's own sources.
#[derive(Debug, Clone)]
pub(super) struct Diagnostic {
    /// The path, relative to the folder of the sources.
    pub file: String,
    pub line: usize,
    pub trouble: Trouble,
    /// The type that is wanted, and the one that is there, if the error is about types.
    pub wanted: String,
    pub given: String,
}

/// What an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A function, variable, macro or type that is not declared.
    Name(String),
    Member {
        of: String,
        name: String,
    },
    /// A type that is declared, but not defined. It is empty if the compiler does not name it.
    Incomplete(String),
    /// The number or the types of a function's or macro's arguments. The name is empty if the
    /// compiler does not tell it.
    Arguments(String),
    /// An assignment or initialisation.
    Types,
    Header(String),
    ReadOnly(String),
    /// The value of a function that returns nothing.
    Void,
    Other,
}

/// Reads all errors in a compiler's output that are about files in `sources`.
pub(super) fn diagnostics(output: &str, sources: &Path) -> Vec<Diagnostic> {
    let mut all: Vec<Diagnostic> = Vec::new();
    // The error that notes belong to, and whether its own place is outside of the sources, as
    // in a macro of the kernel's.
    let mut current: Option<(Diagnostic, bool)> = None;
    let finish = |current: &mut Option<(Diagnostic, bool)>, all: &mut Vec<Diagnostic>| {
        if let Some((diagnostic, false)) = current.take() {
            all.push(diagnostic);
        }
    };
    for line in output.lines() {
        let Some(head) = Head::parse(line) else {
            continue;
        };
        let own = own_file(head.file, sources);
        if head.kind != "note" {
            finish(&mut current, &mut all);
            if head.kind == "warning" {
                continue;
            }
            let message = plain(head.message);
            let (wanted, given) = types(&message);
            let diagnostic = Diagnostic {
                file: own.clone().unwrap_or_default(),
                line: head.line,
                trouble: trouble(&message),
                wanted,
                given,
            };
            current = Some((diagnostic, own.is_none()));
        } else if let Some((diagnostic, is_outside)) = &mut current {
            let message = plain(head.message);
            if message.starts_with("expected '") {
                (diagnostic.wanted, diagnostic.given) = types(&message);
            }
            let in_macro = message.starts_with("in expansion of macro")
                || message.starts_with("in definition of macro")
                || message.starts_with("expanded from macro");
            if let (true, true, Some(own)) = (*is_outside, in_macro, own) {
                diagnostic.file = own;
                diagnostic.line = head.line;
                *is_outside = false;
            }
        }
    }
    finish(&mut current, &mut all);
    all
}

/// The first line of a message: `FILE:LINE:COLUMN: error: MESSAGE`.
struct Head<'a> {
    file: &'a str,
    line: usize,
    kind: &'a str,
    message: &'a str,
}

impl Head<'_> {
    fn parse(line: &str) -> Option<Head<'_>> {
        let kinds = ["fatal error", "error", "warning", "note"];
        let (at, kind) = kinds
            .iter()
            .filter_map(|kind| Some((line.find(&format!(": {kind}: "))?, *kind)))
            .min()?;
        let message = &line[at + kind.len() + 4..];
        let (rest, last) = line[..at].rsplit_once(':')?;
        let last: usize = last.parse().ok()?;
        let with_column = rest.rsplit_once(':').and_then(|(file, line)| {
            let line: usize = line.parse().ok()?;
            Some((file, line))
        });
        let (file, line) = with_column.unwrap_or((rest, last));
        Some(Head {
            file,
            line,
            kind,
            message,
        })
    }
}

/// Returns a file's path relative to `sources`, if it is in there. Kbuild of 6.13 and later
/// runs in that folder and prints relative paths.
fn own_file(file: &str, sources: &Path) -> Option<String> {
    let path = Path::new(file);
    let own = match path.strip_prefix(sources) {
        Ok(own) => own,
        Err(_) if path.is_relative() && sources.join(path).is_file() => path,
        Err(_) => return None,
    };
    Some(own.display().to_string())
}

/// Returns a message with plain quotes and without the name of the warning at its end.
fn plain(message: &str) -> String {
    let message = message.replace(['‘', '’'], "'");
    match message.rsplit_once(" [-W") {
        Some((start, _)) => start.to_owned(),
        None => message,
    }
}

/// Returns what is between single quotes.
fn quoted(message: &str) -> Vec<&str> {
    let parts: Vec<&str> = message.split('\'').collect();
    // After the last quote, and for an apostrophe that is none, nothing follows.
    let closed = (parts.len() - 1) / 2;
    (0..closed).map(|i| parts[2 * i + 1]).collect()
}

fn trouble(message: &str) -> Trouble {
    let quoted = quoted(message);
    let nth = |n: usize| quoted.get(n).map_or(String::new(), |q| (*q).to_owned());
    let has = |text: &str| message.contains(text);
    if has("implicit declaration of function")
        || has("call to undeclared")
        || has("use of undeclared identifier")
        || has("' undeclared")
        || has("unknown type name")
    {
        return Trouble::Name(nth(0));
    }
    if has("has no member named") {
        return member(&nth(0), nth(1));
    }
    if has("no member named") || has("does not refer to any field in type") {
        return member(&nth(1), nth(0));
    }
    if has("unknown field '") {
        return member("", nth(0));
    }
    if has("file not found") {
        return Trouble::Header(nth(0));
    }
    if let Some(header) = message.strip_suffix(": No such file or directory") {
        return Trouble::Header(header.to_owned());
    }
    if has("read-only member") || has("cannot assign to non-static data member") {
        return Trouble::ReadOnly(nth(0));
    }
    if has("void value not ignored") || has("from incompatible type 'void'") {
        return Trouble::Void;
    }
    if has("incomplete type")
        || has("undefined type")
        || has("incomplete definition of type")
        || has("incomplete element type")
        || has("isn't known")
    {
        let is_tag = |t: &&&str| t.starts_with("struct ") || t.starts_with("enum ");
        let tag = quoted.iter().rev().find(is_tag);
        return Trouble::Incomplete(tag.map_or(String::new(), |t| (*t).to_owned()));
    }
    if let Some(name) = message
        .strip_prefix("macro \"")
        .and_then(|m| m.split('"').next())
    {
        return Trouble::Arguments(name.to_owned());
    }
    if has("too many arguments to function '") || has("too few arguments to function '") {
        return Trouble::Arguments(nth(0));
    }
    if message.starts_with("passing argument ") {
        return Trouble::Arguments(nth(0));
    }
    if has("to parameter of type") || has("too many arguments") || has("too few arguments") {
        return Trouble::Arguments(String::new());
    }
    if has("incompatible") || has("makes integer from pointer") || has("makes pointer from") {
        return Trouble::Types;
    }
    Trouble::Other
}

fn member(of: &str, name: String) -> Trouble {
    let of = of.trim_start_matches("const ").to_owned();
    Trouble::Member { of, name }
}

/// Returns the type that is wanted and the one that is there, in one spelling for both
/// compilers. A type that has two names has both.
fn types(message: &str) -> (String, String) {
    let after = |text: &str| {
        let at = message.find(text).map(|at| at + text.len());
        at.map_or(String::new(), |at| named(&message[at..]))
    };
    // gcc: an initialisation or assignment, and the note about an argument.
    if message.contains("from incompatible pointer type '") && !message.starts_with("passing") {
        let wanted = match message.starts_with("initialization of '") {
            true => after("initialization of '"),
            false => after("assignment to '"),
        };
        return (wanted, after("pointer type '"));
    }
    if message.contains("but argument is of type '") {
        return (after("expected '"), after("but argument is of type '"));
    }
    // clang.
    if message.contains("to parameter of type '") {
        return (after("to parameter of type '"), after("passing '"));
    }
    if message.contains("initializing '") {
        let given = after("with an expression of type '");
        return (after("initializing '"), given);
    }
    if message.contains("assigning to '") {
        return (after("assigning to '"), after("from '"));
    }
    (String::new(), String::new())
}

/// Returns the type at the beginning of `text`: `T' ..`, or `T' {aka 'U'} ..`.
fn named(text: &str) -> String {
    let mut parts = text.split('\'');
    let name = spelling(parts.next().unwrap_or_default());
    match (parts.next(), parts.next()) {
        (Some(" {aka " | " (aka "), Some(other)) => format!("{name} = {}", spelling(other)),
        _ => name,
    }
}

/// Returns a type as the table spells it: a pointer to a function looks like the function, for
/// compilers differ there.
fn spelling(text: &str) -> String {
    let text = text
        .replace("(*)", "")
        .replace("long unsigned int", "unsigned long");
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(", ", ",").replace(',', ", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(output: &str) -> Diagnostic {
        let all = diagnostics(output, Path::new("/src"));
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    }

    fn name(name: &str) -> Trouble {
        Trouble::Name(name.to_owned())
    }

    #[test]
    fn unknown_names_of_both_compilers() {
        for (text, wanted) in [
            (
                "/src/a.c:7:9: error: implicit declaration of function ‘setup_timer’; did you mean \
                 ‘sget_fc’? [-Werror=implicit-function-declaration]",
                "setup_timer",
            ),
            (
                "/src/a.c:7:9: error: call to undeclared function 'setup_timer'; ISO C99 and later \
                 do not support implicit function declarations [-Wimplicit-function-declaration]",
                "setup_timer",
            ),
            (
                "/src/a.c:7:9: error: implicit declaration of function 'f' is invalid in C99 \
                 [-Werror,-Wimplicit-function-declaration]",
                "f",
            ),
            (
                "/src/a.c:7:12: error: ‘no_llseek’ undeclared here (not in a function); did you \
                 mean ‘noop_llseek’?",
                "no_llseek",
            ),
            (
                "/src/a.c:7:3: error: use of undeclared identifier 'KERNEL_DS'",
                "KERNEL_DS",
            ),
            (
                "/src/a.c:7:1: error: unknown type name 'wait_queue_t'",
                "wait_queue_t",
            ),
        ] {
            let found = one(text);
            assert_eq!((found.file.as_str(), found.line), ("a.c", 7), "{text}");
            assert_eq!(found.trouble, name(wanted), "{text}");
        }
    }

    #[test]
    fn types_of_arguments_of_both_compilers() {
        let gcc = "/src/a.c:4:70: error: passing argument 4 of ‘proc_create’ from incompatible \
                   pointer type [-Werror=incompatible-pointer-types]\n    4 | x\n\
                   /k/proc_fs.h:114:122: note: expected ‘const struct proc_ops *’ but argument is \
                   of type ‘struct file_operations *’\n";
        let clang = "/src/a.c:4:41: error: incompatible pointer types passing 'struct \
                     file_operations *' to parameter of type 'const struct proc_ops *' \
                     [-Werror,-Wincompatible-pointer-types]\n";
        for text in [gcc, clang] {
            let found = one(text);
            assert_eq!(found.wanted, "const struct proc_ops *");
            assert_eq!(found.given, "struct file_operations *");
            assert!(matches!(found.trouble, Trouble::Arguments(_)));
        }
    }

    #[test]
    fn functions_are_spelt_alike() {
        let gcc = "a.c:9:19: error: initialization of ‘void (*)(struct platform_device *)’ from \
                   incompatible pointer type ‘int (*)(struct platform_device *)’ [-Wx]";
        let clang = "a.c:9:19: error: incompatible function pointer types initializing 'void \
                     (*)(struct platform_device *)' with an expression of type 'int (struct \
                     platform_device *)' [-Wx]";
        for text in [gcc, clang] {
            let message = text.split_once("error: ").unwrap().1;
            let (wanted, given) = types(&plain(message));
            assert_eq!(wanted, "void (struct platform_device *)");
            assert_eq!(given, "int (struct platform_device *)");
        }
        let note = "expected ‘irq_handler_t’ {aka ‘enum irqreturn (*)(int,  void *)’} but argument \
                    is of type ‘irqreturn_t (*)(int,  void *, struct pt_regs *)’ {aka ‘x’}";
        let (wanted, given) = types(&plain(note));
        assert_eq!(wanted, "irq_handler_t = enum irqreturn (int, void *)");
        assert!(given.starts_with("irqreturn_t (int, void *, struct pt_regs *)"));
    }

    #[test]
    fn members_headers_and_incomplete_types() {
        let of = |text: &str| one(&format!("/src/d/a.c:1:2: {text}")).trouble;
        let ioctl = Trouble::Member {
            of: "struct file_operations".into(),
            name: "ioctl".into(),
        };
        let gcc = "error: ‘const struct file_operations’ has no member named ‘ioctl’";
        assert_eq!(of(gcc), ioctl);
        let clang = "error: field designator 'ioctl' does not refer to any field in type 'struct \
                     file_operations'";
        assert_eq!(of(clang), ioctl);
        let header = Trouble::Header("linux/smp_lock.h".into());
        assert_eq!(
            of("fatal error: linux/smp_lock.h: No such file or directory"),
            header
        );
        assert_eq!(of("fatal error: 'linux/smp_lock.h' file not found"), header);
        assert_eq!(
            of("error: variable has incomplete type 'struct timespec'"),
            Trouble::Incomplete("struct timespec".into())
        );
        assert_eq!(
            of("error: storage size of ‘ts’ isn’t known"),
            Trouble::Incomplete(String::new())
        );
        assert_eq!(
            of("error: macro \"access_ok\" passed 3 arguments, but takes just 2"),
            Trouble::Arguments("access_ok".into())
        );
    }

    #[test]
    fn error_in_a_macro_is_where_the_macro_is_used() {
        let text = "In file included from /src/a.c:1:\n\
                    /k/export.h:27:22: error: passing argument 1 of ‘class_create’ from \
                    incompatible pointer type [-Wx]\n\
                    /src/a.c:573:35: note: in expansion of macro ‘THIS_MODULE’\n";
        assert_eq!(one(text).line, 573);
        // An error in a header of the kernel's only is not the module's.
        let text = "/k/a.h:1:2: error: unknown type name 'x'\n";
        assert!(diagnostics(text, Path::new("/src")).is_empty());
        // Neither is a warning.
        let text = "/src/a.c:1:2: warning: unused variable 'x'\n";
        assert!(diagnostics(text, Path::new("/src")).is_empty());
    }
}
