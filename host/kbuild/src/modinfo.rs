// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the `.modinfo` strings of a `.ko` file.

use std::{fs, path::Path};

use koru_error::{Error, IoContext, Kind, Result};
use object::{Object, ObjectKind, ObjectSection};

use crate::x86::object_file::ARCHITECTURE;

/// What a `.ko` file says about itself: the strings of its `.modinfo`.
#[derive(Debug, Clone)]
pub struct ModInfo(Vec<(String, String)>);

impl ModInfo {
    /// Reads a `.ko` file, and fails for any other file.
    pub fn read(path: &Path) -> Result<ModInfo> {
        let bytes = fs::read(path).path_context("reading", path)?;
        let fail = |message: &str| {
            Error::new(
                Kind::Usage,
                format!("reading {}", path.display()),
                format!("it is not a kernel module: {message}"),
            )
        };
        let file = object::File::parse(&*bytes)
            .map_err(|_| fail("no ELF file").help("unpack it first, if it is compressed"))?;
        if file.architecture() != ARCHITECTURE {
            return Err(fail("not for x86_64"));
        }
        if file.kind() != ObjectKind::Relocatable {
            return Err(fail("not a relocatable object"));
        }
        let section = file
            .section_by_name(".modinfo")
            .and_then(|s| s.data().ok())
            .ok_or_else(|| fail("it has no .modinfo"))?;
        Ok(ModInfo::parse(section))
    }

    fn parse(section: &[u8]) -> ModInfo {
        let strings = section.split(|b| *b == 0);
        let pair = |s: &[u8]| {
            let text = String::from_utf8_lossy(s).into_owned();
            let (key, value) = text.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        };
        ModInfo(strings.filter_map(pair).collect())
    }

    /// Returns the first value of a field, such as `license`.
    pub fn get(&self, field: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| key == field);
        values.next().map(|(_, value)| value.as_str())
    }

    /// Returns the names of the parameters that the module declares with their types.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        let types = self.0.iter().filter(|(key, _)| key == "parmtype");
        types.filter_map(|(_, value)| Some(value.split_once(':')?.0))
    }

    /// Returns the names of the modules that the module needs.
    pub fn dependencies(&self) -> impl Iterator<Item = &str> {
        let names = self.get("depends").unwrap_or_default().split(',');
        names.filter(|name| !name.is_empty())
    }

    /// Returns the release of the kernel that the module was built for.
    pub fn release(&self) -> Option<&str> {
        self.get("vermagic")?.split(' ').next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let info = ModInfo::parse(
            b"license=GPL\0\0depends=x,y_z\0parm=a:b=c\0parmtype=a:int\0vermagic=6.1.0-9 SMP mod_unload \0",
        );
        assert_eq!(info.get("license"), Some("GPL"));
        assert_eq!(info.get("parm"), Some("a:b=c"));
        assert_eq!(info.release(), Some("6.1.0-9"));
        assert_eq!(info.get("name"), None);
        assert_eq!(info.dependencies().collect::<Vec<_>>(), ["x", "y_z"]);
        assert_eq!(info.parameters().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn other_files_are_refused() {
        let error = ModInfo::read(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("Cargo.toml")
                .as_path(),
        );
        assert!(error.unwrap_err().message.contains("not a kernel module"));
        let program = std::env::current_exe().unwrap();
        assert!(
            ModInfo::read(&program)
                .unwrap_err()
                .message
                .contains("relocatable")
        );
    }
}
