// SPDX-License-Identifier: MIT OR Apache-2.0

//! The names that a contract gives to what differs between courses or students.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// What chooses the values that differ from student to student.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// Returns the seed that belongs to a text, such as a student's name. It is the same on every
    /// machine.
    pub fn of(text: &str) -> Seed {
        // FNV-1a.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Seed(text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }

    /// Returns one of so many numbers, for the value of this name.
    pub fn choose(self, name: &str, of: u64) -> u64 {
        // The end of splitmix64 spreads similar seeds.
        let mut z = self.0 ^ Seed::of(name).0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % of.max(1)
    }
}

/// What the names of a contract stand for.
#[derive(Debug, Clone, Default)]
pub struct Names {
    values: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

impl Names {
    pub fn set(&mut self, name: String, value: String) {
        self.values.insert(name, value);
    }

    /// Returns whether some text had this name.
    pub fn is_used(&self, name: &str) -> bool {
        self.used.borrow().contains(name)
    }

    /// Returns the names with what they stand for.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Replaces each `${name}` by what it stands for. The error is an unknown name.
    pub fn replace(&self, text: &str) -> Result<String, String> {
        let mut replaced = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else {
                break;
            };
            let value = self.values.get(name).ok_or_else(|| name.to_owned())?;
            self.used.borrow_mut().insert(name.to_owned());
            replaced += before;
            replaced += value;
            rest = behind;
        }
        Ok(replaced + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced() {
        let mut names = Names::default();
        names.set("file".into(), "/proc/timer".into());
        assert_eq!(
            names.replace("cat ${file} $x {3} ${"),
            Ok("cat /proc/timer $x {3} ${".into())
        );
        assert_eq!(names.replace("${fil}"), Err("fil".into()));
    }

    #[test]
    fn seed_chooses_the_same_on_every_machine() {
        assert_eq!(Seed::of("ada"), Seed(0xe70b_c019_0530_e13b));
        let chosen: Vec<u64> = (0..8).map(|n| Seed(n).choose("size", 100)).collect();
        let mut others = chosen.clone();
        others.sort();
        others.dedup();
        assert!(others.len() > 5, "{chosen:?}");
        assert_eq!(Seed(3).choose("size", 1), 0);
    }
}
