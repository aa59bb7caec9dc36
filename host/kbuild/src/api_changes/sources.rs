// SPDX-License-Identifier: MIT OR Apache-2.0

//! The source files of a module.

use std::{collections::BTreeMap, fs, path::Path};

use super::c_source::CSource;

/// The files of a module, which are read when they are needed.
pub(super) struct Sources<'a> {
    pub folder: &'a Path,
    files: BTreeMap<String, CSource>,
}

impl<'a> Sources<'a> {
    pub fn new(folder: &'a Path) -> Sources<'a> {
        Sources {
            folder,
            files: BTreeMap::new(),
        }
    }

    pub fn get(&mut self, file: &str) -> Option<&CSource> {
        if !self.files.contains_key(file) {
            let bytes = fs::read(self.folder.join(file)).ok()?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            self.files.insert(file.to_owned(), CSource::new(file, text));
        }
        self.files.get(file)
    }

    /// Returns all C files of the folder itself.
    pub fn all(&mut self) -> Vec<&CSource> {
        let entries = fs::read_dir(self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|e| e.file_name().into_string().ok());
        let mut names: Vec<String> = names
            .filter(|n| n.ends_with(".c") && !n.ends_with(".mod.c"))
            .collect();
        names.sort();
        for name in &names {
            self.get(name);
        }
        names.iter().filter_map(|n| self.files.get(n)).collect()
    }

    /// Returns the file that a module is made of, or all files if it has no file of its name.
    pub fn of_module(&mut self, module: &str) -> Vec<&CSource> {
        let own = format!("{module}.c");
        match self.get(&own).is_some() {
            true => self.get(&own).into_iter().collect(),
            false => self.all(),
        }
    }
}
