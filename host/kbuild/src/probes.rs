// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads `kernel/shim/probes.c`, which says what only some kernels have, and what a kernel's
//! compiler says about that file.

use std::{collections::BTreeSet, fs, path::Path};

use koru_error::{IoContext, Result};
use koru_kernels::Home;

/// The file with the probes, in `kernel/shim`.
pub(crate) const PROBES: &str = "probes.c";

/// What the name of a probe's function begins with.
const PREFIX: &str = "koru_probe_";

/// Something that only some kernels have.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Probe {
    pub name: String,
    /// The first release that has it, or the option of the config that brings it.
    pub since: String,
    /// What is there since.
    pub change: String,
    /// The paths of the `kernel` crate that need it.
    pub apis: Vec<String>,
}

impl Probe {
    /// Returns all probes, in the file's order.
    pub fn all(home: &Home) -> Result<Vec<Probe>> {
        Probe::all_in(&home.root.join("kernel/shim"))
    }

    pub(crate) fn all_in(shim: &Path) -> Result<Vec<Probe>> {
        let file = shim.join(PROBES);
        let text = fs::read_to_string(&file).path_context("reading", &file)?;
        Ok(parse(&text))
    }

    /// Returns what a kernel without it is to be told about one of the APIs.
    pub fn lacking(&self, api: &str, release: &str) -> String {
        match self.since.starts_with("CONFIG_") {
            true => format!(
                "`{api}` needs a kernel with {}; {release} is built without it",
                self.since
            ),
            false => format!(
                "`{api}` needs Linux {} or later; this is {release}",
                self.since
            ),
        }
    }
}

fn parse(text: &str) -> Vec<Probe> {
    let calls = text.split("\nKORU_PROBE(").skip(1);
    calls
        .filter_map(|call| {
            let (name, rest) = call.split_once(',')?;
            // Outside of the literals there are only commas, blanks and the end.
            let mut strings = [const { String::new() }; 3];
            let mut at = 0;
            for (i, part) in rest.split('"').enumerate() {
                match i % 2 {
                    1 => strings.get_mut(at)?.push_str(part),
                    _ if part.contains(')') => break,
                    _ => at += part.matches(',').count(),
                }
            }
            let [since, change, apis] = strings;
            Some(Probe {
                name: name.trim().to_owned(),
                since,
                change,
                apis: apis.split_whitespace().map(str::to_owned).collect(),
            })
        })
        .collect()
}

/// Returns the probes with errors, from the compiler's output. It is empty if an error is outside
/// of them all.
pub(crate) fn with_errors(said: &str) -> BTreeSet<String> {
    let mut failed = BTreeSet::new();
    let mut current = None;
    for line in said.lines() {
        if let Some((_, function)) = line.split_once(": In function ") {
            let function = function.trim_matches(|c: char| !c.is_alphanumeric());
            current = function.strip_prefix(PREFIX);
        } else if line.contains(": At top level:") {
            current = None;
        } else if line.contains(" error: ") {
            match current {
                Some(probe) => failed.insert(probe.to_owned()),
                None => return BTreeSet::new(),
            };
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_read() {
        let text = "#define KORU_PROBE(name, since, change, apis)\n\
            \nKORU_PROBE(A, \"5.17\", \"a() is new, \"\n\t   \"as is b()\", \"\")\n{\n\ta(\"x\");\n}\n\
            \nKORU_PROBE(B, \"CONFIG_B\", \"b\",\n\t   \"kernel::b kernel::c::C::d\")\n{\n}\n";
        let probes = parse(text);
        assert_eq!(probes.len(), 2, "{probes:?}");
        assert_eq!(probes[0].since, "5.17");
        assert_eq!(probes[0].change, "a() is new, as is b()");
        assert!(probes[0].apis.is_empty());
        assert_eq!(probes[1].apis, ["kernel::b", "kernel::c::C::d"]);
        assert_eq!(
            probes[1].lacking("kernel::b", "6.1.0"),
            "`kernel::b` needs a kernel with CONFIG_B; 6.1.0 is built without it"
        );
    }

    #[test]
    fn checked_in_probes_say_all_that_is_asked() {
        let probes = parse(include_str!("../../../kernel/shim/probes.c"));
        let text = include_str!("../../../kernel/shim/probes.c");
        assert_eq!(probes.len(), text.matches("\nKORU_PROBE(").count());
        for probe in probes {
            let is_release = probe.since.split('.').all(|n| n.parse::<u32>().is_ok());
            assert!(
                is_release || probe.since.starts_with("CONFIG_"),
                "{probe:?}"
            );
            assert!(!probe.change.is_empty(), "{probe:?}");
            assert!(
                probe.apis.iter().all(|api| api.starts_with("kernel::")),
                "{probe:?}"
            );
        }
    }

    #[test]
    fn errors_belong_to_probes() {
        let said = "/x/probes.c: In function 'koru_probe_A':\n\
            /x/probes.c:9:2: error: implicit declaration of function 'a'\n\
            /x/probes.c: In function 'koru_probe_B':\n\
            /x/probes.c:15:2: warning: unused\n\
            In file included from /x/y.h:3:\n\
            /x/y.h: In function 'koru_probe_C':\n\
            /x/y.h:15:2: error: no member\n";
        let failed = with_errors(said);
        assert_eq!(failed, BTreeSet::from(["A".into(), "C".into()]));
        let missing = "/x/probes.c:3:10: fatal error: linux/x.h: No such file or directory\n";
        assert!(with_errors(missing).is_empty());
    }
}
