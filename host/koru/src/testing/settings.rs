// SPDX-License-Identifier: MIT OR Apache-2.0

//! The settings of a package's tests in its Cargo.toml: whether they are for a guest, and for
//! which.
//!
//! ```toml
//! [package.metadata.koru]
//! guest = true
//! cpus = 2 # the default
//! ```

use std::{fs, path::Path};

use serde::Deserialize;

use crate::{cli::MachineArgs, testing::marks::TestMarks};

/// The number of processors unless a package sets it. Races between processors are seen only
/// on two or more of them.
const CPUS: u32 = 2;

#[derive(Deserialize, Debug, Default, Clone, PartialEq, Eq)]
#[serde(default)]
pub struct GuestTests {
    pub guest: bool,
    cpus: Option<u32>,
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

    /// Returns the machine for tests with these marks.
    pub fn machine(&self, marks: &TestMarks) -> MachineArgs {
        MachineArgs {
            cpus: self.cpus.unwrap_or(CPUS),
            memory: 512,
            in_turn: marks.cpus_in_turn(),
            append: Vec::new(),
            harsh: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_chooses_the_machine_of_its_tests() {
        let none = GuestTests::parse("[package]\nname = \"x\"\n");
        assert!(!none.guest);
        assert!(!GuestTests::parse("no toml [").guest);
        let marks = TestMarks::default();
        let plain = GuestTests::parse("[package.metadata.koru]\nguest = true\n");
        assert!(plain.guest);
        assert_eq!(plain.machine(&marks).cpus, 2);
        assert!(!plain.machine(&marks).in_turn);
        let more = GuestTests::parse("[package]\nmetadata.koru = { guest = true, cpus = 4 }\n");
        assert_eq!(more.machine(&marks).cpus, 4);
    }
}
