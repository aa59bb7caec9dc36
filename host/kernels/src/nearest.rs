// SPDX-License-Identifier: MIT OR Apache-2.0

//! Suggests names in place of a misspelled one.

/// Returns the names nearest to `wanted`, the best first: at most three, and none that is much
/// farther than the best.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|n| {
            let contained = !wanted.is_empty() && n.contains(wanted);
            let score = strsim::jaro_winkler(wanted, n);
            (if contained { score.max(0.9) } else { score }, n)
        })
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.truncate(3);
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored.retain(|(score, _)| *score > best - 0.1);
    scored.into_iter().map(|(_, n)| n).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_typing_errors() {
        assert_eq!(nearest("helo", ["hello", "my_timer"]), ["hello"]);
        assert_eq!(nearest("helo", ["elevator", "hello", "jiffies"]), ["hello"]);
        assert_eq!(nearest("timer", ["hello", "my_timer"]), ["my_timer"]);
        assert!(nearest("zzz", ["hello", "my_timer"]).is_empty());
    }
}
