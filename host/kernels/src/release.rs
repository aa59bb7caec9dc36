// SPDX-License-Identifier: MIT OR Apache-2.0

//! Kernel releases: their order, their flavours, and what selects them.

use std::cmp::Ordering;

/// The flavours of kernels, the best for a guest first: how the release ends, and the word for it.
const FLAVOURS: [(&str, &str); 6] = [
    ("-cloud-amd64", "cloud"),
    ("-amd64", "generic"),
    ("-generic", "generic"),
    ("-rt-amd64", "rt"),
    // Koru builds these itself.
    ("-debug", "debug"),
    ("-kcsan", "kcsan"),
];

/// Returns the index of a release's flavour in [`FLAVOURS`].
pub(crate) fn flavour(release: &str) -> Option<usize> {
    let fitting = FLAVOURS.iter().enumerate();
    let fitting = fitting.filter(|(_, (end, _))| release.ends_with(end));
    // `-rt-amd64` ends in `-amd64` as well.
    fitting
        .max_by_key(|(_, (end, _))| end.len())
        .map(|(i, _)| i)
}

/// Returns the word for a release's flavour, such as `rt`.
fn flavour_word(release: &str) -> Option<&'static str> {
    flavour(release).map(|index| FLAVOURS[index].1)
}

/// Returns whether `selector` is `release`, or a beginning of it that ends where a number or a
/// word ends: `6.1` selects `6.1.0-56` but not `6.12`.
pub(crate) fn selects(selector: &str, release: &str) -> bool {
    release.strip_prefix(selector).is_some_and(|rest| {
        !selector.is_empty() && !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// Returns the first two numbers of a release, as packages of sources are named: `6.12` of
/// `6.12.117-debug`.
pub(crate) fn series(release: &str) -> String {
    let numbers = release.split(|c: char| !c.is_ascii_digit());
    numbers.take(2).collect::<Vec<_>>().join(".")
}

/// What a user writes for a kernel to add: `6.1`, `6.1-rt`, `trixie`, `trixie/7.3`, `sid/cloud`.
#[derive(Debug, PartialEq)]
pub(crate) struct Selector<'a> {
    /// A suite of the distribution's archive, which stands for those that are named after it.
    pub suite: Option<&'a str>,
    /// The release, or its beginning. If empty, any.
    pub begin: &'a str,
    /// The word for the flavour.
    pub flavour: Option<&'static str>,
}

impl Selector<'_> {
    pub fn parse(what: &str) -> Selector<'_> {
        let (suite, release) = match what.split_once('/') {
            Some((suite, release)) => (Some(suite), release),
            None if what.starts_with(|c: char| c.is_ascii_digit()) => (None, what),
            None if FLAVOURS.iter().any(|(_, word)| *word == what) => (None, what),
            None => (Some(what), ""),
        };
        let named = FLAVOURS.iter().find_map(|(_, word)| {
            let begin = release.strip_suffix(word)?;
            let begin = begin.strip_suffix('-').or(begin.is_empty().then_some(""))?;
            Some((begin, *word))
        });
        // Packages have the flavours' longer names.
        let named = named.or_else(|| {
            let (end, word) = FLAVOURS[flavour(release)?];
            Some((release.strip_suffix(end)?, word))
        });
        let (begin, flavour) = match named {
            Some((begin, word)) => (begin, Some(word)),
            None => (release, None),
        };
        Selector {
            suite,
            begin,
            flavour,
        }
    }

    pub fn selects(&self, release: &str) -> bool {
        (self.begin.is_empty() || selects(self.begin, release))
            && (self.flavour.is_none() || flavour_word(release) == self.flavour)
    }

    /// Returns whether it selects this release by itself, without a suite.
    pub fn names(&self, release: &str) -> bool {
        self.suite.is_none() && self.selects(release)
    }

    /// Returns whether a suite of this name is meant: `trixie` stands for `trixie-backports` too.
    pub fn is_in(&self, suite: &str) -> bool {
        self.suite.is_none_or(|wanted| {
            let rest = suite.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }
}

/// Orders releases as people do: by the values of their numbers.
pub fn compare(a: &str, b: &str) -> Ordering {
    let numbers = |s: &str| -> Vec<u64> {
        s.split(|c: char| !c.is_ascii_digit())
            .filter(|p| !p.is_empty())
            .map(|p| p.parse().unwrap_or(u64::MAX))
            .collect()
    };
    numbers(a).cmp(&numbers(b)).then_with(|| a.cmp(b))
}

/// Returns short names for releases: `6.1-cloud` for `6.1.0-56-cloud-amd64`. Releases whose short
/// names would be the same keep their own.
pub fn short_names(releases: &[&str]) -> Vec<String> {
    let short = |release: &&str| {
        let version = series(release);
        match flavour_word(release) {
            Some(word) => format!("{version}-{word}"),
            None => (*release).to_owned(),
        }
    };
    let names: Vec<String> = releases.iter().map(short).collect();
    let is_single = |name: &String| names.iter().filter(|n| *n == name).count() == 1;
    let of = |(name, release): (&String, &&str)| match is_single(name) {
        true => name.clone(),
        false => (*release).to_owned(),
    };
    names.iter().zip(releases).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_releases() {
        for (release, named) in [
            ("6.1", "6.1"),
            ("6.12.117-debug", "6.12"),
            ("6.1.0-56-amd64", "6.1"),
        ] {
            assert_eq!(series(release), named);
        }
    }

    #[test]
    fn selectors_end_at_a_boundary() {
        assert!(selects("6.1", "6.1.0-56-cloud-amd64"));
        assert!(!selects("6.1", "6.12.117+deb12-cloud-amd64"));
        assert!(selects(
            "6.12.117+deb12-cloud-amd64",
            "6.12.117+deb12-cloud-amd64"
        ));
        assert!(selects("6.12.117", "6.12.117+deb12-cloud-amd64"));
        assert!(!selects("", "6.1"));
    }

    #[test]
    fn kernels_to_add() {
        let of = |what, release, suite| {
            let selector = Selector::parse(what);
            selector.selects(release) && selector.is_in(suite)
        };
        assert!(of("6.1", "6.1.0-56-amd64", "bookworm"));
        assert!(!of("6.1", "6.12.117+deb12-amd64", "bookworm"));
        assert!(of("6.1-rt", "6.1.0-56-rt-amd64", "bookworm"));
        assert!(!of("6.1-rt", "6.1.0-56-amd64", "bookworm"));
        assert!(of("6.1.0-56-rt-amd64", "6.1.0-56-rt-amd64", "bookworm"));
        assert!(of("6.1-generic", "6.1.0-56-amd64", "bookworm"));
        assert!(!of("6.1-generic", "6.1.0-56-cloud-amd64", "bookworm"));
        for flavour in ["6.12-amd64", "trixie/6.12-amd64"] {
            assert!(of(flavour, "6.12.118+deb13-amd64", "trixie"));
            assert!(!of(flavour, "6.12.118+deb13-cloud-amd64", "trixie"));
            assert!(!of(flavour, "6.12.118+deb13-rt-amd64", "trixie"));
        }
        assert!(of("6.1.0-56-amd64", "6.1.0-56-amd64", "bookworm"));
        assert!(!of("6.1.0-5-amd64", "6.1.0-56-amd64", "bookworm"));
        assert!(of("6.1-cloud-amd64", "6.1.0-56-cloud-amd64", "bookworm"));
        assert!(of("trixie/7.3", "7.3.4+deb13-amd64", "trixie-backports"));
        assert!(!of("trixie/7.3", "7.3.4+deb13-amd64", "sid"));
        assert!(of("sid", "7.2.13+deb14-cloud-amd64", "sid"));
        assert!(of("sid/rt", "7.2.13+deb14-rt-amd64", "sid"));
        assert!(!of("sid/rt", "7.2.13+deb14-cloud-amd64", "sid"));
        assert!(!of("sid", "7.2.13+deb14-cloud-amd64", "sidney"));
        assert!(Selector::parse("6.1-rt").names("6.1.0-56-rt-amd64"));
        assert!(!Selector::parse("sid").names("7.2.13+deb14-rt-amd64"));
        for (what, release, is_named) in [
            ("rt", "6.1.0-56-rt-amd64", true),
            ("rt", "6.1.0-56-amd64", false),
            ("debug", "6.12.117-debug", true),
            ("6.12-debug", "6.12.117-debug", true),
            ("6.12.117-debug", "6.12.117-debug", true),
            ("6.1-debug", "6.12.117-debug", false),
            ("debug", "6.12.117-kcsan", false),
        ] {
            assert_eq!(Selector::parse(what).names(release), is_named, "{what}");
        }
    }

    #[test]
    fn flavours() {
        assert_eq!(flavour("6.1.0-56-cloud-amd64"), Some(0));
        assert_eq!(flavour("6.1.0-56-amd64"), Some(1));
        assert_eq!(flavour("6.1.0-56-rt-amd64"), Some(3));
        assert_eq!(flavour("6.12.117"), None);
    }

    #[test]
    fn short_names_are_different() {
        let releases = [
            "6.1.0-56-cloud-amd64",
            "6.1.0-56-rt-amd64",
            "6.12.117+deb12-cloud-amd64",
            "6.12.120+deb12-cloud-amd64",
            "7.3.4+deb13-amd64",
            "6.12.0-koru",
        ];
        let [_, _, first, second, _, own] = releases;
        assert_eq!(
            short_names(&releases),
            ["6.1-cloud", "6.1-rt", first, second, "7.3-generic", own]
        );
    }

    #[test]
    fn newest_by_number() {
        let mut v = vec!["6.12.99+deb12", "6.1.0-9", "6.12.117+deb12", "6.1.0-56"];
        v.sort_by(|a, b| compare(a, b));
        assert_eq!(
            v,
            ["6.1.0-9", "6.1.0-56", "6.12.99+deb12", "6.12.117+deb12"]
        );
    }
}
