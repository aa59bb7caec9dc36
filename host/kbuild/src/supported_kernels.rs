// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernels that a module supports, as its Cargo.toml says:
//!
//! ```toml
//! [package.metadata.koru]
//! kernels = ["5.10..=6.1", "6.12-rt"]
//! ```

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelRange, nearest};
use serde::{Deserialize, de::DeserializeOwned};
use toml::{Spanned, Value};

const KEY: &str = "kernels";

/// The keys in the same table that say something else.
const OTHERS: [&str; 3] = ["cpus", "guest", "stage"];

/// The kernels that a module supports, as its Cargo.toml says.
#[derive(Debug, Clone, PartialEq)]
pub struct SupportedKernels {
    ranges: Vec<KernelRange>,
    manifest: PathBuf,
    line: usize,
}

impl SupportedKernels {
    /// Reads what a Cargo.toml says, if anything. A file that cannot be read is left to cargo to
    /// report.
    ///
    /// # Errors
    ///
    /// `Kind::Usage` with the line, if it says something that is no list of ranges.
    pub fn of(manifest: &Path) -> Result<Option<SupportedKernels>> {
        let text = fs::read_to_string(manifest).unwrap_or_default();
        read(&text, manifest)
    }

    /// Returns whether a kernel of this release is one of them.
    pub fn include(&self, release: &str) -> bool {
        self.ranges.iter().any(|range| range.includes(release))
    }

    /// Returns where the Cargo.toml says so, as `FILE:LINE`, seen from the folder `here`.
    pub fn place(&self, here: &Path) -> String {
        let manifest = self.manifest.strip_prefix(here).unwrap_or(&self.manifest);
        format!("{}:{}", manifest.display(), self.line)
    }

    /// Returns why a kernel is not supported.
    pub fn refusal(&self) -> String {
        format!("its Cargo.toml says that it supports {self}")
    }
}

impl fmt::Display for SupportedKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<String> = self.ranges.iter().map(|r| format!("`{r}`")).collect();
        ranges.join(", ").fmt(f)
    }
}

#[derive(Deserialize)]
struct Manifest<T> {
    package: Option<Package<T>>,
}

#[derive(Deserialize)]
struct Package<T> {
    metadata: Option<Metadata<T>>,
}

#[derive(Deserialize)]
struct Metadata<T> {
    koru: Option<T>,
}

#[derive(Deserialize)]
struct List {
    kernels: Vec<Spanned<Value>>,
}

/// Returns the table `package.metadata.koru`, if it is there and is of this type.
fn table<T: DeserializeOwned>(text: &str) -> Option<T> {
    let manifest: Manifest<T> = toml::from_str(text).ok()?;
    manifest.package?.metadata?.koru
}

fn read(text: &str, manifest: &Path) -> Result<Option<SupportedKernels>> {
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let fail = |at: usize, message: String| {
        let attempted = format!("reading {}:{}", manifest.display(), line(at));
        Error::new(Kind::Usage, attempted, message)
    };
    let Some(keys) = table::<BTreeMap<Spanned<String>, Spanned<Value>>>(text) else {
        return Ok(None);
    };
    for key in keys.keys() {
        let name = key.get_ref().as_str();
        let known = name == KEY || OTHERS.contains(&name);
        if !known && !nearest(name, [KEY]).is_empty() {
            let message = format!("there is no setting `{name}`");
            return Err(fail(key.span().start, message).help(format!("did you mean `{KEY}`?")));
        }
    }
    let Some((key, value)) = keys.iter().find(|(key, _)| key.get_ref() == KEY) else {
        return Ok(None);
    };
    let written = |value: &Spanned<Value>| match value.get_ref() {
        Value::String(text) => text.clone(),
        // What is written may say more than its value: 6.10.
        _ => text[value.span()].to_owned(),
    };
    let Some(List { kernels }) = table(text) else {
        let message = format!("`{KEY}` is no list");
        let written = written(value);
        let meant = match KernelRange::parse(&written) {
            Ok(_) => Some(written),
            Err(no) => no.instead,
        };
        let meant = meant.unwrap_or_else(|| "5.10..".to_owned());
        let help = format!("write `{KEY} = [\"{meant}\"]`");
        return Err(fail(value.span().start, message).help(help));
    };
    if kernels.is_empty() {
        let message = "the list is empty, so no kernel would be supported";
        return Err(fail(value.span().start, message.into())
            .help(format!("leave `{KEY}` out if every kernel is supported")));
    }
    let range = |item: &Spanned<Value>| {
        let at = item.span().start;
        let written = written(item);
        match (KernelRange::parse(&written), item.get_ref()) {
            (Ok(range), Value::String(_)) => Ok(range),
            (Ok(_), _) => {
                Err(fail(at, format!("{written} is no text")).help(format!("write \"{written}\"")))
            }
            (Err(no), _) => Err(fail(at, no.message).help(match no.instead {
                Some(instead) => format!("write \"{instead}\""),
                None => "write a version or a range: \"6.1\", \"5.10..\", \"..=6.12\", \
                         \"5.10..=7.3\", \"6.12-rt\""
                    .to_owned(),
            })),
        }
    };
    Ok(Some(SupportedKernels {
        ranges: kernels.iter().map(range).collect::<Result<_>>()?,
        manifest: manifest.to_owned(),
        line: line(key.span().start),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(koru: &str) -> Result<Option<SupportedKernels>> {
        let text = format!("[package]\nname = \"m\"\n\n[package.metadata.koru]\n{koru}\n");
        read(&text, Path::new("m/Cargo.toml"))
    }

    #[test]
    fn kernels_of_a_manifest() {
        let some = of("guest = true\nkernels = [\n  \"5.10..=6.1\",\n  \"6.12-rt\",\n]");
        let some = some.unwrap().unwrap();
        assert!(some.include("6.1.0-56-cloud-amd64"));
        assert!(!some.include("6.12.117+deb12-cloud-amd64"));
        assert!(some.include("6.12.117+deb12-rt-amd64"));
        assert_eq!(some.place(Path::new("m")), "Cargo.toml:6");
        assert_eq!(some.to_string(), "`5.10..=6.1`, `6.12-rt`");
        assert_eq!(of("guest = true").unwrap(), None);
        assert_eq!(of("stage = \"doc\"").unwrap(), None);
        let path = Path::new("Cargo.toml");
        for text in ["", "[package", "[workspace]\n", "[package]\nname = \"m\"\n"] {
            assert_eq!(read(text, path).unwrap(), None, "{text}");
        }
        let place = |text| read(text, path).unwrap().unwrap().place(Path::new("/"));
        let short = "[package]\nname = \"m\"\nmetadata.koru.kernels = [\"6.1..\"]\n";
        assert_eq!(place(short), "Cargo.toml:3");
    }

    #[test]
    fn errors_name_the_line_and_the_nearest_right_form() {
        for (koru, line, help) in [
            (
                "kernels = [\n  \"6.1\",\n  \"5.10-7.3\",\n]",
                7,
                "write \"5.10..=7.3\"",
            ),
            ("kernels = [6.10]", 5, "write \"6.10\""),
            ("kernels = \">=5.10\"", 5, "write `kernels = [\"5.10..\"]`"),
            ("kernels = 6.1", 5, "write `kernels = [\"6.1\"]`"),
            ("kernels = []", 5, "leave `kernels` out"),
            ("kernels = [\"new\"]", 5, "write a version or a range"),
            (
                "guest = true\nkernel = [\"6.1\"]",
                6,
                "did you mean `kernels`?",
            ),
        ] {
            let error = of(koru).expect_err(koru);
            assert_eq!(error.kind, Kind::Usage);
            assert_eq!(
                error.context,
                format!("reading m/Cargo.toml:{line}"),
                "{koru}"
            );
            let said = error.help.as_deref().unwrap_or_default();
            assert!(said.contains(help), "{koru}: {error:?}");
        }
    }
}
