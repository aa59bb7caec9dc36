// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds modules as their authors would: by Kbuild, from a folder or one file in C.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Cache, KernelTree, Progress};
use koru_sandbox::Sandbox;

use crate::{
    Ko, ModInfo,
    api_changes::{explain, undefined_symbols},
    make::{coverage_argument, kbuild_command, quiet_make, run_make},
    makefile::{has_kbuild, has_recipes, is_for_kbuild, kbuild_text, kernel_variables},
    paths::module_name,
    providers::{add_folders, add_provided, folders_with},
    work_copy::{SYMVERS, WorkCopy, all_files, home_of, with_headers},
};

/// How a module is built. A module that was built in another way is built again.
const RULES: &str = include_str!("kbuild_source.rs");

/// Sources that Kbuild compiles.
#[derive(Debug, Clone)]
pub struct KbuildSource {
    /// The folder of the sources.
    pub dir: PathBuf,
    /// The only file of the folder that is compiled; without it, the folder's Kbuild or
    /// Makefile names the files.
    pub file: Option<PathBuf>,
    /// Lists of symbols (`Module.symvers`) of modules that are loaded before, in addition to those
    /// that are found beside the folder.
    pub symbols: Vec<PathBuf>,
}

/// What a build is made with.
struct Build<'a> {
    cache: &'a Cache,
    tree: &'a KernelTree,
    sandbox: Option<&'a Sandbox>,
    progress: &'a dyn Progress,
}

/// A folder whose modules have symbols that others need.
struct Provider {
    folder: PathBuf,
    symvers: PathBuf,
    /// The names of the modules.
    modules: Vec<String>,
}

impl KbuildSource {
    /// Returns the sources of a folder with a Kbuild or a Makefile.
    pub fn folder(dir: &Path) -> KbuildSource {
        KbuildSource {
            dir: dir.to_owned(),
            file: None,
            symbols: Vec::new(),
        }
    }

    /// Returns the source that is one file in C.
    pub fn file(file: &Path) -> KbuildSource {
        KbuildSource {
            dir: file.parent().unwrap_or(Path::new(".")).to_owned(),
            file: file.file_name().map(PathBuf::from),
            symbols: Vec::new(),
        }
    }

    /// Returns whether a folder has a file that says what Kbuild compiles.
    pub fn has_kbuild(dir: &Path) -> bool {
        has_kbuild(dir)
    }

    /// Returns the name of the module of one file.
    pub fn name(&self) -> Option<String> {
        self.file.as_deref().map(module_name)
    }

    /// Returns the folder in the cache for what is made from these sources.
    pub fn home(&self, cache: &Cache) -> Result<PathBuf> {
        let dir = self.dir.canonicalize().path_context("reading", &self.dir)?;
        Ok(home_of(cache, &dir, self.file_name()))
    }

    /// Returns the files and folders that a change of the module is a change of: its own, and
    /// the folders of modules that the last build needed.
    pub fn watched(&self, cache: &Cache) -> Vec<PathBuf> {
        let mut watched = match &self.file {
            Some(file) => with_headers(&self.dir.join(file)),
            None => vec![self.dir.clone()],
        };
        if let Ok(dir) = self.dir.canonicalize() {
            add_folders(cache, &dir, self.file_name(), &mut watched);
        }
        watched
    }

    fn file_name(&self) -> Option<&OsStr> {
        self.file.as_deref().map(Path::as_os_str)
    }

    /// Returns the path that the user would name.
    fn path(&self) -> PathBuf {
        match &self.file {
            Some(file) => self.dir.join(file),
            None => self.dir.clone(),
        }
    }

    /// Builds the modules for a kernel, in the sandbox if there is one, unless nothing has
    /// changed since the last build.
    pub fn build(
        &self,
        cache: &Cache,
        tree: &KernelTree,
        sandbox: Option<&Sandbox>,
        progress: &dyn Progress,
    ) -> Result<Vec<Ko>> {
        let build = Build {
            cache,
            tree,
            sandbox,
            progress,
        };
        Ok(self.build_among(&[], &build)?.0)
    }

    /// Builds the modules, and first those of other folders that they need. Returns the modules,
    /// and the list of their symbols. `above` are the folders that wait for this build.
    fn build_among(&self, above: &[PathBuf], build: &Build<'_>) -> Result<(Vec<Ko>, PathBuf)> {
        let Build {
            cache,
            tree,
            sandbox,
            progress,
        } = *build;
        let attempted = format!("building {}", self.path().display());
        if !self.dir.is_dir() {
            return Err(Error::new(
                Kind::Usage,
                attempted,
                "there is no such folder",
            ));
        }
        if self.file.is_none() && !KbuildSource::has_kbuild(&self.dir) {
            let message = "it has neither a Kbuild nor a Makefile";
            return Err(Error::new(Kind::Usage, attempted, message)
                .help("for a module of NAME.c, make a Kbuild with the line `obj-m := NAME.o`"));
        }
        let copy = WorkCopy::open(cache, &self.dir, self.file_name(), &tree.release, progress)?;
        let key = tree.key()?.with(RULES);
        let key = self.symbols.iter().fold(key, |key, list| {
            key.with(list.as_os_str().as_encoded_bytes())
        });
        let key = key.hex();
        let above = [above, &[copy.source().to_owned()]].concat();
        let mut providers = Vec::new();
        for folder in copy.providers() {
            self.provide(folder, &above, build, &mut providers)?;
        }
        if let Some(kos) = copy.current(&key)? {
            return Ok((described(&kos, &copy, false)?, copy.symvers()));
        }
        progress.status(&format!("{attempted} for {}", tree.release));
        copy.update()?;
        for old in modules_in(&copy.dir) {
            let _ = fs::remove_file(old);
        }
        let run = |make: &mut Command, view: Option<&Path>| {
            let sandbox = sandbox.map(|sandbox| {
                let given = [Some(&*copy.surroundings), copy.readable(), view];
                let given = given.into_iter().flatten().map(Path::to_owned);
                let read = given.chain(tree.folders());
                let sandbox = read.fold(sandbox.clone(), Sandbox::readable);
                sandbox.work(&copy.dir, &copy.dir)
            });
            run_make(make, tree, sandbox, &attempted)
        };
        let (made, said) = loop {
            let symvers = providers.iter().map(|p: &Provider| &*p.symvers);
            let given = self.symbols.iter().map(|list| &**list);
            let symvers = copy.put_symbols(symvers.chain(given))?;
            let made = self.make(&copy, tree, &symvers, &run);
            let (made, said) = made.map_err(|mut e| {
                e.output = e.output.map(|said| copy.with_real_paths(&said));
                e
            })?;
            let known = providers.len();
            if !made {
                let missing = undefined_symbols(&said);
                let found = folders_with(&missing, copy.source(), copy.repository());
                // The next build has to begin with them, even if this one fails.
                copy.expect_providers(&found)?;
                for folder in found {
                    self.provide(folder, &above, build, &mut providers)?;
                }
            }
            if providers.len() == known {
                // The messages have the paths that the author knows.
                break (made, copy.with_real_paths(&said));
            }
            progress.status(&format!("{attempted} for {}", tree.release));
        };
        let kos = modules_in(&copy.dir);
        if !made || kos.is_empty() {
            let (kind, message) = match made {
                true => (
                    Kind::Usage,
                    "the build made no .ko: does its Kbuild or Makefile say `obj-m := NAME.o`?"
                        .to_owned(),
                ),
                false => (
                    Kind::Link,
                    format!("it does not build for {}", tree.release),
                ),
            };
            return Err(Error::new(kind, attempted, message)
                .with_hints(explain(&said, &self.dir, tree))
                .output(said));
        }
        if !said.trim().is_empty() {
            progress.print(said.trim_end());
        }
        let mut needed = Vec::new();
        for ko in &kos {
            needed.extend(ModInfo::read(ko)?.dependencies().map(str::to_owned));
        }
        providers.retain(|p| p.modules.iter().any(|name| needed.contains(name)));
        let providers: Vec<(PathBuf, PathBuf)> = providers
            .into_iter()
            .map(|p| (p.folder, p.symvers))
            .collect();
        let kos = copy.finish(&key, &kos, &providers, &self.symbols)?;
        Ok((described(&kos, &copy, true)?, copy.symvers()))
    }

    /// Builds the modules of another folder that these ones need, unless that is being done.
    fn provide(
        &self,
        folder: PathBuf,
        above: &[PathBuf],
        build: &Build<'_>,
        providers: &mut Vec<Provider>,
    ) -> Result<()> {
        let is_known = providers.iter().any(|p| p.folder == folder);
        if is_known || above.contains(&folder) || !has_kbuild(&folder) {
            return Ok(());
        }
        let (kos, symvers) = KbuildSource::folder(&folder).build_among(above, build)?;
        providers.push(Provider {
            folder,
            symvers,
            modules: kos.into_iter().map(|ko| ko.name).collect(),
        });
        Ok(())
    }

    /// Returns the list of the symbols that the modules of the last build have for others.
    pub fn symvers(&self, cache: &Cache, release: &str) -> Result<PathBuf> {
        Ok(self.home(cache)?.join(release).join(SYMVERS))
    }

    /// Returns the modules of other folders that these ones needed in the last build.
    pub fn provided(&self, cache: &Cache, release: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        if let Ok(dir) = self.dir.canonicalize() {
            add_provided(cache, &dir, self.file_name(), release, &mut found);
        }
        found
    }

    /// Runs Kbuild, or the author's Makefile if Kbuild finds no module in it. Returns whether
    /// the build succeeded, and everything that it printed.
    fn make(
        &self,
        copy: &WorkCopy,
        tree: &KernelTree,
        symvers: &[String],
        run: &dyn Fn(&mut Command, Option<&Path>) -> Result<Output>,
    ) -> Result<(bool, String)> {
        // The author's own list names files that only a build by hand leaves.
        let symbols = format!("KBUILD_EXTRA_SYMBOLS={}", symvers.join(" "));
        let text = match &self.file {
            Some(file) => {
                let text = format!("obj-m := {}.o\n", module_stem(file));
                self.name_plainly(copy, file)?;
                let kbuild = copy.dir.join("Kbuild");
                fs::write(&kbuild, &text).path_context("writing", &kbuild)?;
                text
            }
            None => kbuild_text(&copy.dir),
        };
        let mut said = String::new();
        if is_for_kbuild(&text) {
            let mut make = kbuild_command(tree, &copy.dir)?;
            make.arg("modules");
            make.args(coverage_argument(tree));
            make.arg(&symbols);
            if let Some(map) = copy.prefix_map() {
                make.arg(format!("KCFLAGS={map}"));
            }
            let view = make.view().map(Path::to_owned);
            let output = run(&mut make, view.as_deref())?;
            said = make.users_paths(&words(&output));
            if !output.status.success() || !modules_in(&copy.dir).is_empty() {
                return Ok((output.status.success(), said));
            }
        }
        let makefile = fs::read_to_string(copy.dir.join("Makefile")).unwrap_or_default();
        if !has_recipes(&makefile) {
            return Ok((true, said));
        }
        // The Makefile makes the module in a way of its own.
        let build = tree.build_dir.display().to_string();
        let mut make = quiet_make(tree, &copy.dir);
        make.args(kernel_variables(&makefile, &build, &tree.release))
            .args(coverage_argument(tree))
            .arg(&symbols);
        let output = run(&mut make, None)?;
        said.push_str(&words(&output));
        // What comes after the build, such as `sudo insmod`, has no place here.
        let made = output.status.success() || !modules_in(&copy.dir).is_empty();
        Ok((made, said))
    }

    /// Gives the file a name that make can take, if it has another one.
    fn name_plainly(&self, copy: &WorkCopy, file: &Path) -> Result<()> {
        let plain = copy.dir.join(format!("{}.c", module_stem(file)));
        let file = copy.dir.join(file);
        if plain == file || plain.exists() {
            return Ok(());
        }
        std::os::unix::fs::symlink(&file, &plain).path_context("linking", &plain)
    }
}

/// Describes the modules that a build made.
fn described(kos: &[PathBuf], copy: &WorkCopy, rebuilt: bool) -> Result<Vec<Ko>> {
    let ko = |path: &PathBuf| {
        Ok(Ko {
            rebuilt,
            moved: Some(copy.moved()),
            ..Ko::prebuilt(path)?
        })
    };
    kos.iter().map(ko).collect()
}

/// Returns the name of the module's object: the file's, in letters that Kbuild can take.
fn module_stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    stem.replace(|c| !good(c), "_")
}

fn modules_in(dir: &Path) -> Vec<PathBuf> {
    let mut found = all_files(dir);
    found.retain(|file| file.extension().is_some_and(|e| e == "ko"));
    found
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}
