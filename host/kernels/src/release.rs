// SPDX-License-Identifier: MIT OR Apache-2.0

//! Kernel releases: their order, their flavours, and what selects them.

use std::cmp::Ordering;

/// The flavours of distribution kernels, the best for a guest first.
const FLAVOURS: [&str; 4] = ["-cloud-amd64", "-amd64", "-generic", "-rt-amd64"];

/// Returns the index of a release's flavour in [`FLAVOURS`].
pub(crate) fn flavour(release: &str) -> Option<usize> {
    let fitting = FLAVOURS.iter().enumerate();
    let fitting = fitting.filter(|(_, f)| release.ends_with(**f));
    // `-rt-amd64` ends in `-amd64` as well.
    fitting.max_by_key(|(_, f)| f.len()).map(|(i, _)| i)
}

/// Returns whether `selector` is `release`, or a beginning of it that ends where a number or a
/// word ends: `6.1` selects `6.1.0-56` but not `6.12`.
pub(crate) fn selects(selector: &str, release: &str) -> bool {
    release.strip_prefix(selector).is_some_and(|rest| {
        !selector.is_empty() && !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// Orders releases as people do: by the values of their numbers.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let numbers = |s: &str| -> Vec<u64> {
        s.split(|c: char| !c.is_ascii_digit())
            .filter(|p| !p.is_empty())
            .map(|p| p.parse().unwrap_or(u64::MAX))
            .collect()
    };
    numbers(a).cmp(&numbers(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn flavours() {
        assert_eq!(flavour("6.1.0-56-cloud-amd64"), Some(0));
        assert_eq!(flavour("6.1.0-56-amd64"), Some(1));
        assert_eq!(flavour("6.1.0-56-rt-amd64"), Some(3));
        assert_eq!(flavour("6.12.117"), None);
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
