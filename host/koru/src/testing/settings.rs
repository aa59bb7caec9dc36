// SPDX-License-Identifier: MIT OR Apache-2.0

//! The settings of a package's tests in its Cargo.toml: whether they are for a guest, and for
//! which.
//!
//! ```toml
//! [package.metadata.koru]
//! guest = true
//! cpus = 2             # the default
//! races = ["threads"]  # words in the names (`file::test`) of tests that need all processors
//! in-turn = ["probes"] # test files in whose guest the processors take turns
//! first = ["storm"]    # test files that take long, the longest first
//! waits = ["hours"]    # test files that do nothing for most of their time
//! ```

use std::{fs, path::Path};

use serde::Deserialize;

use crate::cli::MachineArgs;

/// The number of processors unless a package sets it. Races between processors are seen only
/// on two or more of them.
const CPUS: u32 = 2;

#[derive(Deserialize, Debug, Default, Clone, PartialEq, Eq)]
#[serde(default, rename_all = "kebab-case")]
pub struct GuestTests {
    pub guest: bool,
    cpus: Option<u32>,
    races: Option<Vec<String>>,
    in_turn: Vec<String>,
    first: Vec<String>,
    waits: Vec<String>,
}

impl GuestTests {
    /// Reads the settings of the package in this folder. A file that cannot be read is left to
    /// cargo to report.
    pub fn of(package: &Path) -> GuestTests {
        let text = fs::read_to_string(package.join("Cargo.toml"));
        text.map_or_else(|_| GuestTests::default(), |text| GuestTests::parse(&text))
    }

    fn parse(text: &str) -> GuestTests {
        let koru = |mut table: toml::Table| -> Option<GuestTests> {
            let mut at = table.remove("package")?;
            for key in ["metadata", "koru"] {
                at = at.as_table_mut()?.remove(key)?;
            }
            at.try_into().ok()
        };
        text.parse().ok().and_then(koru).unwrap_or_default()
    }

    /// Returns the position in which the test file of this name runs: those that come first
    /// count from 0.
    pub fn rank(&self, file: &str) -> usize {
        let first = self.first.iter().position(|f| f == file);
        first.unwrap_or(self.first.len())
    }

    /// Returns whether things run at once in this test, `file::test`. Unless the package says
    /// otherwise, they do in every test.
    pub fn races(&self, name: &str) -> bool {
        let words = self.races.as_ref();
        words.is_none_or(|words| words.iter().any(|word| name.contains(word.as_str())))
    }

    /// Returns whether the test file of this name leaves the processor to others for most of
    /// its time.
    pub fn waits(&self, file: &str) -> bool {
        self.waits.iter().any(|f| f == file)
    }

    /// Returns the machine for the test file of this name.
    pub fn machine(&self, file: &str) -> MachineArgs {
        let is_in = |files: &[String]| files.iter().any(|f| f == file);
        MachineArgs {
            cpus: self.cpus.unwrap_or(CPUS),
            memory: 512,
            in_turn: is_in(&self.in_turn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_says_what_its_tests_need() {
        let none = GuestTests::parse("[package]\nname = \"x\"\n");
        assert!(!none.guest);
        assert!(!GuestTests::parse("no toml [").guest);
        let plain = GuestTests::parse("[package.metadata.koru]\nguest = true\n");
        assert!(plain.guest);
        assert_eq!(
            (plain.machine("a").cpus, plain.machine("a").in_turn),
            (2, false)
        );
        let text = "[package]\nmetadata.koru = { guest = true, cpus = 4, races = ['c::', 'at_once'],\
                    in-turn = ['b'], first = ['c'], waits = ['d'] }\n";
        let more = GuestTests::parse(text);
        assert_eq!(
            (more.machine("a").cpus, more.machine("a").in_turn),
            (4, false)
        );
        assert!(more.machine("b").in_turn);
        assert!(more.races("c::x") && more.races("a::at_once") && !more.races("a::x"));
        assert!(plain.races("a::x"));
        assert!(more.waits("d") && !more.waits("c"));
        assert_eq!((more.rank("c"), more.rank("b")), (0, 1));
    }
}
