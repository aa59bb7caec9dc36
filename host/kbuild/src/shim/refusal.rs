// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds out why a kernel's compiler refuses the C interface layer: its first error.

use std::path::Path;

/// Returns the first error in the output of make and gcc that is in the code, such as
/// `kernel/shim/sync.c:31:2: error: ...`. Returns `None` for other failures: a full disk, a
/// missing compiler.
pub fn first_error(said: &str, dir: &Path) -> Option<String> {
    // A line of gcc begins with the path to which the sources were copied.
    let said = said.replace(&format!("{}/", dir.display()), "kernel/shim/");
    let lines: Vec<&str> = said.lines().collect();
    let at = lines.iter().position(|line| is_error(line))?;
    let error = lines[at].trim();
    if error.starts_with("kernel/shim/") {
        return Some(error.to_owned());
    }
    // The error is in a header of the kernel. gcc says before it which file of the layer
    // includes that header, except for headers that every file includes; for those, make says
    // afterwards which object it could not build.
    let (before, after) = lines.split_at(at);
    let ours = before.iter().rev().chain(after).find_map(|line| {
        let (_, rest) = line.split_once("kernel/shim/")?;
        let end = rest.find(['.', ':', ','])?;
        Some(format!("{}.c", &rest[..end]))
    });
    Some(match ours {
        Some(file) => format!("kernel/shim/{file}: {error}"),
        None => error.to_owned(),
    })
}

/// Returns whether a line is `FILE:LINE:COLUMN: error: TEXT` and would come up again: a full
/// disk is not such an error.
fn is_error(line: &str) -> bool {
    let place = [": error: ", ": fatal error: "]
        .iter()
        .find_map(|word| line.split_once(word));
    let Some((place, text)) = place else {
        return false;
    };
    let mut numbers = place.rsplit(':');
    let has_line = numbers.next().is_some_and(|n| n.parse::<u32>().is_ok());
    has_line && !text.contains("No space left") && !text.contains("error writing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_our_file() {
        let said = "In file included from /usr/src/linux/a.h:1,\n\
                    /c/.x.y1/sync.c: In function 'f':\n\
                    /c/.x.y1/sync.c:31:9: warning: w\n\
                    /c/.x.y1/sync.c:33:2: error: implicit declaration of function 'g'\n   33 |  g();\n\
                    /c/.x.y1/sync.c:40:2: error: another\n\
                    make[3]: *** [scripts/Makefile.build:250: /c/.x.y1/sync.o] Error 1\n";
        assert_eq!(
            first_error(said, Path::new("/c/.x.y1")).as_deref(),
            Some("kernel/shim/sync.c:33:2: error: implicit declaration of function 'g'")
        );
    }

    #[test]
    fn an_error_in_a_header_of_the_kernel() {
        let said = "In file included from /usr/src/linux/a.h:1,\n\
                    \u{20}                from /c/.x.y1/sync.c:3:\n\
                    /usr/src/linux/b.h:7:10: fatal error: c.h: No such file or directory\n";
        assert_eq!(
            first_error(said, Path::new("/c/.x.y1")).as_deref(),
            Some(
                "kernel/shim/sync.c: /usr/src/linux/b.h:7:10: fatal error: c.h: \
                 No such file or directory"
            )
        );
    }

    #[test]
    fn an_error_in_what_every_file_includes() {
        let said = "./include/generated/autoconf.h:7:2: error: #error no\n    7 | #error no\n\
                    make[3]: *** [scripts/Makefile.build:243: /c/.x.y1/atomic.o] Error 1\n";
        assert_eq!(
            first_error(said, Path::new("/c/.x.y1")).as_deref(),
            Some("kernel/shim/atomic.c: ./include/generated/autoconf.h:7:2: error: #error no")
        );
    }

    #[test]
    fn what_another_try_may_not_meet() {
        for said in [
            "/bin/sh: 1: gcc-12: not found\nmake: *** [x] Error 127\n",
            "gcc-12: error: unrecognized command-line option '-fnew'\n",
            "/c/.x.y1/sync.c:3:1: fatal error: error writing to /tmp/a.s: No space left on device\n",
            "gcc: fatal error: Killed signal terminated program cc1\n",
        ] {
            assert_eq!(first_error(said, Path::new("/c/.x.y1")), None, "{said}");
        }
    }
}
