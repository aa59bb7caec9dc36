// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru new`: writes a module that builds, with its test, from a template.

mod lab;
mod workspace;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::Builder;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::{
    cli::{KernelChoice, NewArgs, Template},
    context::Context,
    judging::folders::PUBLIC,
    ui::json,
};
use lab::Lab;
use workspace::Workspace;

/// The files of a module in this checkout, in addition to its source.
const INSIDE: [(&str, &str); 2] = [
    (
        "Cargo.toml",
        include_str!("../../../templates/workspace-Cargo.toml.in"),
    ),
    (
        "Makefile",
        include_str!("../../../templates/workspace-Makefile.in"),
    ),
];

/// The files of a module elsewhere, in addition to its source.
const OUTSIDE: [(&str, &str); 3] = [
    (
        "Cargo.toml",
        include_str!("../../../templates/Cargo.toml.in"),
    ),
    (
        "tests/Cargo.toml",
        include_str!("../../../templates/tests-Cargo.toml.in"),
    ),
    ("Makefile", include_str!("../../../../../modules/koru.mk")),
];

/// Returns the source of a module and of its test.
fn sources(template: Template) -> (&'static str, &'static str) {
    match template {
        Template::Hello => (
            include_str!("../../../templates/hello/lib.rs"),
            include_str!("../../../templates/hello/test.rs"),
        ),
        Template::Proc => (
            include_str!("../../../templates/proc/lib.rs"),
            include_str!("../../../templates/proc/test.rs"),
        ),
        Template::Chardev => (
            include_str!("../../../templates/chardev/lib.rs"),
            include_str!("../../../templates/chardev/test.rs"),
        ),
    }
}

pub fn new(context: &Context, args: &NewArgs) -> Result<u8> {
    let attempted = format!("making the module {}", args.path.display());
    let folder = context.cwd.join(&args.path);
    let name = folder
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default()
        .to_owned();
    if let Err(message) = check_name(&name) {
        return Err(Error::new(Kind::Usage, attempted, message)
            .help("use lower-case letters, digits and _, such as `my_timer`"));
    }
    if folder.exists() {
        return Err(Error::new(
            Kind::Usage,
            attempted,
            format!("{} is there already", folder.display()),
        )
        .help("choose another name, or move it away"));
    }
    let root = &context.home.root;
    let inside = [root.join("modules"), root.join("tests/modules")]
        .iter()
        .any(|modules| folder.parent() == Some(modules));
    let workspace = match inside || args.lab.is_some() {
        true => None,
        false => Workspace::around(&folder, root)?,
    };
    let lab = match &args.lab {
        Some(contract) => Some(lab::lab(context, contract, &name, args.template.is_none())?),
        None => None,
    };
    let files = match lab {
        None => files(args, &name, inside, workspace.is_some()),
        Some(lab) => files_of_lab(args, lab)?,
    };
    // Editor support needs a kernel; without one, `koru editor` can add it later.
    let needs_kernel = args.kernel.or_environment().is_made();
    let in_c = args.lab.is_some() && args.template.is_none();
    let tree = match !inside && !in_c && (needs_kernel || !context.kernels.releases().is_empty()) {
        true => Some(context.tree(&args.kernel)?),
        false => None,
    };
    let builder = tree
        .as_ref()
        .map(|tree| Builder::new(&context.home, tree, &*context.ui))
        .transpose()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, interrupted.clone()).context("waiting for Ctrl-C")?;
    }
    let parent = folder.parent().unwrap_or(Path::new("/"));
    let parents = NewFolders::make(parent)?;
    make(context, &folder, &files, builder.as_ref(), &interrupted)?;
    if interrupted.load(Ordering::Relaxed) {
        return Ok(130);
    }
    if let Some(Err(e)) = workspace.map(|workspace| workspace.write()) {
        let _ = fs::remove_dir_all(&folder);
        return Err(e);
    }
    parents.keep();
    if context.json {
        json(&serde_json::json!({ "module": name, "folder": folder }));
    }
    let path = args.path.display();
    context.ui.say(&match args.lab {
        Some(_) => format!(
            "created {path}/\n  {path}/HANDOUT.md says what the module promises\n\nnext:\n  cd \
             {path}\n  koru test"
        ),
        None => format!(
            "created {path}/\n  {path}/src/lib.rs is the module\n\nnext:\n  cd {path}\n  koru run"
        ),
    });
    Ok(0)
}

/// Returns the files of a new module: their paths in its folder, and their texts.
fn files(args: &NewArgs, name: &str, inside: bool, in_workspace: bool) -> Vec<(PathBuf, Vec<u8>)> {
    let (lib, test) = sources(args.template.unwrap_or(Template::Hello));
    let mut files: Vec<(PathBuf, String)> = vec![("src/lib.rs".into(), lib.to_owned())];
    let more: &[(&str, &str)] = if inside { &INSIDE } else { &OUTSIDE };
    files.extend(
        more.iter()
            .map(|(path, text)| (path.into(), (*text).to_owned())),
    );
    // In this checkout, the tests of all modules are together.
    if !inside {
        files.push((format!("tests/{name}.rs").into(), test.to_owned()));
        files.push((
            ".gitignore".into(),
            "/target\n/.cargo\n/.vscode\n".to_owned(),
        ));
    }
    for (path, text) in &mut files {
        if in_workspace && path == Path::new("Cargo.toml") {
            // The workspace around is that of the module as well.
            let own = text.find("\n[workspace]").unwrap_or(text.len());
            text.truncate(own);
        }
        if path == Path::new("Makefile") {
            *text = makefile(text, &args.kernel);
        }
        *text = fill(text, name);
    }
    let bytes = |(path, text): (PathBuf, String)| (path, text.into_bytes());
    files.into_iter().map(bytes).collect()
}

/// Returns the files of a lab, with those of a template in Rust if the student wants one. The
/// promises take the place of the template's test.
fn files_of_lab(args: &NewArgs, lab: Lab) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let name = lab.name;
    check_name(&name).map_err(|message| {
        Error::new(Kind::Usage, format!("making the module {name}"), message)
            .help("the contract's `module` says what the module is called")
    })?;
    let filled = |text: &[u8]| fill(&String::from_utf8_lossy(text), &name);
    let mut all: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    if let Some(template) = args.template {
        let own = OUTSIDE[0].1.replace("members = [\"tests\"]\n", "");
        for (path, text) in [("src/lib.rs", sources(template).0), ("Cargo.toml", &own)] {
            all.push((path.into(), filled(text.as_bytes()).into_bytes()));
        }
    }
    for (path, content) in lab.files {
        // The contract has words of its own.
        match path.starts_with(PUBLIC) || path.ends_with("HANDOUT.md") {
            true => all.push((path, content)),
            false => {
                let path = fill(&path.to_string_lossy(), &name);
                all.push((path.into(), filled(&content).into_bytes()));
            }
        }
    }
    all.push((
        ".gitignore".into(),
        b"/target\n/.cargo\n/.vscode\n".to_vec(),
    ));
    Ok(all)
}

/// Returns a Makefile that uses the kernel that the module was made for.
fn makefile(text: &str, kernel: &KernelChoice) -> String {
    let line = match (&kernel.kernel, &kernel.kdir) {
        (Some(release), _) => format!("export KORU_KERNEL ?= {release}\n"),
        (None, Some(dir)) => {
            let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.clone());
            // make reads `$` and `#` in its own way.
            let dir = dir.display().to_string();
            format!("KDIR ?= {}\n", dir.replace('$', "$$").replace('#', "\\#"))
        }
        (None, None) => return text.to_owned(),
    };
    format!("{line}\n{text}")
}

/// Makes the folder of a module. It is made under another name and renamed at the very end, so
/// that an error or Ctrl-C leaves no half of it.
fn make(
    context: &Context,
    folder: &Path,
    files: &[(PathBuf, Vec<u8>)],
    builder: Option<&Builder<'_>>,
    interrupted: &AtomicBool,
) -> Result<()> {
    let parent = folder.parent().unwrap_or(Path::new("/"));
    let staging = tempfile::Builder::new()
        .prefix(".koru-new.")
        .tempdir_in(parent)
        .path_context("making a folder in", parent)?;
    for (path, content) in files {
        write(&staging.path().join(path), content).path_context("writing into", folder)?;
    }
    if let Some(builder) = builder {
        let written = super::editor::write(context, staging.path(), builder);
        match interrupted.load(Ordering::Relaxed) {
            // Ctrl-C reaches the programs that this runs as well.
            true => return Ok(()),
            false => written?,
        };
    }
    open_to_all(staging.path()).path_context("making", folder)?;
    if interrupted.load(Ordering::Relaxed) {
        return Ok(());
    }
    fs::rename(staging.path(), folder).path_context("making", folder)?;
    let _ = staging.keep();
    Ok(())
}

/// The folders above a new module that were made for it. They are removed when this is dropped,
/// unless they are kept.
struct NewFolders(Vec<PathBuf>);

impl NewFolders {
    fn make(folder: &Path) -> Result<NewFolders> {
        let missing = folder.ancestors().take_while(|dir| !dir.exists());
        let folders = NewFolders(missing.map(Path::to_owned).collect());
        fs::create_dir_all(folder).path_context("making", folder)?;
        Ok(folders)
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for NewFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // This fails if something else is in it.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}

/// Gives a folder the usual permissions. A temporary folder is only for its owner.
fn open_to_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(mask);
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777 & !mask.bits()))
}

fn fill(text: &str, name: &str) -> String {
    text.replace("@NAME@", name).replace("@TYPE@", &camel(name))
}

/// Converts `my_timer` to `MyTimer`.
fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            match letters.next() {
                Some(first) => first.to_ascii_uppercase().to_string() + letters.as_str(),
                None => String::new(),
            }
        })
        .collect()
}

/// Checks that the kernel, cargo and Rust all accept a name.
fn check_name(name: &str) -> std::result::Result<(), String> {
    const KEYWORDS: [&str; 12] = [
        "core", "kernel", "std", "alloc", "mod", "fn", "struct", "self", "crate", "super", "type",
        "test",
    ];
    let letters = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if name.is_empty() || !letters || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(format!("`{name}` cannot be a module's name"));
    }
    // MODULE_NAME_LEN is 64 minus the size of a pointer.
    if name.len() > 55 {
        return Err("a module's name has at most 55 letters".into());
    }
    if KEYWORDS.contains(&name) {
        return Err(format!("`{name}` is a reserved name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["hello", "my_timer", "a1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "My", "a-b", "a b", "kernel", &"a".repeat(56)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn types() {
        assert_eq!(camel("my_timer"), "MyTimer");
        assert_eq!(camel("demo1"), "Demo1");
    }
}
