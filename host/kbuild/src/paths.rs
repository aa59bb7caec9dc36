// SPDX-License-Identifier: MIT OR Apache-2.0

//! Formats paths for messages.

use std::{env, path::Path};

/// Returns a source file's path relative to the current folder, if the file is below it.
pub(crate) fn shortened(file: &str) -> String {
    let here = env::current_dir().unwrap_or_default();
    let short = Path::new(file).strip_prefix(here).ok();
    short.map_or(file.to_owned(), |f| f.display().to_string())
}

/// Returns the top of the git repository that a folder is in. A repository that holds the user's
/// home, or everything, does not count: it is more than a build may read.
pub fn repository(folder: &Path) -> Option<&Path> {
    let home = env::var_os("HOME").unwrap_or_default();
    repository_but_for(folder, Path::new(&home))
}

fn repository_but_for<'a>(folder: &'a Path, home: &Path) -> Option<&'a Path> {
    let top = folder.ancestors().find(|dir| dir.join(".git").exists());
    top.filter(|top| top.parent().is_some() && !home.starts_with(top))
}

/// Returns the name of a module as the name of its file says it.
pub fn module_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    stem.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_of_a_home_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("home/work/lab");
        std::fs::create_dir_all(&folder).unwrap();
        let home = dir.path().join("home");
        assert_eq!(repository_but_for(&folder, &home), None);
        std::fs::create_dir(home.join(".git")).unwrap();
        assert_eq!(repository_but_for(&folder, &home), None);
        assert_eq!(repository_but_for(&folder, &folder), None);
        let elsewhere = dir.path().join("elsewhere");
        assert_eq!(repository_but_for(&folder, &elsewhere), Some(&*home));
    }
}
