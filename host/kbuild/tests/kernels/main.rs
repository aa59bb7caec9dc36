// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is in a built module, against what its kernel's config asks for. On every
//! kernel that is supported.

mod code;
mod sections;
mod workspaces;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use koru_error::Error;
use koru_kbuild::{BuildOptions, Builder, Ko, Module, find_modules};
use koru_kernels::{Cache, Home, KernelTree, Kernels, NoProgress, SUPPORTED};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionKind, SymbolKind};

/// One build at a time: they share a target folder, which is kept from run to run.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|e| e.into_inner())
}

fn home() -> Home {
    Home::find().expect("the checkout")
}

fn trees() -> Vec<KernelTree> {
    let kernels = Kernels::new(&Cache::new(&home().cache));
    let tree = |version: &str| {
        let tree = kernels.supported(version);
        tree.expect("`koru setup` gets it").expect("a kernel tree")
    };
    SUPPORTED.map(tree).into()
}

fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels")
}

/// Modules of a folder's workspace, built where nobody else builds.
fn modules(here: &Path, names: &[&str]) -> Vec<Module> {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let mut modules = find_modules(&home(), here, &names).expect("modules");
    for module in &mut modules {
        module.target_dir = target_dir();
    }
    modules
}

fn build(tree: &KernelTree, modules: &[Module]) -> Result<Vec<Ko>, Error> {
    let home = home();
    let builder = Builder::new(&home, tree, &NoProgress)?;
    let (kos, _) = builder.build(modules, BuildOptions::default(), &NoProgress)?;
    Ok(kos)
}

/// Links it again, whatever there was. Kbuild's own word is part of this: the
/// builder lets not one line of it pass.
#[track_caller]
fn fresh(tree: &KernelTree, name: &str) -> Ko {
    let output = target_dir().join("koru").join(&tree.release);
    for file in [
        format!("{name}.ko"),
        format!("{name}.ko.debug"),
        format!(".{name}.stamp"),
    ] {
        let _ = fs::remove_file(output.join(file));
    }
    let kos = build(tree, &modules(&home().root, &[name]));
    let kos = kos.unwrap_or_else(|e| panic!("{e}\n{}", e.output.as_deref().unwrap_or_default()));
    assert_eq!(kos.len(), 1);
    let ko = kos.into_iter().next().expect("one");
    assert!(ko.rebuilt && ko.name == name && ko.kernel == tree.release);
    assert_eq!(ko.size, fs::metadata(&ko.path).unwrap().len());
    ko
}

fn either(tree: &KernelTree, new: &str, old: &str) -> bool {
    tree.config.yes(new) || tree.config.yes(old)
}

/// A module file, taken apart.
struct Parts<'a>(object::File<'a>);

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Parts<'a> {
        Parts(object::File::parse(bytes).expect("an object"))
    }

    fn sections(&self) -> BTreeSet<&str> {
        self.0.sections().map(|s| s.name().unwrap()).collect()
    }

    fn section(&self, name: &str) -> Option<object::Section<'_, '_>> {
        self.0.sections().find(|s| s.name() == Ok(name))
    }

    /// How many relocations in code go to this symbol.
    fn uses(&self, symbol: &str) -> usize {
        let code = self.0.sections().filter(|s| s.kind() == SectionKind::Text);
        let targets =
            code.flat_map(|s| s.relocations().map(|(_, r)| r.target()).collect::<Vec<_>>());
        targets
            .filter(|target| match target {
                RelocationTarget::Symbol(index) => {
                    let found = self.0.symbol_by_index(*index).unwrap();
                    found.name().unwrap().starts_with(symbol)
                }
                _ => false,
            })
            .count()
    }

    /// The functions in the code that stays: name, section's bytes, place.
    fn functions(&self) -> Vec<(String, &[u8], usize)> {
        let found: Vec<_> = self
            .0
            .symbols()
            .filter(|s| s.kind() == SymbolKind::Text && s.size() > 0)
            .filter(|s| !s.name().unwrap().starts_with("__pfx_"))
            .filter_map(|s| {
                let section = self.0.section_by_index(s.section_index()?).ok()?;
                Some((
                    s.name().unwrap().to_owned(),
                    section.data().ok()?,
                    s.address() as usize,
                ))
            })
            .collect();
        assert!(found.iter().any(|(name, ..)| name == "init_module"));
        found
    }
}

/// Modules with what matters: `hello` is the smallest, `my_timer` has locks,
/// files and copies to user space.
const MODULES: [&str; 2] = ["hello", "my_timer"];
