// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernels of all suites of Debian's archive, whichever suite this machine has.
//!
//! Package lists of their own are in the cache, so the machine's apt is not touched. They come
//! from where the machine's own do, and are verified with the archive's keyring.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{
    Apt, Cache, Progress,
    packages::releases,
    process::run,
    release::{Selector, compare, flavour},
    write_atomically,
};

type Suite = (&'static str, bool);

/// The suites, and whether there is one with security updates beside each.
const SUITES: [Suite; 6] = [
    ("bullseye", true),
    ("bookworm", true),
    ("bookworm-backports", false),
    ("trixie", true),
    ("trixie-backports", false),
    ("sid", false),
];

/// Names a mirror for machines whose apt has none of Debian.
const MIRROR: &str = "KORU_DEBIAN_MIRROR";

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// How long package lists are used before they are fetched again.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// Debian's archive, with package lists in the cache.
#[derive(Debug)]
pub struct Archive {
    dir: PathBuf,
    apt: Apt,
}

/// One kernel that can be had.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Offered {
    pub release: String,
    /// The suites that have it, such as `trixie-backports`.
    pub suites: Vec<String>,
}

/// Where the packages are.
#[derive(Debug, PartialEq)]
pub struct Source {
    main: String,
    security: Option<String>,
}

impl Archive {
    /// Returns whether this is the name of a suite.
    pub fn has_suite(name: &str) -> bool {
        SUITES.iter().any(|(suite, _)| *suite == name)
    }

    /// Returns where this machine gets Debian's packages, if it does.
    pub fn source() -> Option<Source> {
        if let Some(main) = env::var(MIRROR).ok().filter(|m| !m.is_empty()) {
            return Some(Source {
                main,
                security: None,
            });
        }
        let targets = run(
            Apt::machine().command("apt-get").args([
                "indextargets",
                "--format",
                "$(REPO_URI) $(LABEL) $(COMPONENT)",
                "Created-By: Packages",
            ]),
            "asking apt for its sources",
        );
        source(&targets.ok()?.stdout)
    }

    /// Opens the archive for the suites that `what` selects. Their package lists are fetched if
    /// they are missing or older than a day.
    pub fn open(cache: &Cache, what: &str, progress: &dyn Progress) -> Result<Archive> {
        let dir = cache.root().join("archive");
        let archive = Archive {
            apt: Apt::with_settings(&dir.join("apt.conf")),
            dir,
        };
        let dir = &archive.dir;
        let attempted = "reading the archive's package lists";
        let _lock = cache.lock("archive", attempted, progress)?;
        let list = dir.join("sources.list");
        let settings = settings_in(dir, &list);
        write_atomically(&dir.join("apt.conf"), settings.as_bytes())?;
        let stamp = |suite: &str| dir.join(format!("updated-{suite}"));
        let is_old = |suite: &str| {
            let time = fs::metadata(stamp(suite)).and_then(|m| m.modified()).ok();
            let age = time.and_then(|time| time.elapsed().ok());
            age.is_none_or(|age| age >= FRESH)
        };
        let wanted = SUITES.iter().filter(|(suite, _)| is_meant(what, suite));
        let old: Vec<Suite> = wanted.filter(|(suite, _)| is_old(suite)).copied().collect();
        if old.is_empty() {
            return Ok(archive);
        }
        let source = Archive::source().ok_or_else(|| {
            let message = "this machine's apt has no source of Debian";
            Error::new(Kind::Missing, attempted, message).help(format!(
                "`apt-get update` as root if there are no package lists; elsewhere, \
                 {MIRROR}=URI names a mirror of Debian's archive"
            ))
        })?;
        if !Path::new(KEYRING).exists() {
            let message = format!("the archive's keys are missing ({KEYRING})");
            return Err(Error::new(Kind::Missing, attempted, message)
                .help("as root: apt-get install debian-archive-keyring"));
        }
        for folder in ["lists/partial", "cache/archives/partial"] {
            let folder = dir.join(folder);
            fs::create_dir_all(&folder).path_context("making", &folder)?;
        }
        let some = dir.join("update.list");
        write_atomically(&list, sources(&source, &SUITES).as_bytes())?;
        write_atomically(&some, sources(&source, &old).as_bytes())?;
        let names: Vec<&str> = old.iter().map(|(suite, _)| *suite).collect();
        progress.status(&format!(
            "fetching the package lists of Debian's {}",
            names.join(", ")
        ));
        let mut update = archive.apt.command("apt-get");
        update
            .args(["-q", "update", "-o", "APT::Get::List-Cleanup=0", "-o"])
            .arg(format!("Dir::Etc::sourcelist={}", some.display()));
        let updated = run(&mut update, attempted);
        // One suite may be gone while the others are there.
        let missing = archive.missing(what)?;
        let mut fetched = names.iter().filter(|suite| !missing.contains(suite));
        match updated {
            Err(e) if fetched.clone().next().is_none() => Err(e.help("check the network")),
            _ => {
                fetched.try_for_each(|suite| write_atomically(&stamp(suite), b""))?;
                Ok(archive)
            }
        }
    }

    pub fn apt(&self) -> &Apt {
        &self.apt
    }

    /// Returns the kernels that `what` selects, oldest first: a suite, a version, both as
    /// `trixie/7.3`, each with or without a flavour (`6.1-rt`, `sid/cloud`); all if it is empty.
    pub fn offered(&self, what: &str) -> Result<Vec<Offered>> {
        let names = releases(&self.apt)?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let headers = names.iter().map(|name| format!("linux-headers-{name}"));
        let table = run(
            self.apt.command("apt-cache").arg("madison").args(headers),
            "asking apt for kernels",
        )?;
        Ok(offered(&table.stdout, what))
    }

    /// Returns the suite whose tools built a kernel: without `-security` and `-backports`.
    pub(crate) fn base_suite(&self, release: &str) -> Result<Option<&'static str>> {
        let table = run(
            self.apt
                .command("apt-cache")
                .args(["madison", &format!("linux-headers-{release}")]),
            "asking apt for kernels",
        )?;
        let offered = offered(&table.stdout, release);
        let suites = offered.first().map_or(&[][..], |offered| &offered.suites);
        let base = suites.iter().find_map(|suite| base(suite));
        Ok(base)
    }

    /// Returns an apt that knows only this suite and its security updates.
    pub(crate) fn in_suite(&self, suite: &str) -> Result<Apt> {
        let all = self.dir.join("sources.list");
        let all = fs::read_to_string(&all).path_context("reading", &all)?;
        let lines = sources_of(&all, suite);
        let list = self.dir.join(format!("{suite}.list"));
        write_atomically(&list, lines.as_bytes())?;
        let settings = self.dir.join(format!("apt-{suite}.conf"));
        write_atomically(&settings, settings_in(&self.dir, &list).as_bytes())?;
        Ok(Apt::with_settings(&settings))
    }

    /// Returns the suites that `what` selects of which there is no package list: the archive has
    /// them no more, or they could not be fetched.
    pub fn missing(&self, what: &str) -> Result<Vec<&'static str>> {
        let there = run(
            self.apt.command("apt-get").args([
                "indextargets",
                "--format",
                "$(CODENAME) $(FILENAME)",
                "Created-By: Packages",
            ]),
            "asking apt for its suites",
        )?;
        let lists: Vec<(&str, &str)> = there
            .stdout
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, file)| is_list(Path::new(file)))
            .collect();
        let has = |suite: &str| lists.iter().any(|(name, _)| *name == suite);
        let all = SUITES.iter().map(|(suite, _)| *suite);
        Ok(all
            .filter(|suite| is_meant(what, suite) && !has(suite))
            .collect())
    }
}

/// Returns whether there is a package list, which may be compressed.
fn is_list(file: &Path) -> bool {
    ["", ".gz", ".xz", ".lz4", ".zst"].iter().any(|ending| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name).is_file()
    })
}

/// Finds the archive among apt's sources, one a line: address, label, component.
fn source(targets: &str) -> Option<Source> {
    let of = |label: &str| {
        let mut lines = targets.lines().map(|line| {
            let mut words = line.split(' ');
            (words.next(), words.next(), words.next())
        });
        let found = lines.find(|(_, l, c)| *l == Some(label) && *c == Some("main"));
        found.and_then(|(address, _, _)| address).map(str::to_owned)
    };
    Some(Source {
        main: of("Debian")?,
        security: of("Debian-Security"),
    })
}

fn sources(source: &Source, suites: &[Suite]) -> String {
    let line = |address: &str, suite: &str| {
        format!("deb [arch=amd64 signed-by={KEYRING}] {address} {suite} main\n")
    };
    let mut text = String::new();
    for (suite, has_security) in suites {
        text += &line(&source.main, suite);
        if let Some(security) = source.security.as_ref().filter(|_| *has_security) {
            text += &line(security, &format!("{suite}-security"));
        }
    }
    text
}

/// Returns the lines of [`sources`] for one suite and its security updates.
fn sources_of(all: &str, suite: &str) -> String {
    let is_meant = |line: &&str| {
        let named = line.split(' ').rev().nth(1).unwrap_or_default();
        named == suite || named.strip_suffix("-security") == Some(suite)
    };
    let lines = all.lines().filter(is_meant);
    lines.map(|line| format!("{line}\n")).collect()
}

fn settings_in(dir: &Path, list: &Path) -> String {
    // apt takes a quotation mark or a backslash in a path for the end of the setting.
    // A machine's settings can turn apt's cache off, without which each question takes seconds.
    let name = list.file_stem().unwrap_or_default().to_string_lossy();
    let (dir, list) = (dir.display(), list.display());
    format!(
        "Dir::State \"{dir}\";\n\
         Dir::State::status \"/dev/null\";\n\
         Dir::State::lists \"{dir}/lists\";\n\
         Dir::Cache \"{dir}/cache\";\n\
         Dir::Cache::pkgcache \"{name}.bin\";\n\
         Dir::Cache::srcpkgcache \"\";\n\
         Dir::Etc::sourcelist \"{list}\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Dir::Etc::preferences \"/dev/null\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::GzipIndexes \"true\";\n\
         Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
         Acquire::IndexTargets::deb::CNF::DefaultEnabled \"false\";\n\
         Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled \"false\";\n\
         APT::Sandbox::User \"root\";\n"
    )
}

/// Returns the suite to which one with updates or backports adds.
fn base(suite: &str) -> Option<&'static str> {
    let whole = SUITES.iter().map(|(whole, _)| *whole);
    let mut bases = whole.filter(|base| !base.contains('-'));
    bases.find(|base| Selector::parse(base).is_in(suite))
}

/// Returns whether `what` selects kernels of this suite.
fn is_meant(what: &str, suite: &str) -> bool {
    what.is_empty() || Selector::parse(what).is_in(suite)
}

/// Reads apt's table of packages, whose lines are `NAME | VERSION | ADDRESS SUITE/main amd64
/// Packages`.
fn offered(table: &str, what: &str) -> Vec<Offered> {
    let mut all: Vec<Offered> = Vec::new();
    for line in table.lines() {
        let mut columns = line.split('|').map(str::trim);
        let (Some(name), _, Some(place)) = (columns.next(), columns.next(), columns.next()) else {
            continue;
        };
        let release = name.strip_prefix("linux-headers-");
        let suite = place.split(' ').nth(1).and_then(|s| s.split('/').next());
        let (Some(release), Some(suite)) = (release, suite) else {
            continue;
        };
        if !is_meant(what, suite) || !(what.is_empty() || Selector::parse(what).selects(release)) {
            continue;
        }
        match all.iter_mut().find(|o| o.release == release) {
            Some(known) if known.suites.iter().any(|s| s == suite) => {}
            Some(known) => known.suites.push(suite.to_owned()),
            None => all.push(Offered {
                release: release.to_owned(),
                suites: vec![suite.to_owned()],
            }),
        }
    }
    all.sort_by(|a, b| {
        let by_release = compare(&a.release, &b.release);
        by_release.then_with(|| flavour(&a.release).cmp(&flavour(&b.release)))
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_this_machine() {
        let targets = "http://m/debian/ Debian main\nhttp://m/debian/ Debian contrib\n\
                       http://s/security/ Debian-Security main\nhttp://x/ Other main\n";
        let found = source(targets).unwrap();
        assert_eq!(found.main, "http://m/debian/");
        assert_eq!(found.security.as_deref(), Some("http://s/security/"));
        let text = sources(&found, &SUITES);
        assert!(
            text.contains("] http://m/debian/ trixie-backports main\n"),
            "{text}"
        );
        assert!(
            text.contains("] http://s/security/ trixie-security main\n"),
            "{text}"
        );
        assert!(!text.contains("sid-security"), "{text}");
        let one = sources_of(&text, "trixie");
        assert!(one.contains("/debian/ trixie main\n"), "{one}");
        assert!(one.contains("/security/ trixie-security main\n"), "{one}");
        assert_eq!(one.lines().count(), 2, "{one}");
        assert_eq!(source("http://x/ Ubuntu main\n"), None);
    }

    #[test]
    fn suites_and_their_bases() {
        for (suite, of) in [
            ("trixie-backports", Some("trixie")),
            ("bookworm-security", Some("bookworm")),
            ("sid", Some("sid")),
            ("other", None),
        ] {
            assert_eq!(base(suite), of, "{suite}");
        }
    }

    #[test]
    fn kernels_in_apts_table() {
        let table = "\
linux-headers-6.12.117+deb13-amd64 | 6.12.117-1 | http://s trixie-security/main amd64 Packages
linux-headers-6.12.117+deb13-amd64 | 6.12.117-1 | http://m trixie/main amd64 Packages
linux-headers-5.10.0-32-cloud-amd64 | 5.10.2 | http://m bullseye/main amd64 Packages
linux-headers-7.3.4+deb13-cloud-amd64 | 7.3.4-1 | http://m trixie-backports/main amd64 Packages
";
        let of = |what: &str| {
            let all = offered(table, what).into_iter();
            all.map(|o| format!("{} {}", o.release, o.suites.join(",")))
                .collect::<Vec<_>>()
        };
        let five = "5.10.0-32-cloud-amd64 bullseye";
        let six = "6.12.117+deb13-amd64 trixie-security,trixie";
        let seven = "7.3.4+deb13-cloud-amd64 trixie-backports";
        assert_eq!(of(""), [five, six, seven]);
        assert_eq!(of("trixie"), [six, seven]);
        assert_eq!(of("trixie/7"), [seven]);
        assert_eq!(of("5.10"), [five]);
        assert_eq!(of("5.10-rt"), [""; 0]);
        assert_eq!(of("sid"), [""; 0]);
    }
}
