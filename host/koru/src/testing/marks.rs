// SPDX-License-Identifier: MIT OR Apache-2.0

//! The marks in a test binary: how its tests want to run.
//!
//! Tests are marked by `koru_testing::test_file!` and the attributes of koru-testing, which
//! leave ELF notes in the binary.

use std::{fs, path::Path};

use koru_error::{Error, Kind, Result};
use koru_protocol::{TEST_MARK, TEST_NOTES};
use object::{
    Endianness,
    elf::FileHeader64,
    read::elf::{FileHeader, SectionHeader},
};

/// The marks in a test binary, each with the path of the test or of the module that has it.
/// The path is empty for the whole binary.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TestMarks(Vec<(Mark, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    OneCpu,
    AllCpus,
    CpusInTurn,
    TakesLong,
    MostlyWaits,
}

impl TestMarks {
    /// Reads the marks in a test binary.
    pub fn of(binary: &Path) -> Result<TestMarks> {
        let bytes = fs::read(binary).map_err(|e| Error::path("reading", binary, e))?;
        let attempted = || format!("reading how the tests of {} want to run", binary.display());
        let texts =
            notes(&bytes).map_err(|e| Error::new(Kind::System, attempted(), e.to_string()))?;
        let marks = texts.iter().map(|text| {
            parse(text).map_err(|message| {
                Error::new(Kind::Usage, attempted(), message)
                    .help("this koru and the tests' koru-testing must come from one checkout")
            })
        });
        Ok(TestMarks(marks.collect::<Result<_>>()?))
    }

    /// Returns whether one processor suffices for the test. The mark that is nearest to the
    /// test decides; a test without marks needs all processors.
    pub fn one_cpu(&self, test: &str) -> bool {
        let covers = |path: &str| {
            let rest = test.strip_prefix(path);
            path.is_empty() || rest.is_some_and(|r| r.is_empty() || r.starts_with("::"))
        };
        let marks = self.0.iter();
        let cpus = marks.filter(|(mark, _)| matches!(mark, Mark::OneCpu | Mark::AllCpus));
        let nearest = cpus
            .filter(|(_, path)| covers(path))
            .max_by_key(|(_, path)| path.len());
        nearest.is_some_and(|(mark, _)| *mark == Mark::OneCpu)
    }

    /// Returns whether the processors of the guest take turns.
    pub fn cpus_in_turn(&self) -> bool {
        self.has(Mark::CpusInTurn)
    }

    /// Returns whether other tests should begin after these.
    pub fn takes_long(&self) -> bool {
        self.has(Mark::TakesLong)
    }

    /// Returns whether the tests leave the processor to others for most of their time.
    pub fn mostly_waits(&self) -> bool {
        self.has(Mark::MostlyWaits)
    }

    fn has(&self, mark: Mark) -> bool {
        self.0.iter().any(|(m, _)| *m == mark)
    }
}

/// Returns the texts of the notes with marks in an ELF file.
fn notes(file: &[u8]) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(file)?;
    let endian = header.endian()?;
    let mut texts = Vec::new();
    for section in header.section_headers(endian, file)? {
        let Some(mut notes) = section.notes(endian, file)? else {
            continue;
        };
        while let Some(note) = notes.next()? {
            if note.name_bytes() == TEST_NOTES && note.n_type(endian).0 == TEST_MARK {
                texts.push(String::from_utf8_lossy(note.desc()).into_owned());
            }
        }
    }
    Ok(texts)
}

/// Parses `MARK CRATE[::PATH]`.
fn parse(text: &str) -> core::result::Result<(Mark, String), String> {
    let (mark, path) = text.split_once(' ').unwrap_or((text, ""));
    let mark = match mark {
        "one_cpu" => Mark::OneCpu,
        "all_cpus" => Mark::AllCpus,
        "cpus_in_turn" => Mark::CpusInTurn,
        "takes_long" => Mark::TakesLong,
        "mostly_waits" => Mark::MostlyWaits,
        _ => return Err(format!("`{path}` has the unknown mark `{mark}`")),
    };
    let in_crate = path.split_once("::").map_or("", |(_, path)| path);
    Ok((mark, in_crate.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    koru_testing::test_file!(cpus_in_turn);

    mod alone {
        koru_testing::test_file!(one_cpu);

        #[koru_testing::all_cpus]
        #[test]
        fn exception() {}

        #[test]
        fn exception_of_another_name() {}
    }

    /// This test's own binary has the marks that are here.
    #[koru_testing::one_cpu]
    #[test]
    fn marks_are_read_from_a_binary() {
        let marks = TestMarks::of(&std::env::current_exe().unwrap()).unwrap();
        let here = "testing::marks::tests";
        let one_cpu = |test: &str| marks.one_cpu(&format!("{here}::{test}"));
        assert!(one_cpu("marks_are_read_from_a_binary"));
        assert!(one_cpu("alone::exception_of_another_name"));
        assert!(!one_cpu("alone::exception"));
        assert!(!one_cpu("alone_too::exception_of_another_name"));
        assert!(!one_cpu("unknown_mark_is_an_error"));
        assert!(marks.cpus_in_turn());
        assert!(!marks.takes_long() && !marks.mostly_waits());
        assert_eq!(marks.0.len(), 4, "{marks:?}");
    }

    #[test]
    fn binary_without_marks_needs_all_cpus() {
        let marks = TestMarks::of(Path::new("/bin/sh")).unwrap();
        assert_eq!(marks, TestMarks::default());
        assert!(!marks.one_cpu("any::test"));
        assert!(!marks.cpus_in_turn() && !marks.takes_long() && !marks.mostly_waits());
    }

    #[test]
    fn mark_of_a_file_is_for_all_its_tests() {
        let marks = [
            "one_cpu my_timer",
            "all_cpus my_timer::races",
            "takes_long my_timer",
        ];
        let marks = TestMarks(marks.map(|text| parse(text).unwrap()).to_vec());
        assert!(marks.one_cpu("reads") && marks.one_cpu("inner::reads"));
        assert!(!marks.one_cpu("races"));
        assert!(marks.takes_long() && !marks.mostly_waits());
    }

    #[test]
    fn unknown_mark_is_an_error() {
        let message = parse("two_moons my_timer::reads").unwrap_err();
        assert_eq!(
            message,
            "`my_timer::reads` has the unknown mark `two_moons`"
        );
        assert!(parse("").is_err());
        assert!(TestMarks::of(Path::new("Cargo.toml")).is_err());
    }
}
