// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds modules for one kernel tree: runs the stages in order, and skips what is up to date.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
    time::{Duration, Instant, UNIX_EPOCH},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Cache, Home, KernelTree, Key, Lock, Progress, run, write_atomically};
use koru_sandbox::Sandbox;

use crate::{
    Codegen, LargeFrame, ModInfo, Module, Sysroot, Toolchain,
    api_changes::explain_missing,
    common_object::CommonObject,
    dependency::Dependency,
    link::{Parts, RULES, link},
    make::{WorkFolder, coverage_argument, kbuild_command, run_make},
    paths::module_name,
    rust_object::{Cargo, RustObject},
    shim::Shim,
    target_dir::make_real_folders,
    unsafe_code,
};

/// A module that has been built.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Ko {
    pub name: String,
    /// The file that is loaded: it has symbols, but no debug info.
    pub path: PathBuf,
    /// The file with the debug info, if the kernel's config asks for it.
    pub debug: Option<PathBuf>,
    /// The size of `path`, in bytes.
    pub size: u64,
    /// The release of the kernel that the module is for.
    pub kernel: String,
    /// Whether the module was built again. If nothing changed, the file is that of the last
    /// build.
    pub rebuilt: bool,
    #[serde(flatten)]
    pub notes: Notes,
    /// The folder that the debug info names, and the user's folder of which it is a copy.
    #[serde(skip)]
    pub moved: Option<(PathBuf, PathBuf)>,
}

impl Ko {
    /// Returns what a built module says of itself.
    pub fn prebuilt(path: &Path) -> Result<Ko> {
        let info = ModInfo::read(path)?;
        Ok(Ko {
            name: info
                .get("name")
                .map_or_else(|| module_name(path), str::to_owned),
            path: path.to_owned(),
            debug: None,
            size: fs::metadata(path).path_context("reading", path)?.len(),
            kernel: info.release().unwrap_or_default().to_owned(),
            rebuilt: false,
            notes: Notes::default(),
            moved: None,
        })
    }
}

/// Remarks about a module that has no errors.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Notes {
    /// The dependencies that contain unsafe code, except for Koru's own. The list is empty
    /// unless the module forbids unsafe code.
    pub unsafe_dependencies: Vec<Dependency>,
    /// The functions whose stack frames are larger than the kernel's config allows, the
    /// largest first.
    pub large_frames: Vec<LargeFrame>,
}

/// How long each stage of a build took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stages {
    /// The toolchain, the sysroot and the C interface layer; hardly any time when they are
    /// cached.
    pub prepare: Duration,
    pub cargo: Duration,
    /// Linking, objtool and modpost, for all modules.
    pub kbuild: Duration,
}

impl Stages {
    /// Adds the stages of another build.
    pub fn add(&mut self, other: &Stages) {
        self.prepare += other.prepare;
        self.cargo += other.cargo;
        self.kbuild += other.kbuild;
    }

    /// Returns how long the whole build took.
    pub fn total(&self) -> Duration {
        self.prepare + self.cargo + self.kbuild
    }
}

#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Whether rustc's messages are coloured.
    pub colour: bool,
    /// The sandbox in which crates are built that are not Koru's own, unless they are trusted.
    pub sandbox: Option<Sandbox>,
}

/// A builder of modules for one kernel tree.
pub struct Builder<'a> {
    home: &'a Home,
    tree: &'a KernelTree,
    toolchain: Toolchain,
    codegen: Codegen,
    sysroot: Sysroot,
    shim: Shim,
    prepare: Duration,
}

impl<'a> Builder<'a> {
    /// Gets everything that the modules of this tree have in common.
    pub fn new(
        home: &'a Home,
        tree: &'a KernelTree,
        progress: &dyn Progress,
    ) -> Result<Builder<'a>> {
        let start = Instant::now();
        let cache = Cache::new(&home.cache);
        let toolchain = Toolchain::find(&cache)?;
        let codegen = Codegen::new(tree, &toolchain)?;
        let (sysroot, shim) = std::thread::scope(|s| {
            let shim = s.spawn(|| Shim::get(home, &cache, tree, progress));
            let sysroot = Sysroot::get(&cache, &toolchain, &codegen, progress);
            (sysroot, shim.join().expect("it returns its errors"))
        });
        Ok(Builder {
            home,
            tree,
            toolchain,
            codegen,
            sysroot: sysroot?,
            shim: shim?,
            prepare: start.elapsed(),
        })
    }

    /// Returns why nothing can be built for this kernel, if an earlier build found that out:
    /// the compiler's first error in the C interface layer.
    pub fn known_refusal(home: &Home, tree: &KernelTree) -> Option<String> {
        Shim::known_refusal(home, tree)
    }

    /// Returns the names of the probes that a kernel passes.
    pub fn passed(
        home: &Home,
        tree: &KernelTree,
        progress: &dyn Progress,
    ) -> Result<BTreeSet<String>> {
        Shim::get(home, &Cache::new(&home.cache), tree, progress)?.passed()
    }

    /// Returns the environment in which cargo, clippy, rustdoc and rust-analyzer work on
    /// ring-0 crates for this kernel.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.cargo(None).environment()
    }

    /// Returns the toolchain in use.
    pub fn toolchain(&self) -> &Toolchain {
        &self.toolchain
    }

    pub fn codegen(&self) -> &Codegen {
        &self.codegen
    }

    fn cargo<'b>(&'b self, sandbox: Option<&'b Sandbox>) -> Cargo<'b> {
        Cargo {
            home: self.home,
            tree: self.tree,
            toolchain: &self.toolchain,
            codegen: &self.codegen,
            sysroot: &self.sysroot,
            shim: &self.shim,
            sandbox,
        }
    }

    /// Returns the folder for the outputs for this kernel.
    pub fn output_dir(&self, module: &Module) -> PathBuf {
        module.target_dir.join("koru").join(&self.tree.release)
    }

    /// Returns the target folder of cargo.
    fn cargo_dir(&self, module: &Module) -> PathBuf {
        self.output_dir(module).join("cargo")
    }

    /// Builds all of `modules`, except for what did not change. A module that fails leaves its
    /// last good `.ko` in place.
    pub fn build(
        &self,
        modules: &[Module],
        options: BuildOptions,
        progress: &dyn Progress,
    ) -> Result<(Vec<Ko>, Stages)> {
        let mut stages = Stages {
            prepare: self.prepare,
            ..Stages::default()
        };
        let mut workspaces: Vec<&Path> = modules.iter().map(|m| &*m.workspace).collect();
        workspaces.sort();
        workspaces.dedup();
        let mut kos = Vec::new();
        for workspace in workspaces {
            let group: Vec<&Module> = modules
                .iter()
                .filter(|m| m.workspace == workspace)
                .collect();
            let output = self.output_dir(group[0]);
            let real_folders = |inside| {
                let folders = ["koru", &self.tree.release, inside];
                make_real_folders(&group[0].target_dir, &folders)
            };
            real_folders("kbuild")?;
            let _lock = Lock::take(
                &output,
                "build",
                &format!("building in {}", workspace.display()),
                progress,
            )?;
            let start = Instant::now();
            let sandbox = options.sandbox.as_ref();
            let sandbox = sandbox.filter(|_| *workspace != *self.home.root);
            let cargo = self.cargo(sandbox);
            let cargo_dir = self.cargo_dir(group[0]);
            cargo.begin(workspace, &cargo_dir, progress);
            real_folders("cargo")?;
            let objects = cargo.build(&group, &cargo_dir, options.colour, progress)?;
            stages.cargo += start.elapsed();
            let start = Instant::now();
            kos.extend(self.finish_all(&group, &objects, sandbox, progress)?);
            stages.kbuild += start.elapsed();
        }
        // The result has the order of `modules`.
        kos.sort_by_key(|ko: &Ko| modules.iter().position(|m| m.name == ko.name));
        // These warnings are printed at every build, as rustc's own are.
        for frame in kos.iter().flat_map(|ko| &ko.notes.large_frames) {
            let (yellow, plain) = match options.colour {
                true => ("\x1b[1;33m", "\x1b[0m"),
                false => ("", ""),
            };
            progress.print(&format!("{yellow}warning{plain}: {frame}"));
        }
        Ok((kos, stages))
    }

    /// Links the modules, as many at once as there are cores.
    fn finish_all(
        &self,
        modules: &[&Module],
        objects: &[RustObject],
        sandbox: Option<&Sandbox>,
        progress: &dyn Progress,
    ) -> Result<Vec<Ko>> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|s| {
            for _ in 0..workers.min(modules.len()) {
                s.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(module), Some(object)) = (modules.get(i), objects.get(i)) else {
                            break;
                        };
                        let result = self.finish(module, object, sandbox, progress);
                        done.lock().expect("no panic while held").push(result);
                    }
                });
            }
        });
        done.into_inner()
            .expect("no panic while held")
            .into_iter()
            .collect()
    }

    fn finish(
        &self,
        module: &Module,
        object: &RustObject,
        sandbox: Option<&Sandbox>,
        progress: &dyn Progress,
    ) -> Result<Ko> {
        let output = self.output_dir(module);
        let name = &module.name;
        let path = output.join(format!("{name}.ko"));
        let debug = output.join(format!("{name}.ko.debug"));
        let stamp = output.join(format!(".{name}.stamp"));
        let notes_file = output.join(format!(".{name}.notes"));
        let key = self.tree.key()?.with(self.shim.key().hex()).hex();
        let common = CommonObject(output.join(format!("kbuild/.common-{key}")));
        let key = RULES
            .iter()
            .fold(Key::default().with(key), |k, r| k.with(r));
        let key = key.with(object.own.rlib.as_os_str().as_encoded_bytes());
        let key = module.c.add_to(key)?.hex();
        let ko = |rebuilt, notes| -> Result<Ko> {
            Ok(Ko {
                name: name.clone(),
                size: fs::metadata(&path).path_context("reading", &path)?.len(),
                path: path.clone(),
                debug: debug.is_file().then(|| debug.clone()),
                kernel: self.tree.release.clone(),
                rebuilt,
                notes,
                moved: None,
            })
        };
        let is_current = |stamp: String| {
            stamp.strip_prefix(&key).is_some_and(|archives| {
                archives.lines().skip(1).all(|line| {
                    let file = line.split_once(' ').map(|(_, file)| Path::new(file));
                    file.is_some_and(|f| made(f).is_ok_and(|made| made == line))
                })
            })
        };
        if path.is_file() && fs::read_to_string(&stamp).is_ok_and(is_current) {
            let notes = fs::read(&notes_file).ok();
            if let Some(notes) = notes.and_then(|n| serde_json::from_slice(&n).ok()) {
                return ko(false, notes);
            }
        }
        progress.status(&format!("linking {name}.ko"));
        let dir = output.join("kbuild").join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).path_context("making", &dir)?;
        let parts = Parts {
            rust: object,
            sysroot: &self.sysroot,
            shim: &self.shim,
            frame_limit: self.tree.frame_limit(),
        };
        let work = WorkFolder::new(&dir)?;
        let linked = link(module, &parts, work.path())?;
        let notes = Notes {
            unsafe_dependencies: self.unsafe_dependencies(module, object, sandbox)?,
            large_frames: linked.large_frames,
        };
        common.put_into(work.path());
        self.kbuild(module, &work, sandbox, progress)?;
        // No other module gets what a module's own C may have become.
        if module.c.names.is_empty() {
            common.keep(work.path())?;
        }
        self.split_debug(name, work.path())?;
        // The debug info goes first, because it must never be older than the module.
        let outputs = [format!("{name}.ko.debug"), format!("{name}.ko")];
        work.deliver(&outputs.each_ref().map(String::as_str))?;
        for (output, to) in outputs.iter().zip([&debug, &path]) {
            fs::rename(dir.join(output), to).path_context("renaming to", to)?;
        }
        let text = serde_json::to_vec(&notes).expect("our types have string keys");
        write_atomically(&notes_file, &text)?;
        let lines: Result<Vec<String>> = linked.archives.iter().map(|a| made(a)).collect();
        write_atomically(&stamp, format!("{key}\n{}\n", lines?.join("\n")).as_bytes())?;
        ko(true, notes)
    }

    fn unsafe_dependencies(
        &self,
        module: &Module,
        object: &RustObject,
        sandbox: Option<&Sandbox>,
    ) -> Result<Vec<Dependency>> {
        if !unsafe_code::is_forbidden(&object.own)? {
            return Ok(Vec::new());
        }
        let target_dir = self.cargo_dir(module);
        let dependencies = self.cargo(sandbox).dependencies(module, &target_dir)?;
        unsafe_code::unsafe_among(&dependencies, object, &module.workspace)
    }

    /// Runs the last steps of the kernel's own build: objtool, modpost, the final link; and the
    /// compiler on files in C.
    fn kbuild(
        &self,
        module: &Module,
        work: &WorkFolder<'_>,
        sandbox: Option<&Sandbox>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let (name, dir) = (&module.name, work.path());
        let c = module.c.copy_to(dir, name)?;
        // Kernels without IBT run objtool on each object as it is compiled. The module's
        // object was compiled elsewhere, so it goes through the same command, marked as what
        // it is: several objects linked into one. (Before 5.16, Kbuild has no name for objtool,
        // and its command no semicolon.)
        let kbuild = format!(
            "obj-m := {name}.o\n\
             {c}\
             {name}-y += {name}_koru.o\n\
             targets += {name}_koru.o\n\
             quiet_cmd_koru = KORU    $@\n\
             \x20     cmd_koru = cp $< $@ $(if $(objtool),\
             $(subst $(objtool) ,$(objtool) --link ,$(cmd_objtool)),\
             $(if $(cmd_objtool),;) $(cmd_objtool))\n\
             $(obj)/{name}_koru.o: $(obj)/rust.o FORCE\n\
             \t$(call if_changed,koru)\n"
        );
        let file = dir.join("Kbuild");
        fs::write(&file, kbuild).path_context("writing", &file)?;
        let mut make = kbuild_command(self.tree, dir)?;
        make.arg("modules").args(coverage_argument(self.tree));
        let attempted = format!("linking {name}");
        let sandbox = sandbox.map(|sandbox| {
            let given = make.view().into_iter().map(Path::to_owned);
            let read = given
                .chain(self.tree.folders())
                .chain(module.readable.clone());
            read.fold(sandbox.clone(), Sandbox::readable).work(dir, dir)
        });
        let output = run_make(&mut make, self.tree, sandbox, &attempted)?;
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let said = make.users_paths(&work.users_paths(&said));
        // Every warning of the build is an error, except for the notices that this machine's
        // compiler differs from the kernel's, and that a module has no description.
        let warnings: Vec<&str> = said
            .lines()
            .filter(|l| !l.trim().is_empty() && !is_notice(l))
            .collect();
        if output.status.success() && warnings.is_empty() {
            return Ok(());
        }
        // The author's own C may cause warnings that are none of ours.
        if output.status.success() && !module.c.names.is_empty() {
            progress.print(&warnings.join("\n"));
            return Ok(());
        }
        let undefined: Vec<&str> = warnings
            .iter()
            .filter_map(|l| l.split_once("modpost: \""))
            .filter_map(|(_, l)| l.split_once('"'))
            .map(|(symbol, _)| symbol)
            .collect();
        let said = warnings.join("\n");
        let error = Error::new(
            Kind::Link,
            format!("making {name}.ko for {}", self.tree.release),
            if undefined.is_empty() {
                "objtool or modpost complains".to_owned()
            } else {
                format!("this kernel does not export {}", undefined.join(", "))
            },
        );
        Err(error
            .with_hints(explain_missing(&said, self.tree))
            .output(said))
    }

    fn split_debug(&self, name: &str, dir: &Path) -> Result<()> {
        let ko = dir.join(format!("{name}.ko"));
        let debug = dir.join(format!("{name}.ko.debug"));
        let attempted = format!("splitting the debug info of {name}.ko");
        run(
            Command::new("objcopy")
                .args(["--only-keep-debug"])
                .arg(&ko)
                .arg(&debug),
            &attempted,
        )?;
        // The names of functions are kept, also of local ones, for kallsyms and livepatch, and those
        // of the padding before them, by which the kernel knows where a function ends. What modpost
        // adds names nothing that anybody looks for; each load reads and sorts it.
        run(
            Command::new("objcopy")
                .current_dir(dir)
                .args(["--strip-debug", "--remove-section=.comment", "--wildcard"])
                .args(UNNAMED.map(|symbols| format!("--strip-unneeded-symbol={symbols}")))
                .arg(format!("--add-gnu-debuglink={name}.ko.debug"))
                .arg(&ko),
            &attempted,
        )?;
        Ok(())
    }
}

/// The symbols that a module does not keep in its own file.
const UNNAMED: [&str; 4] = ["__UNIQUE_ID_*", "_note_*", "____versions", "orc_header"];

/// Returns a line of the stamp: when the content of an archive was last made. The file's name
/// contains cargo's hash of flags and versions.
fn made(archive: &Path) -> Result<String> {
    let time = fs::metadata(archive)
        .and_then(|m| m.modified())
        .path_context("reading", archive)?;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!("{} {}", since.as_nanos(), archive.display()))
}

/// Returns whether a line of the build is about what is no fault of a module.
fn is_notice(line: &str) -> bool {
    // `module!` needs no description; modpost of newer kernels wants one.
    line.contains("missing MODULE_DESCRIPTION()")
        || line.starts_with("warning: the compiler differs from the one used to build the kernel")
        || line.starts_with("  The kernel was built by:")
        || line.starts_with("  You are using:")
}
