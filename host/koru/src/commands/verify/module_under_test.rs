// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds or builds the module under test.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{Ko, ModInfo};
use koru_kernels::KernelTree;
use sha2::{Digest, Sha256};

use crate::{
    cli::VerifyArgs,
    context::Context,
    judging::built::{other_kernel, read_info, tree_of_built},
};

/// What is tested, as reports name it.
pub struct Subject {
    /// The module's name as the user gave it.
    pub shown: String,
    /// The release of the kernel that it is tested on.
    pub release: String,
    /// The module's file, unless the module does not build.
    pub file: Option<FileFacts>,
}

pub struct FileFacts {
    pub size: u64,
    pub sha256: String,
}

/// The module under test, which has been built.
pub struct ModuleUnderTest {
    pub ko: PathBuf,
    pub subject: Subject,
    /// The name by which the kernel knows it.
    pub name: String,
    pub tree: KernelTree,
    /// The folder in which the module was built, and the one of which that folder is a copy.
    pub moved: Option<(PathBuf, PathBuf)>,
}

/// Finds or builds the module that the user named, and the kernel for it.
pub fn find(context: &Context, args: &VerifyArgs, name: &str) -> Result<ModuleUnderTest> {
    let choice = args.kernel.or_environment();
    if let Some(file) = &args.ko {
        let ko = context.cwd.join(file);
        let info = read_info(&ko)?;
        let shown = file.display().to_string();
        let tree = tree_of_built(context, &choice, &shown, &info)?;
        return ModuleUnderTest::new(ko, shown, &info, tree, None);
    }
    let tree = context.tree(&choice)?;
    if let Some(source) = &args.src {
        // As a path: a plain name would be that of a crate.
        let names = [context.cwd.join(source).display().to_string()];
        let (kos, _) = context.build_sources(|| Ok(tree.clone()), &context.sources(&names)?)?;
        let built = choose(&kos, name)?;
        let file = built.path.file_name().unwrap_or_default();
        let shown = source.join(file).display().to_string();
        let info = ModInfo::read(&built.path)?;
        let moved = built.moved.clone();
        return ModuleUnderTest::new(built.path.clone(), shown, &info, tree, moved);
    }
    let modules = context.modules(&[name.to_owned()])?;
    let (kos, _) = context.build(&tree, &modules)?;
    let built = kos.first().ok_or_else(|| {
        Error::new(
            Kind::System,
            format!("building {name}"),
            "the build produced nothing",
        )
    })?;
    let info = ModInfo::read(&built.path)?;
    let shown = format!("{name}.ko of Koru");
    ModuleUnderTest::new(built.path.clone(), shown, &info, tree, None)
}

/// Returns what a report says of a module that does not build.
pub fn unbuilt(context: &Context, args: &VerifyArgs, name: &str) -> Result<Subject> {
    Ok(Subject {
        shown: match &args.src {
            Some(source) => source.display().to_string(),
            None => format!("{name}.ko of Koru"),
        },
        release: context.tree(&args.kernel)?.release,
        file: None,
    })
}

impl ModuleUnderTest {
    fn new(
        ko: PathBuf,
        shown: String,
        info: &ModInfo,
        tree: KernelTree,
        moved: Option<(PathBuf, PathBuf)>,
    ) -> Result<ModuleUnderTest> {
        if let Some(release) = info.release().filter(|r| *r != tree.release) {
            return Err(other_kernel(&shown, release, Some(&tree)));
        }
        let bytes = fs::read(&ko).path_context("reading", &ko)?;
        let stem = Path::new(&shown).file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy().replace('-', "_");
        Ok(ModuleUnderTest {
            name: info.get("name").map_or(stem, str::to_owned),
            subject: Subject {
                shown,
                release: tree.release.clone(),
                file: Some(FileFacts {
                    size: bytes.len() as u64,
                    sha256: format!("{:x}", Sha256::digest(&bytes)),
                }),
            },
            ko,
            tree,
            moved,
        })
    }
}

/// Chooses the module with the contract's name, or the only one.
fn choose<'a>(kos: &'a [Ko], name: &str) -> Result<&'a Ko> {
    if let [one] = kos {
        return Ok(one);
    }
    kos.iter().find(|ko| ko.name == name).ok_or_else(|| {
        let names: Vec<String> = kos.iter().map(|ko| format!("{}.ko", ko.name)).collect();
        let message = format!(
            "it has several modules, and none is called {name}: {}",
            names.join(", ")
        );
        Error::new(
            Kind::Usage,
            format!("choosing the module to check by the contract {name}"),
            message,
        )
    })
}
