// SPDX-License-Identifier: MIT OR Apache-2.0

//! Records what a build was made from, so that the next one knows whether it has to be done.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use koru_error::Result;
use koru_kernels::write_atomically;
use serde::{Deserialize, Serialize};

/// The file with the state, in the folder of what is made.
const FILE: &str = "state.json";

/// What a build was made from, and what it made.
#[derive(Serialize, Deserialize, Default, PartialEq)]
pub struct State {
    pub key: String,
    /// The files that were copied, by their paths in the folder.
    pub files: BTreeMap<PathBuf, Stamp>,
    /// The files of the rest of the repository that were read, by their whole paths.
    pub outside: BTreeMap<PathBuf, Stamp>,
    /// The names of the modules' files.
    pub kos: Vec<String>,
    /// The folders whose modules have symbols that these modules need.
    #[serde(default)]
    pub providers: Vec<PathBuf>,
}

impl State {
    pub fn read(home: &Path) -> State {
        let text = fs::read(home.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub fn save(&self, home: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).expect("our types have string keys");
        write_atomically(&home.join(FILE), &text)
    }
}

/// What changes when a file does.
#[derive(Serialize, Deserialize, PartialEq, Clone, Copy)]
pub struct Stamp(u64, i64, i64);

impl Stamp {
    pub fn of(meta: &Metadata) -> Stamp {
        Stamp(meta.size(), meta.mtime(), meta.mtime_nsec())
    }

    /// Returns the size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.0
    }
}
