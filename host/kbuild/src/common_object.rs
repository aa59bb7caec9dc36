// SPDX-License-Identifier: MIT OR Apache-2.0

//! Keeps the object that Kbuild links into every module.
//!
//! Since 6.12, Kbuild compiles `module-common.c` in the folder of each module. The object is the
//! same for all modules, and takes half a second. So one is kept for a kernel, with Kbuild's
//! record of how it was made. Kbuild compares the record with what it would do now, and compiles
//! the object again if there is a difference.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use koru_error::Result;
use koru_kernels::write_atomically;
use rustix::fs::OFlags;

use crate::target_dir::make_real_folders;

const OBJECT: &str = ".module-common.o";

/// The name of Kbuild's record, which mentions the folder of the module.
const RECORD: &str = "..module-common.o.cmd";

/// What the kept record mentions instead.
const FOLDER: &str = "@KORU_FOLDER@";

/// The object that is kept in a folder.
pub(crate) struct CommonObject(pub PathBuf);

impl CommonObject {
    /// Puts the object into the folder of a module. Without it, Kbuild makes it.
    pub fn put_into(&self, module: &Path) {
        let put = || -> io::Result<()> {
            let mut kept = self.open(OBJECT)?;
            let mut record = String::new();
            self.open(RECORD)?.read_to_string(&mut record)?;
            let mut object = File::create(module.join(OBJECT))?;
            io::copy(&mut kept, &mut object)?;
            // Kbuild makes it again if a header is newer.
            object.set_modified(kept.metadata()?.modified()?)?;
            let record = record.replace(FOLDER, &module.to_string_lossy());
            fs::write(module.join(RECORD), record)
        };
        let _ = put();
    }

    /// Opens a kept file. The folder may have come with a crate that is not trusted, and a link in it
    /// would lead the build to what it must not read.
    fn open(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits() as i32)
            .open(self.0.join(name))
    }

    /// Keeps the object that Kbuild has made in the folder of a module, if this kernel has one.
    pub fn keep(&self, module: &Path) -> Result<()> {
        let object = fs::read(module.join(OBJECT));
        let record = fs::read_to_string(module.join(RECORD));
        let (Ok(object), Ok(record)) = (object, record) else {
            return Ok(());
        };
        let record = record.replace(&*module.to_string_lossy(), FOLDER);
        let kept = self.0.join(RECORD);
        if fs::read_to_string(&kept).is_ok_and(|kept| kept == record) {
            return Ok(());
        }
        let (output, name) = (self.0.parent(), self.0.file_name());
        if let (Some(output), Some(name)) = (output, name.and_then(OsStr::to_str)) {
            make_real_folders(output, &[name])?;
        }
        write_atomically(&self.0.join(OBJECT), &object)?;
        write_atomically(&kept, record.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn one_folder_gets_what_another_has_made() {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = dir.path().join(name);
            fs::create_dir(&folder).unwrap();
            folder
        };
        let (one, other) = (folder("one"), folder("other"));
        let common = CommonObject(dir.path().join("common"));
        let record = |folder: &Path| format!("gcc -o {0}/x.o {0}/x.c", folder.display());
        common.keep(&one).unwrap();
        common.put_into(&other);
        assert!(!other.join(OBJECT).exists());
        fs::write(one.join(OBJECT), "object").unwrap();
        fs::write(one.join(RECORD), record(&one)).unwrap();
        common.keep(&one).unwrap();
        common.put_into(&other);
        let read = |name: &str| fs::read_to_string(other.join(name)).unwrap();
        assert_eq!(read(OBJECT), "object");
        assert_eq!(read(RECORD), record(&other));
        let made = |folder: &Path| fs::metadata(folder.join(OBJECT)).unwrap().modified();
        assert_eq!(made(&other).unwrap(), made(&common.0).unwrap());
        let secret = dir.path().join("secret");
        fs::write(&secret, "secret").unwrap();
        let third = folder("third");
        fs::remove_file(common.0.join(OBJECT)).unwrap();
        symlink(&secret, common.0.join(OBJECT)).unwrap();
        common.put_into(&third);
        assert!(!third.join(OBJECT).exists());
    }
}
