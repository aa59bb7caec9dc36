//! What a package's Cargo.toml says of its tests: whether they are for a guest, and
//! what for one.
//!
//! ```toml
//! [package.metadata.koru]
//! guest = true
//! cpus = 2             # as without it
//! in-turn = ["probes"] # test files whose guest's processors take turns
//! ```

use std::{fs, path::Path};

use serde::Deserialize;

use crate::cli::MachineArgs;

/// Races between processors are seen on two of them only.
const CPUS: u32 = 2;

#[derive(Deserialize, Debug, Default, PartialEq, Eq)]
#[serde(default, rename_all = "kebab-case")]
pub struct GuestTests {
    pub guest: bool,
    cpus: Option<u32>,
    in_turn: Vec<String>,
}

impl GuestTests {
    /// Those of the package in this folder; a file that cannot be read is cargo's
    /// to complain about.
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

    /// The machine for the test file of this name.
    pub fn machine(&self, file: &str) -> MachineArgs {
        MachineArgs {
            cpus: self.cpus.unwrap_or(CPUS),
            memory: 512,
            in_turn: self.in_turn.iter().any(|f| f == file),
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
        let text = "[package]\nmetadata.koru = { guest = true, cpus = 4, in-turn = ['b'] }\n";
        let more = GuestTests::parse(text);
        assert_eq!(
            (more.machine("a").cpus, more.machine("a").in_turn),
            (4, false)
        );
        assert!(more.machine("b").in_turn);
    }
}
