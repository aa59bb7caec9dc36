// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kinds of kernels that Koru builds, and their configurations.

use crate::{Archive, release::Selector};

/// What every such kernel has.
pub(super) const BASE: &str = include_str!("base.config");

/// A kind of kernel that Koru can build.
#[derive(Debug)]
pub struct DebugFlavour {
    /// The word for it, with which its releases end.
    pub(super) name: &'static str,
    pub(super) config: &'static str,
}

pub(super) const FLAVOURS: [DebugFlavour; 2] = [
    DebugFlavour {
        name: "debug",
        config: include_str!("debug.config"),
    },
    DebugFlavour {
        name: "kcsan",
        config: include_str!("kcsan.config"),
    },
];

impl DebugFlavour {
    /// Returns the flavour that a user names with `debug`, `6.1-debug` or `trixie/kcsan`, if it is
    /// one of those that Koru builds.
    pub fn of(what: &str) -> Option<&'static DebugFlavour> {
        let selector = Selector::parse(what);
        // A path is none.
        let is_suite = selector.suite.is_none_or(Archive::has_suite);
        let named = selector.flavour.filter(|_| is_suite);
        FLAVOURS.iter().find(|flavour| Some(flavour.name) == named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavours_that_are_built() {
        let name = |what: &str| DebugFlavour::of(what).map(|flavour| flavour.name);
        for (what, named) in [
            ("debug", Some("debug")),
            ("6.1-debug", Some("debug")),
            ("trixie/kcsan", Some("kcsan")),
            ("6.12.117-debug", Some("debug")),
            ("6.1-rt", None),
            ("trixie", None),
            ("6.12", None),
            ("./debug", None),
        ] {
            assert_eq!(name(what), named, "{what}");
        }
    }
}
