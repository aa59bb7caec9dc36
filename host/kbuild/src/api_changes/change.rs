// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the table of changes is made of.

use std::fmt;

use super::{
    c_source::{CSource, Replacement},
    diagnostic::{Diagnostic, Trouble},
};

/// A version of Linux: 6.12, or 2.6.36.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub u16, pub u16, pub u16);

impl Version {
    /// Reads the version at the beginning of a release.
    pub fn of_release(release: &str) -> Option<Version> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        let mut next = || numbers.next()?.parse().ok();
        let (major, minor) = (next()?, next()?);
        // Since 3.0 the third number is that of a stable release, which changes no API.
        let third = if major < 3 { next().unwrap_or(0) } else { 0 };
        Some(Version(major, minor, third))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)?;
        match self.2 {
            0 => Ok(()),
            third => write!(f, ".{third}"),
        }
    }
}

/// Returns 4.15 for `v(4, 15)`.
pub(super) const fn v(major: u16, minor: u16) -> Version {
    Version(major, minor, 0)
}

/// The kernels on which a change explains an error.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// This version and later ones: the code is older than the kernel.
    Since(Version),
    /// Versions before this one: the code is newer than the kernel.
    Before(Version),
    /// All that Koru knows.
    Always,
}

impl When {
    pub fn is_on(self, version: Version) -> bool {
        match self {
            When::Since(since) => since <= version,
            When::Before(before) => version < before,
            When::Always => true,
        }
    }
}

/// A change of the kernel's API, and how it shows in a compiler's errors.
pub(super) struct Change {
    pub when: When,
    /// Any of these is enough.
    pub signs: &'static [Sign],
    /// A sentence without its end, which follows on "since Linux 5.6, ".
    pub what: &'static str,
    /// The first of these that changes something is shown.
    pub rewrites: &'static [Rewrite],
    /// A header that the rewritten code needs, or nothing.
    pub include: &'static str,
    /// What to write where no rewrite fits, or nothing.
    pub example: &'static str,
}

/// A sign of a change in an error.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// An unknown function, variable, macro or type.
    Name(&'static str),
    /// A type without this member.
    Member(&'static str, &'static str),
    Incomplete(&'static str),
    /// Wrong arguments of this function or macro.
    Arguments(&'static str),
    /// The type that is wanted and the one that is given have these parts.
    Types(&'static str, &'static str),
    Header(&'static str),
    ReadOnly(&'static str),
    /// The value of this function is used, which has none.
    Void(&'static str),
    /// An error of another kind in a statement with this macro.
    Statement(&'static str),
    /// A symbol that modpost does not find.
    Symbol(&'static str),
}

impl Sign {
    pub fn is_in(&self, diagnostic: &Diagnostic, source: Option<&CSource>) -> bool {
        // Where a compiler does not name the function or type, the statement does.
        let statement = |word: &str| {
            source.is_some_and(|s| !s.words(word, s.statement(diagnostic.line)).is_empty())
        };
        match (*self, &diagnostic.trouble) {
            (Sign::Name(name), Trouble::Name(found)) => name == found,
            (
                Sign::Member(of, name),
                Trouble::Member {
                    of: found_of,
                    name: found,
                },
            ) => name == found && (of == found_of || found_of.is_empty()),
            (Sign::Incomplete(tag), Trouble::Incomplete(found)) => {
                tag == found || (found.is_empty() && statement(tag))
            }
            (Sign::Arguments(name), Trouble::Arguments(found)) => {
                name == found || (found.is_empty() && statement(name))
            }
            (Sign::Types(wanted, given), _) => {
                !diagnostic.wanted.is_empty()
                    && diagnostic.wanted.contains(wanted)
                    && diagnostic.given.contains(given)
            }
            (Sign::Header(header), Trouble::Header(found)) => header == found,
            (Sign::ReadOnly(name), Trouble::ReadOnly(found)) => found.contains(name),
            (Sign::Void(name), Trouble::Void)
            | (Sign::Statement(name), Trouble::Other | Trouble::Types) => statement(name),
            _ => false,
        }
    }
}

/// A way to rewrite the user's own line.
pub(super) enum Rewrite {
    /// Replaces words.
    Words(&'static [(&'static str, &'static str)]),
    /// Replaces a call with this many arguments. `$1` is the first of them.
    Call(&'static str, usize, &'static str),
    /// Replaces the name of a member, but no variable of that name.
    Member(&'static str, &'static str),
    /// Removes the member of an initialiser.
    DropMember(&'static str),
    Custom(fn(&Site<'_>) -> Vec<Replacement>),
}

/// A change without anything, from which the table's entries begin.
pub(super) const NONE: Change = Change {
    when: When::Always,
    signs: &[],
    what: "",
    rewrites: &[],
    include: "",
    example: "",
};

/// A function, type or macro that got another name and kept its meaning.
pub(super) struct Rename {
    pub old: &'static str,
    pub new: &'static str,
    /// The first version with the new name.
    pub added: Version,
    /// The first version without the old name.
    pub removed: Version,
    /// The header of the new name, if it is another one.
    pub include: &'static str,
    /// What else is different, which follows on the names, or nothing.
    pub note: &'static str,
}

/// The place of an error.
pub(super) struct Site<'a> {
    pub source: &'a CSource,
    pub line: usize,
}
