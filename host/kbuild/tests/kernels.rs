// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is in a built module, against what its kernel's config asks for. On every
//! kernel that is supported.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard},
};

use koru_error::{Error, Kind};
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

/// One line of a disassembly.
#[derive(Debug)]
struct Instruction {
    section: String,
    bytes: Vec<u8>,
    text: String,
}

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

/// All code but the replacements that the kernel patches in by itself.
fn disassemble(path: &Path) -> Vec<Instruction> {
    let output = Command::new("objdump")
        .arg("-d")
        .arg(path)
        .output()
        .expect("objdump");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut section = String::new();
    let mut all = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("Disassembly of section ") {
            section = name.trim_end_matches(':').to_owned();
        }
        let mut fields = line.split('\t');
        let (Some(at), Some(bytes)) = (fields.next(), fields.next()) else {
            continue;
        };
        if u64::from_str_radix(at.trim().trim_end_matches(':'), 16).is_err() {
            continue;
        }
        all.push(Instruction {
            section: section.clone(),
            bytes: bytes
                .split_whitespace()
                .map(|b| u8::from_str_radix(b, 16).unwrap())
                .collect(),
            text: fields.next().unwrap_or_default().trim().to_owned(),
        });
    }
    all.retain(|i| !i.section.contains("altinstr"));
    assert!(all.len() > 20, "{}", all.len());
    all
}

fn mnemonic(instruction: &Instruction) -> &str {
    let mut words = instruction.text.split_whitespace();
    words
        .find(|w| !matches!(*w, "bnd" | "notrack" | "repz" | "rep" | "cs" | "ds"))
        .unwrap_or_default()
}

fn is_return(i: &Instruction) -> bool {
    mnemonic(i).starts_with("ret")
}

fn is_indirect(i: &Instruction) -> bool {
    matches!(mnemonic(i), "call" | "jmp" | "callq" | "jmpq") && i.text.contains('*')
}

/// Modules with what matters: `hello` is the smallest, `my_timer` has locks,
/// files and copies to user space.
const MODULES: [&str; 2] = ["hello", "my_timer"];

#[test]
fn code_is_hardened_as_the_config_says() {
    let _alone = alone();
    for tree in trees() {
        for name in MODULES {
            let ko = fresh(&tree, name);
            let bytes = fs::read(&ko.path).unwrap();
            hardened(&tree, name, &ko, &Parts::of(&bytes));
        }
    }
}

fn hardened(tree: &KernelTree, name: &str, ko: &Ko, parts: &Parts<'_>) {
    let place = format!("{name} for {}", tree.release);
    let code = disassemble(&ko.path);
    let returns = code.iter().filter(|i| is_return(i)).count();
    if either(tree, "MITIGATION_RETHUNK", "RETHUNK") {
        assert_eq!(returns, 0, "bare returns in {place}");
        let through = parts.uses("__x86_return_thunk");
        assert!(through >= 2, "{place}");
        // objtool told the kernel of each: 4 bytes a place.
        let sites = parts.section(".return_sites").expect(".return_sites");
        assert_eq!(sites.size() as usize, 4 * through, "{place}");
    } else {
        assert!(returns >= 2, "{place}");
        assert_eq!(parts.uses("__x86_return_thunk"), 0, "{place}");
    }
    if either(tree, "MITIGATION_RETPOLINE", "RETPOLINE") {
        let bare: Vec<_> = code.iter().filter(|i| is_indirect(i)).collect();
        assert!(bare.is_empty(), "indirect branches in {place}: {bare:?}");
        let thunks = parts.uses("__x86_indirect_thunk_");
        assert!(thunks > 0, "formatting calls by pointer: {place}");
        let sites = parts.section(".retpoline_sites").expect(".retpoline_sites");
        assert_eq!(sites.size() as usize, 4 * thunks, "{place}");
    }
    if either(tree, "MITIGATION_SLS", "SLS") {
        for pair in code.windows(2) {
            let stops = is_return(&pair[0])
                || (is_indirect(&pair[0]) && mnemonic(&pair[0]).starts_with("jmp"));
            assert!(
                !stops || pair[1].bytes == [0xcc],
                "no int3 behind {:?} in {place}",
                pair[0]
            );
        }
    }
    let functions = parts.functions();
    if tree.config.yes("X86_KERNEL_IBT") {
        for entry in ["init_module", "cleanup_module"] {
            let (_, bytes, at) = functions.iter().find(|f| f.0 == entry).expect(entry);
            assert_eq!(
                bytes[*at..][..4],
                [0xf3, 0x0f, 0x1e, 0xfa],
                "{entry} of {place}"
            );
        }
        assert!(
            parts
                .section(".ibt_endbr_seal")
                .is_some_and(|s| s.size() > 0),
            "{place}"
        );
    }
    if tree.config.yes("CALL_PADDING") {
        let bytes = tree.config.get("FUNCTION_PADDING_BYTES");
        let padding: usize = bytes.expect("with CALL_PADDING").parse().unwrap();
        for (function, bytes, at) in &functions {
            let before = at.checked_sub(padding).map(|from| &bytes[from..*at]);
            let nops = before.is_some_and(|b| b.iter().all(|b| *b == 0x90));
            assert!(nops, "no padding before {function} of {place}");
        }
    }
    if let Some(alignment) = tree.config.get("FUNCTION_ALIGNMENT") {
        let alignment: usize = alignment.parse().unwrap();
        // With padding, the function and its padding are aligned.
        for (function, _, at) in functions.iter().filter(|f| f.0 != "init_module") {
            assert_eq!(at % alignment.min(16), 0, "{function} of {place}");
        }
    }
    // No x87, MMX, SSE: the kernel does not save those for us.
    for i in &code {
        let vector = ["%xmm", "%ymm", "%zmm", "%mm", "%st"]
            .iter()
            .find(|r| i.text.contains(**r));
        assert!(vector.is_none(), "{i:?} in {place}");
    }
}

/// A C module that does what ours do, made by the same Kbuild: its sections are
/// what this kernel and its tools want of any module.
fn c_module(tree: &KernelTree) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let source = "#include <linux/module.h>
        static int (*volatile call)(const char *, ...) = _printk;
        int init_module(void) { return call(\"hello\") == -1000 ? -EINVAL : 0; }
        void cleanup_module(void) { call(\"goodbye\"); }
        MODULE_LICENSE(\"GPL\"); MODULE_DESCRIPTION(\"C\");\n";
    fs::write(dir.path().join("c_hello.c"), source).unwrap();
    fs::write(dir.path().join("Kbuild"), "obj-m := c_hello.o\n").unwrap();
    let output = Command::new("make")
        .arg("-C")
        .arg(&tree.build_dir)
        .arg(format!("M={}", dir.path().display()))
        .args(["-s", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"])
        .env_remove("MAKEFLAGS")
        .output()
        .expect("make");
    assert!(output.status.success(), "{output:?}");
    fs::read(dir.path().join("c_hello.ko")).unwrap()
}

/// As in a lab: `make -C KDIR M=$PWD`, on a machine without pahole. What set-up unpacks
/// has to do for that, for the packages that Debian's depend on are not installed.
#[test]
fn plain_make_needs_no_pahole() {
    let dir = tempfile::tempdir().unwrap();
    let pahole = dir.path().join("bin/pahole");
    fs::create_dir(dir.path().join("bin")).unwrap();
    fs::write(&pahole, "#!/bin/sh\necho pahole: not found >&2\nexit 127\n").unwrap();
    fs::set_permissions(&pahole, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", dir.path().join("bin").display());
    let kernels = Kernels::new(&Cache::new(&home().cache));
    for version in SUPPORTED {
        let tree = kernels.set_up(version, &NoProgress).unwrap();
        let source = dir.path().join(&tree.release);
        fs::create_dir(&source).unwrap();
        fs::write(
            source.join("it.c"),
            "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n",
        )
        .unwrap();
        fs::write(source.join("Kbuild"), "obj-m := it.o\n").unwrap();
        let output = Command::new("make")
            .arg("-C")
            .arg(&tree.build_dir)
            .arg(format!("M={}", source.display()))
            .env("PATH", &path)
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make");
        assert!(output.status.success(), "{output:?}");
        assert!(source.join("it.ko").is_file());
    }
}

#[test]
fn sections_match_those_of_a_c_module() {
    let _alone = alone();
    for tree in trees() {
        let c = c_module(&tree);
        let c = Parts::of(&c);
        let ko = fresh(&tree, "hello");
        let bytes = fs::read(&ko.path).unwrap();
        let ours = Parts::of(&bytes);
        let mut wanted = 0;
        for section in [
            ".modinfo",
            ".gnu.linkonce.this_module",
            ".return_sites",
            ".retpoline_sites",
            ".call_sites",
            ".ibt_endbr_seal",
            ".orc_unwind",
            ".orc_unwind_ip",
            ".orc_header",
            "__versions",
            ".note.gnu.build-id",
        ] {
            if c.sections().contains(section) {
                let size = ours.section(section).map_or(0, |s| s.size());
                assert!(size > 0, "no {section} for {}", tree.release);
                wanted += 1;
            }
        }
        assert!(wanted >= 5, "{wanted}: {:?}", c.sections());
        // Nothing that a C module would not have, but what ours is made with.
        let unknown: Vec<_> = ours
            .sections()
            .into_iter()
            .filter(|s| {
                [".eh_frame", ".got", ".plt", ".stack_sizes"]
                    .iter()
                    .any(|unwanted| s.starts_with(unwanted))
            })
            .collect();
        assert!(unknown.is_empty(), "{unknown:?} for {}", tree.release);
        // Stack traces know every function.
        let orc = ours.section(".orc_unwind_ip").map_or(0, |s| s.size() / 4);
        let functions = ours.functions().len() as u64;
        assert!(orc == 0 || orc >= functions, "{orc} of {functions}");
    }
}

#[test]
fn modinfo_is_complete() {
    let _alone = alone();
    for tree in trees() {
        let ko = fresh(&tree, "hello");
        let bytes = fs::read(&ko.path).unwrap();
        let parts = Parts::of(&bytes);
        let modinfo = parts.section(".modinfo").unwrap().data().unwrap();
        let fields: Vec<&str> = modinfo
            .split(|b| *b == 0)
            .filter(|f| !f.is_empty())
            .map(|f| std::str::from_utf8(f).unwrap())
            .collect();
        let of = |key: &str| -> Vec<&str> {
            let value = |f: &&'_ str| {
                f.split_once('=')
                    .filter(|(k, _)| *k == key)
                    .map(|(_, v)| v.len())
            };
            fields
                .iter()
                .filter(|f| value(f).is_some())
                .map(|f| &f[key.len() + 1..])
                .collect()
        };
        assert_eq!(of("license"), ["GPL"], "{fields:?}");
        assert_eq!(of("name"), ["hello"], "{fields:?}");
        let vermagic = of("vermagic");
        assert_eq!(vermagic.len(), 1, "{fields:?}");
        assert!(
            vermagic[0].starts_with(&format!("{} SMP ", tree.release)),
            "{vermagic:?}"
        );
        if either(&tree, "MITIGATION_RETPOLINE", "RETPOLINE") {
            assert_eq!(of("retpoline"), ["Y"], "{fields:?}");
        }
    }
}

#[test]
fn debug_info_is_in_a_file_of_its_own() {
    let _alone = alone();
    for tree in trees().iter().filter(|t| t.config.yes("DEBUG_INFO")) {
        let ko = fresh(tree, "hello");
        let bytes = fs::read(&ko.path).unwrap();
        let parts = Parts::of(&bytes);
        let debug = |s: &&str| s.starts_with(".debug") || s.starts_with(".rela.debug");
        assert!(
            !parts.sections().iter().any(debug),
            "{:?}",
            parts.sections()
        );
        assert!(ko.size < 100_000, "{}", ko.size);
        // What the kernel and its tracers need is still there.
        assert!(parts.functions().len() > 3);
        let link = parts
            .section(".gnu_debuglink")
            .expect("a link to the debug info");
        assert!(link.data().unwrap().starts_with(b"hello.ko.debug\0"));
        let path = ko.debug.as_ref().expect("debug info");
        let bytes = fs::read(path).unwrap();
        let debug = Parts::of(&bytes);
        for section in [".debug_info", ".debug_line", ".debug_abbrev"] {
            assert!(
                debug.section(section).is_some_and(|s| s.size() > 0),
                "{section}"
            );
        }
        // It is of this build, and knows the Rust source of `init_module`.
        let id = |p: &Parts<'_>| {
            p.section(".note.gnu.build-id")
                .map(|s| s.data().unwrap().to_vec())
        };
        assert!(id(&parts).is_some());
        let output = Command::new("objdump")
            .args(["--dwarf=decodedline"])
            .arg(path)
            .output()
            .expect("objdump");
        let lines = String::from_utf8_lossy(&output.stdout);
        assert!(
            lines.contains("modules/hello/src/lib.rs") || lines.contains("lib.rs"),
            "{lines}"
        );
    }
}

/// Two modules in a workspace of their own.
struct Workspace(tempfile::TempDir);

const SOURCE: &str = "#![no_std]
#![forbid(unsafe_code)]
use kernel::prelude::*;
module! { type: It, name: \"NAME\", license: \"GPL\", }
struct It;
impl kernel::Module for It {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!(\"TEXT\\n\");
        Ok(It)
    }
}
";

impl Workspace {
    fn new(names: &[&str]) -> Workspace {
        let dir = tempfile::tempdir().unwrap();
        let members = format!("[workspace]\nresolver = \"2\"\nmembers = {names:?}\n");
        fs::write(dir.path().join("Cargo.toml"), members).unwrap();
        let workspace = Workspace(dir);
        for name in names {
            let manifest = format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
                 [dependencies]\nkoru-kernel = \"0.1\"\n"
            );
            fs::create_dir_all(workspace.path(name).join("src")).unwrap();
            fs::write(workspace.path(name).join("Cargo.toml"), manifest).unwrap();
            workspace.write(name, &SOURCE.replace("NAME", name));
        }
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, source: &str) {
        fs::write(self.path(name).join("src/lib.rs"), source).unwrap();
    }

    fn modules(&self) -> Vec<Module> {
        modules(self.0.path(), &[])
    }
}

#[test]
fn only_what_changed_is_built() {
    let _alone = alone();
    let workspace = Workspace::new(&["kb_one", "kb_two"]);
    let both = workspace.modules();
    assert_eq!(both.len(), 2);
    let tree = trees().pop().expect("a kernel");
    let names_and_news = |kos: &[Ko]| -> Vec<(String, bool)> {
        kos.iter().map(|k| (k.name.clone(), k.rebuilt)).collect()
    };
    let is = |kos: &[Ko], one: bool, two: bool| {
        let wanted = [("kb_one".to_owned(), one), ("kb_two".to_owned(), two)];
        assert_eq!(names_and_news(kos), wanted);
    };
    let first = build(&tree, &both).unwrap();
    is(&first, true, true);
    let stamp = |ko: &Ko| fs::metadata(&ko.path).unwrap().modified().unwrap();
    let before: Vec<_> = first.iter().map(stamp).collect();
    is(&build(&tree, &both).unwrap(), false, false);
    assert_eq!(first.iter().map(stamp).collect::<Vec<_>>(), before);

    let source = SOURCE.replace("NAME", "kb_one");
    workspace.write("kb_one", &source.replace("TEXT", "another text"));
    let second = build(&tree, &both).unwrap();
    is(&second, true, false);
    assert_eq!(stamp(&second[1]), before[1]);
    let bytes = fs::read(&second[0].path).unwrap();
    let contains = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
    assert!(contains(b"another text") && !contains(b"TEXT"));

    // What does not compile leaves the last good one.
    workspace.write("kb_one", &source.replace("Ok(It)", "Ok(nowhere)"));
    let error = build(&tree, &both).unwrap_err();
    assert_eq!(error.kind, Kind::Compile, "{error}");
    assert_eq!(fs::read(&second[0].path).unwrap(), bytes);
    // As does what cannot become a module.
    workspace.write("kb_one", "#![no_std]\npub use kernel as _kernel;\n");
    let error = build(&tree, &both).unwrap_err();
    assert_eq!(error.kind, Kind::Link, "{error}");
    assert!(error.message.contains("no `init_module`"), "{error}");
    assert_eq!(fs::read(&second[0].path).unwrap(), bytes);

    workspace.write("kb_one", &source.replace("TEXT", "a third text"));
    is(&build(&tree, &both).unwrap(), true, false);
    is(&build(&tree, &both).unwrap(), false, false);
    // One that is lost is made again.
    fs::remove_file(&second[1].path).unwrap();
    is(&build(&tree, &both).unwrap(), false, true);
}

#[test]
fn floats_are_refused_by_name() {
    let _alone = alone();
    let workspace = Workspace::new(&["kb_float"]);
    let source = SOURCE.replace("NAME", "kb_float").replace(
        "pr_info!(\"TEXT\\n\");",
        "let n = core::hint::black_box(3.0);\n        pr_info!(\"{}\\n\", half(n) as i64);",
    );
    workspace.write(
        "kb_float",
        &format!("{source}#[inline(never)]\nfn half(n: f64) -> f64 {{ n / 2.0 }}\n"),
    );
    for tree in trees() {
        let error = build(&tree, &workspace.modules()).unwrap_err();
        assert_eq!(error.kind, Kind::Link, "{error}");
        assert!(
            error.message.contains("floating point is used in "),
            "{error}"
        );
        assert!(error.message.contains("`kb_float::half`"), "{error}");
        assert!(error.help.is_some_and(|t| t.contains("integers")));
    }
}

#[test]
fn missing_kernel_symbol_is_named() {
    let _alone = alone();
    let workspace = Workspace::new(&["kb_symbol"]);
    let source = SOURCE
        .replace("NAME", "kb_symbol")
        .replace("#![forbid(unsafe_code)]\n", "");
    let source = source.replace(
        "pr_info!(\"TEXT\\n\");",
        "extern \"C\" { fn no_such_function(); }\n        unsafe { no_such_function() };",
    );
    workspace.write("kb_symbol", &source);
    for tree in trees() {
        let error = build(&tree, &workspace.modules()).unwrap_err();
        assert_eq!(error.kind, Kind::Link, "{error}");
        assert!(
            error.message.contains("does not export no_such_function"),
            "{error}"
        );
    }
}

#[test]
fn crates_and_workspaces_do_not_mix() {
    let _alone = alone();
    // The same name twice, in two workspaces with one target folder: each gets
    // its own text.
    let tree = trees().pop().expect("a kernel");
    for text in ["the first", "the second"] {
        let workspace = Workspace::new(&["kb_same"]);
        let source = SOURCE.replace("NAME", "kb_same").replace("TEXT", text);
        workspace.write("kb_same", &source);
        let ko = build(&tree, &workspace.modules()).unwrap().remove(0);
        let bytes = fs::read(&ko.path).unwrap();
        assert!(
            bytes.windows(text.len()).any(|w| w == text.as_bytes()),
            "{text}"
        );
    }
}
