// SPDX-License-Identifier: MIT OR Apache-2.0

//! The distribution's kernels: which packages a kernel consists of, and how to make them
//! usable.

use std::{fs, path::Path};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{
    Apt, nearest,
    release::{Selector, compare, flavour},
};

/// Returns all releases of which apt knows headers.
pub(crate) fn releases(apt: &Apt) -> Result<Vec<String>> {
    Ok(apt
        .names("linux-headers-")?
        .into_iter()
        .filter_map(|n| n.strip_prefix("linux-headers-").map(str::to_owned))
        // `6.12-amd64` is a name for the newest of its kind.
        .filter(|r| flavour(r).is_some() && r.matches('.').count() >= 2)
        .collect())
}

/// Returns the newest of the best flavour of the `releases` that `what` selects and that can be
/// had.
pub(crate) fn best_release(apt: &Apt, what: &str, releases: &[String]) -> Option<String> {
    let selector = Selector::parse(what);
    let mut matching: Vec<&String> = releases.iter().filter(|r| selector.selects(r)).collect();
    matching.sort_by(|a, b| flavour(b).cmp(&flavour(a)).then_with(|| compare(a, b)));
    let found = matching
        .into_iter()
        .rev()
        .find(|r| image_package(apt, r).is_some() && apt.available(&format!("linux-headers-{r}")));
    found.cloned()
}

/// Returns the error that there is no such kernel, with the nearest of `releases`.
pub(crate) fn unknown(what: &str, releases: &[String]) -> Error {
    let near = nearest(what, releases.iter().map(String::as_str));
    Error::new(
        Kind::Usage,
        format!("looking for the kernel `{what}` among the distribution's packages"),
        "apt knows no headers and image of this version",
    )
    .help(if releases.is_empty() {
        "apt knows no kernels at all: `apt-get update` as root".to_owned()
    } else if near.is_empty() {
        "`koru kernel search` lists the kernels that can be had".to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    })
}

fn image_package(apt: &Apt, release: &str) -> Option<String> {
    ["linux-image-", "linux-image-unsigned-"]
        .iter()
        .map(|p| format!("{p}{release}"))
        .find(|p| apt.available(p))
}

/// Returns the packages of a release: the image, the headers, and the kernel's own packages
/// that these need.
pub(crate) fn packages(apt: &Apt, release: &str) -> Result<Vec<String>> {
    let mut all = vec![format!("linux-headers-{release}")];
    all.extend(image_package(apt, release));
    // Distributions divide a kernel in different ways, the same one in others over time.
    let parts = [
        "linux-headers-",
        "linux-kbuild-",
        "linux-modules-",
        "linux-binary-",
    ];
    let mut next = 0;
    while next < all.len() {
        for name in apt.depends(&all[next])? {
            if parts.iter().any(|p| name.starts_with(p)) && !all.contains(&name) {
                all.push(name);
            }
        }
        next += 1;
    }
    Ok(all)
}

/// Makes unpacked packages usable in their folder, including those that an earlier version of
/// Koru unpacked.
pub(crate) fn settle(dir: &Path, release: &str) -> Result<()> {
    settle_headers(&dir.join("usr/src").join(format!("linux-headers-{release}")))?;
    let link = dir.join("tree");
    if link.is_symlink() {
        return Ok(());
    }
    std::os::unix::fs::symlink(format!("usr/src/linux-headers-{release}"), &link)
        .path_context("linking", &link)
}

/// Makes an unpacked build directory usable where it is.
pub(crate) fn settle_headers(headers: &Path) -> Result<()> {
    let makefile = headers.join("Makefile");
    let text = fs::read_to_string(&makefile).path_context("reading", &makefile)?;
    // Debian's Makefile has `include /usr/src/linux-headers-..-common/Makefile`, and since 7.1
    // `KBUILD_OUTPUT=/usr/src/linux-headers-..` before it. (A `=` would be expanded in files that
    // are included later.)
    let here = "$(dir $(abspath $(lastword $(MAKEFILE_LIST))))../";
    let moved = text.replace("include /usr/src/", &format!("include {here}"));
    let moved = moved.replace("KBUILD_OUTPUT=/usr/src/", &format!("KBUILD_OUTPUT:={here}"));
    if moved != text {
        fs::write(&makefile, moved).path_context("writing", &makefile)?;
    }
    // With a vmlinux, a plain `make` needs pahole, for type information that nobody reads
    // here. Without one, Kbuild prints a line about it and continues. (6.1's headers never had
    // one.)
    let vmlinux = headers.join("vmlinux");
    if vmlinux.is_file() {
        fs::remove_file(&vmlinux).path_context("removing", &vmlinux)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacked_packages_work_where_they_lie() {
        let dir = tempfile::tempdir().unwrap();
        let headers = dir.path().join("usr/src/linux-headers-6.12.1-x");
        fs::create_dir_all(&headers).unwrap();
        let makefile = headers.join("Makefile");
        fs::write(
            &makefile,
            "KBUILD_OUTPUT=/usr/src/linux-headers-6.12.1-x\n\
             include /usr/src/linux-headers-6.12.1-common/Makefile\n",
        )
        .unwrap();
        let mut before = String::new();
        // The second call stands for packages that an earlier version of Koru unpacked.
        for _ in 0..2 {
            fs::write(headers.join("vmlinux"), "types").unwrap();
            settle(dir.path(), "6.12.1-x").unwrap();
            assert!(!headers.join("vmlinux").exists());
            let text = fs::read_to_string(dir.path().join("tree/Makefile")).unwrap();
            assert!(
                text.ends_with("../linux-headers-6.12.1-common/Makefile\n"),
                "{text}"
            );
            assert!(!text.contains("/usr/src/"), "{text}");
            assert!(text.contains("../linux-headers-6.12.1-x\n"), "{text}");
            assert!(before.is_empty() || before == text, "{text}");
            before = text;
        }
    }
}
