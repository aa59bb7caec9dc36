// SPDX-License-Identifier: MIT OR Apache-2.0

//! Chooses the folder for cargo's outputs.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use koru_error::{Errno, Error, IoContext, Kind, Result};
use koru_kernels::Home;
use rustix::fs::{Access, access};
use sha2::{Digest, Sha256};

/// Returns the folder for what cargo builds: `wanted`, or a folder of the user's cache that
/// stands for it if cargo cannot build in `wanted`. That is so if the user may not write there,
/// as in a checkout that several users share, or if there is a colon in its path, which cargo
/// puts into a list that colons separate.
pub fn usable_target_dir(home: &Home, wanted: &Path) -> PathBuf {
    let has_colon = wanted.as_os_str().as_bytes().contains(&b':');
    if !has_colon && is_writable(wanted) {
        return wanted.to_owned();
    }
    // The `koru` script computes the same path.
    let hash = Sha256::digest(wanted.as_os_str().as_bytes());
    let name: String = hash[..12].iter().map(|b| format!("{b:02x}")).collect();
    home.cache.join("targets").join(name)
}

/// Makes folders in a target folder, each in the one before. Sources may come with a target folder
/// of their own, and a symbolic link in it would lead koru, which removes and writes there, to
/// folders of the user's.
pub fn make_real_folders(target: &Path, names: &[&str]) -> Result<()> {
    fs::create_dir_all(target).path_context("making", target)?;
    let mut path = target.to_owned();
    for name in names {
        path.push(name);
        if path.is_symlink() {
            let attempted = format!("building in {}", target.display());
            let message = format!("{} is a symbolic link", path.display());
            return Err(Error::new(Kind::Usage, attempted, message).help("remove it"));
        }
        fs::create_dir_all(&path).path_context("making", &path)?;
    }
    Ok(())
}

/// Returns whether the user may write in a target folder, or may make it, and in Koru's own
/// folders in it.
fn is_writable(target: &Path) -> bool {
    let koru = target.join("koru");
    let releases = fs::read_dir(&koru).into_iter().flatten().flatten();
    let inside = releases.map(|e| e.path()).filter(|p| p.is_dir());
    let writable = |path: &Path| access(path, Access::WRITE_OK | Access::EXEC_OK);
    let nearest = target.ancestors().map(writable);
    let mut known = nearest.skip_while(|found| *found == Err(Errno::NOENT));
    known.next().is_some_and(|found| found.is_ok())
        && [koru].into_iter().chain(inside).all(|path| {
            let found = writable(&path);
            found.is_ok() || found == Err(Errno::NOENT)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_a_target_folder_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let [target, elsewhere] = ["target", "elsewhere"].map(|name| dir.path().join(name));
        make_real_folders(&target, &["koru", "6.1"]).unwrap();
        make_real_folders(&target, &["koru", "6.1", "cargo"]).unwrap();
        assert!(target.join("koru/6.1/cargo").is_dir());
        fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, target.join("koru/6.12")).unwrap();
        let error = make_real_folders(&target, &["koru", "6.12", "cargo"]).unwrap_err();
        assert!(error.message.contains("koru/6.12 is a symbolic link"));
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        // The user may well have the target folder itself on another disk.
        let linked = dir.path().join("linked");
        std::os::unix::fs::symlink(&elsewhere, &linked).unwrap();
        make_real_folders(&linked, &["koru"]).unwrap();
    }

    #[test]
    fn colon_leads_to_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home {
            root: dir.path().to_owned(),
            cache: dir.path().join("cache"),
        };
        let plain = dir.path().join("not/yet/target");
        assert_eq!(usable_target_dir(&home, &plain), plain);
        let odd = dir.path().join("a:b/target");
        let chosen = usable_target_dir(&home, &odd);
        assert_eq!(chosen.parent(), Some(&*home.cache.join("targets")));
        assert_eq!(usable_target_dir(&home, &odd), chosen);
        let other = usable_target_dir(&home, &dir.path().join("a:c/target"));
        assert_ne!(other, chosen);
        // Nobody, not even root, can make a folder in a file.
        let nobodys = Path::new("/dev/null/target");
        assert_ne!(usable_target_dir(&home, nobodys), nobodys);
    }
}
