// SPDX-License-Identifier: MIT OR Apache-2.0

//! Ranges of kernel versions, as a module says which kernels it supports.

use std::fmt;

use crate::nearest;

/// The words for a flavour.
const FLAVOURS: [&str; 3] = ["cloud", "generic", "rt"];

/// One version or range of versions, of all flavours or of one: `6.1`, `5.10..`, `..=6.12`,
/// `5.10..=7.3`, `..6.12`, `6.12-rt`.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelRange {
    /// What the user wrote.
    text: String,
    from: Option<Version>,
    to: Option<(Version, End)>,
    flavour: Option<&'static str>,
}

/// The last version of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Included,
    Excluded,
}

/// The first number of a version, and mostly the second one.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
struct Version(Vec<u32>);

/// Why a text is no range, and what its author may have meant.
#[derive(Debug, PartialEq)]
pub struct NoRange {
    pub message: String,
    pub instead: Option<String>,
}

impl KernelRange {
    /// Reads a range.
    pub fn parse(text: &str) -> Result<KernelRange, NoRange> {
        parse(text).map_err(|message| NoRange {
            message,
            instead: meant(text).filter(|meant| parse(meant).is_ok()),
        })
    }

    /// Returns whether a kernel of this release is in the range.
    pub fn includes(&self, release: &str) -> bool {
        let Some(version) = Version::of_release(release) else {
            return false;
        };
        let after = self
            .from
            .as_ref()
            .is_none_or(|from| version.upto(from) >= *from);
        let before = self.to.as_ref().is_none_or(|(to, end)| match end {
            End::Included => version.upto(to) <= *to,
            End::Excluded => version.upto(to) < *to,
        });
        after && before && self.flavour.is_none_or(|f| f == flavour(release))
    }
}

impl fmt::Display for KernelRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Version {
    fn parse(text: &str) -> Result<Version, String> {
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        match numbers {
            Some(numbers) if numbers.len() <= 2 => Ok(Version(numbers)),
            Some(_) => Err(format!(
                "`{text}` has too many numbers: Debian's 6.1.0-56 does not tell which 6.1 it is, \
                 so two numbers are compared"
            )),
            None => Err(format!("`{text}` is no version of a kernel, such as 6.12")),
        }
    }

    /// Returns the first two numbers of a release.
    fn of_release(release: &str) -> Option<Version> {
        let mut parts = release.splitn(3, '.');
        let first = number(parts.next()?)?;
        let second = parts.next()?;
        let end = second.find(|c: char| !c.is_ascii_digit());
        let second = number(&second[..end.unwrap_or(second.len())])?;
        Some(Version(vec![first, second]))
    }

    /// Returns as many of its numbers as `other` has.
    fn upto(&self, other: &Version) -> Version {
        Version(self.0.iter().take(other.0.len()).copied().collect())
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn flavour(release: &str) -> &'static str {
    let has = |word: &str| {
        let mut parts = release.split('-').skip(1);
        // A kernel that somebody patched is `6.6.30-rt30`.
        parts.any(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()) == word)
    };
    match (has("rt"), has("cloud")) {
        (true, _) => "rt",
        (_, true) => "cloud",
        _ => "generic",
    }
}

fn parse(text: &str) -> Result<KernelRange, String> {
    let (versions, flavour) = match text.split_once('-') {
        None => (text, None),
        Some((versions, word)) => {
            let flavour = FLAVOURS.into_iter().find(|f| *f == word);
            let flavour = flavour.ok_or_else(|| {
                format!("`{word}` is none of the flavours {}", FLAVOURS.join(", "))
            })?;
            (versions, Some(flavour))
        }
    };
    let version = |text: &str| match text {
        "" => Ok(None),
        text => Version::parse(text).map(Some),
    };
    let (from, to) = match versions.split_once("..") {
        None => {
            let one = Version::parse(versions)?;
            (Some(one.clone()), Some((one, End::Included)))
        }
        Some((from, to)) => {
            let (to, end) = match to.strip_prefix('=') {
                Some("") => return Err(format!("`{text}` has no version after `..=`")),
                Some(to) => (to, End::Included),
                None => (to, End::Excluded),
            };
            (version(from)?, version(to)?.map(|to| (to, end)))
        }
    };
    if let (Some(from), Some((to, end))) = (&from, &to) {
        let common = Version(from.0.iter().take(to.0.len()).copied().collect());
        if common > *to || (common == *to && *end == End::Excluded) {
            return Err(format!("`{text}` is a range without a version"));
        }
    }
    if from.is_none() && to.is_none() {
        return Err(format!(
            "`{text}` has no version: leave it out for all kernels"
        ));
    }
    Ok(KernelRange {
        text: text.to_owned(),
        from,
        to,
        flavour,
    })
}

/// Returns the range that a text which is none comes nearest to: `>=5.10` means `5.10..`.
fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    // What is between two numbers decides nothing: `5.10-7.3`, `5.10 to 7.3`.
    let mut versions = Vec::new();
    for word in text.split(|c: char| !c.is_ascii_digit() && c != '.') {
        for part in word.split("..") {
            let numbers: Vec<&str> = part.split('.').filter(|n| !n.is_empty()).collect();
            if !numbers.is_empty() {
                versions.push(numbers[..numbers.len().min(2)].join("."));
            }
        }
    }
    let word = text.rsplit(|c: char| !c.is_ascii_alphabetic()).next()?;
    let flavour = nearest(word, FLAVOURS);
    let flavour = flavour.first().map_or(String::new(), |f| format!("-{f}"));
    let begins = |marks: &[&str]| marks.iter().any(|mark| text.starts_with(mark));
    let range = match versions.as_slice() {
        [one] if begins(&["<=", "..", "-"]) => format!("..={one}"),
        [one] if begins(&["<"]) => format!("..{one}"),
        [one] if begins(&[">", "^"]) => format!("{one}.."),
        [one] if text.ends_with(['+', '-', '=', '.']) => format!("{one}.."),
        [one] => one.clone(),
        // The name of a release: `6.8.0-31-generic`.
        [one, to] if one.contains('.') && !to.contains('.') => one.clone(),
        [one, _, _, ..] => one.clone(),
        [from, to] => {
            let swapped = Version::parse(from).ok()? > Version::parse(to).ok()?;
            match swapped {
                true => format!("{to}..={from}"),
                false => format!("{from}..={to}"),
            }
        }
        [] => return None,
    };
    Some(range + &flavour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_in_ranges() {
        let of = |range: &str, release: &str| KernelRange::parse(range).unwrap().includes(release);
        for (range, release) in [
            ("6.1", "6.1.0-56-cloud-amd64"),
            ("6", "6.12.117+deb12-amd64"),
            ("5.10..", "7.3.4+deb13-cloud-amd64"),
            ("5.10..=7.3", "5.10.0-46-amd64"),
            ("5.10..=7.3", "7.3.4+deb13-cloud-amd64"),
            ("..=6.12", "6.12.117+deb12-amd64"),
            ("..7", "6.19.2-300.fc44.x86_64"),
            ("..6.13", "6.12.117"),
            ("7.3", "7.3-rc1"),
            ("6.12-rt", "6.12.117+deb12-rt-amd64"),
            ("6.1..-rt", "6.6.30-rt30"),
            ("6.1..-generic", "6.8.0-31-generic"),
            ("6.1-generic", "6.1.0-56-amd64"),
            ("..=6.12-cloud", "6.1.0-56-cloud-amd64"),
        ] {
            assert!(of(range, release), "{range} {release}");
        }
        for (range, release) in [
            ("6.1", "6.12.117+deb12-amd64"),
            ("5.10..", "5.4.0-26-generic"),
            ("5.10..=7.3", "7.4.1"),
            ("..6.12", "6.12.117+deb12-amd64"),
            ("..7", "7.0.1"),
            ("6.12-rt", "6.12.117+deb12-amd64"),
            ("6.1-generic", "6.1.0-56-cloud-amd64"),
            ("6.1", "none"),
        ] {
            assert!(!of(range, release), "{range} {release}");
        }
    }

    #[test]
    fn texts_that_are_no_range_have_a_nearest_one() {
        for (text, instead) in [
            ("5.10-7.3", Some("5.10..=7.3")),
            ("5.10...7.3", Some("5.10..=7.3")),
            ("5.10 to 7.3", Some("5.10..=7.3")),
            ("7.3..=5.10", Some("5.10..=7.3")),
            ("5.10..=", Some("5.10..")),
            (">=5.10", Some("5.10..")),
            ("5.10+", Some("5.10..")),
            ("<= 6.12", Some("..=6.12")),
            ("<6.12", Some("..6.12")),
            ("v6.1", Some("6.1")),
            ("6.1.x", Some("6.1")),
            ("6.12.117", Some("6.12")),
            ("6.1.0-56-amd64", Some("6.1")),
            ("6.8.0-31-generic", Some("6.8-generic")),
            ("6.12-realtime", Some("6.12-rt")),
            ("6.12-rtt", Some("6.12-rt")),
            ("6.12..6.12", Some("6.12..=6.12")),
            ("new", None),
            ("", None),
            ("..", None),
        ] {
            let error = KernelRange::parse(text).expect_err(text);
            assert_eq!(error.instead.as_deref(), instead, "{text}: {error:?}");
            assert!(!error.message.is_empty());
        }
    }
}
