// SPDX-License-Identifier: MIT OR Apache-2.0

//! Turns what a test printed into words for people: not all of it was written for them.

/// Returns a test's message without the notation of Rust's `Debug`.
pub fn for_people(message: &str) -> String {
    let mut text = io_errors(message.trim());
    for call in ["unwrap", "expect"] {
        text = text.replace(
            &format!("called `Result::{call}()` on an `Err` value: "),
            "",
        );
    }
    text = text.replace(
        "called `Option::unwrap()` on a `None` value",
        "a value that the test needs is missing",
    );
    value(&assertion(&text).unwrap_or(text))
}

/// Replaces `Os { code: 2, kind: NotFound, message: ".." }` by the error's words and name.
fn io_errors(text: &str) -> String {
    const BEGIN: &str = "Os { code: ";
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let parsed = after.split_once(", ").and_then(|(code, tail)| {
            let (_, after) = tail.split_once("\" }")?;
            Some((code.parse::<i32>().ok()?, after))
        });
        let Some((code, after)) = parsed else {
            break;
        };
        out += before;
        out += &errno(code);
        rest = after;
    }
    out + rest
}

/// Returns an error's words and name, as in `No such file or directory (ENOENT)`.
fn errno(code: i32) -> String {
    let words = koru_error::errno_text(code);
    let words = words.split(" (errno").next().unwrap_or_default().to_owned();
    match koru_error::errno_name(code) {
        Some(name) => format!("{words} ({name})"),
        None => words,
    }
}

/// Returns the message of a failed `assert_eq!` or `assert_ne!` in one line.
fn assertion(text: &str) -> Option<String> {
    let rest = text.strip_prefix("assertion `left ")?;
    let (operator, rest) = rest.split_once(" right` failed")?;
    let (about, values) = rest.split_once("\n  left: ")?;
    let (left, right) = values.split_once("\n right: ")?;
    let about = about.trim_start_matches(": ");
    let about = match about {
        "" => String::new(),
        about => format!("{about}: "),
    };
    let (left, right) = (value(left), value(right));
    Some(match operator {
        "!=" => format!("{about}both are {left}"),
        _ => format!("{about}{left} and {right}, which are not equal"),
    })
}

/// Returns a value without the names of Rust's variants around it.
fn value(text: &str) -> String {
    let inner = |name: &str| {
        let inner = text.strip_prefix(name)?.strip_prefix('(')?;
        let inner = inner.strip_suffix(')')?;
        // The parentheses must belong together.
        let mut depth = 0;
        let stays = inner.chars().all(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth >= 0
        });
        stays.then_some(inner)
    };
    match text {
        "None" => "nothing".to_owned(),
        "Ok(())" | "success (())" => "success".to_owned(),
        _ => match (inner("Ok"), inner("Err").or(inner("Some"))) {
            (Some(done), _) => format!("success ({done})"),
            (_, Some(inner)) => inner.to_owned(),
            _ => text.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_text_becomes_words() {
        let missing = "Os { code: 2, kind: NotFound, message: \"No such file or directory\" }";
        let words = "No such file or directory (ENOENT)";
        for (said, wanted) in [
            (missing.to_owned(), words.to_owned()),
            (format!("Err({missing})"), words.to_owned()),
            (
                format!("called `Result::unwrap()` on an `Err` value: {missing}"),
                words.to_owned(),
            ),
            (
                format!("opening: {missing}, then {missing}"),
                format!("opening: {words}, then {words}"),
            ),
            (
                "assertion `left == right` failed: the size\n  left: 3\n right: Some(4)".into(),
                "the size: 3 and 4, which are not equal".into(),
            ),
            ("Ok(())".into(), "success".into()),
            ("Ok(7)".into(), "success (7)".into()),
            ("None".into(), "nothing".into()),
            ("Some(1) or (2)".into(), "Some(1) or (2)".into()),
            ("Os { code: x".into(), "Os { code: x".into()),
            ("plain words (EIO)".into(), "plain words (EIO)".into()),
        ] {
            assert_eq!(for_people(&said), wanted, "{said}");
        }
    }
}
