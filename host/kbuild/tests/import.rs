// SPDX-License-Identifier: MIT OR Apache-2.0

//! Sends and imports a build directory as Debian installs it, and builds a module with the result.

use std::{
    fs,
    io::Read,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use koru_error::{Error, Kind};
use koru_kbuild::{BuildOptions, Builder, ModInfo, find_modules};
use koru_kernels::{Cache, Home, KernelTree, Kernels, NoProgress, SUPPORTED, pack_script};

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

/// Lays a tree out like on a machine with Debian's packages, whose halves name each other by
/// absolute paths. Returns the build directory.
fn install(tree: &KernelTree, root: &Path) -> PathBuf {
    let kept = home().cache.join("kernels").join(&tree.release).join("usr");
    let copied = Command::new("cp").arg("-a").arg(&kept).arg(root).status();
    assert!(copied.expect("cp").success());
    let headers = root
        .join("usr/src")
        .join(format!("linux-headers-{}", tree.release));
    let makefile = headers.join("Makefile");
    let text = fs::read_to_string(&makefile).unwrap();
    let (_, other) = text.trim().rsplit_once("/linux-headers").unwrap();
    let include = format!("include {}/usr/src/linux-headers{other}\n", root.display());
    fs::write(&makefile, include).unwrap();
    let scripts = headers.join("scripts");
    let target = scripts.canonicalize().unwrap();
    fs::remove_file(&scripts).unwrap();
    symlink(target, &scripts).unwrap();
    // These files are large and not needed.
    fs::write(headers.join("leftover.o"), "x").unwrap();
    fs::create_dir(headers.join("Documentation")).unwrap();
    fs::write(headers.join("Documentation/page"), "x").unwrap();
    let build = root.join("lib/modules").join(&tree.release).join("build");
    fs::create_dir_all(build.parent().unwrap()).unwrap();
    symlink(&headers, &build).unwrap();
    build
}

/// Packs a build directory in a shell, as the other machine does, and imports the result.
fn import(kernels: &Kernels, release: &str, build: &Path) -> Result<KernelTree, Error> {
    kernels.import(release, &NoProgress, |take| {
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(pack_script(build.to_str().unwrap()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let mut archive = Vec::new();
        let mut out = shell.stdout.take().unwrap();
        out.read_to_end(&mut archive).unwrap();
        let status = shell.wait().unwrap();
        if !status.success() {
            let wrong = format!("{:?}", status.code());
            return Err(Error::new(Kind::System, "packing", wrong));
        }
        archive.chunks(1000).for_each(|part| take(part).unwrap());
        Ok(())
    })
}

fn build_with(tree: &KernelTree) {
    let home = home();
    let mut modules = find_modules(&home, &home.root, &["hello".into()]).unwrap();
    modules[0].target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("import");
    let builder = Builder::new(&home, tree, &NoProgress).unwrap();
    let built = builder.build(&modules, BuildOptions::default(), &NoProgress);
    let (kos, _) = built.unwrap_or_else(|e| panic!("{e} {:?}", e.output));
    let info = ModInfo::read(&kos[0].path).unwrap();
    assert_eq!(info.release(), Some(&*tree.release));
}

#[test]
#[ignore = "takes long"]
fn module_builds_with_fetched_headers() {
    for tree in trees() {
        let machine = tempfile::tempdir().unwrap();
        let build = install(&tree, machine.path());
        let here = tempfile::tempdir().unwrap();
        let kernels = Kernels::new(&Cache::new(here.path()));
        let kept = import(&kernels, &tree.release, &build).unwrap();
        assert!(
            kept.build_dir
                .starts_with(here.path().canonicalize().unwrap())
        );
        assert!(kernels.list().unwrap()[0].downloaded);
        // Nothing of the original may be needed any more.
        drop(machine);
        assert!(!kept.build_dir.join("leftover.o").exists());
        assert!(!kept.build_dir.join("Documentation").exists());

        assert!(kept.build_dir.join("Module.symvers").is_file());
        // Building takes long, so only the newer kernel is tried, which needs more of its headers.
        if tree.release.starts_with("6.12") {
            build_with(&kept);
        }
        kernels.remove(&tree.release, &NoProgress).unwrap();
        assert!(kernels.exactly(&tree.release).is_none());
    }
}

#[test]
fn incomplete_headers_are_not_kept() {
    let machine = tempfile::tempdir().unwrap();
    let here = tempfile::tempdir().unwrap();
    let kernels = Kernels::new(&Cache::new(here.path()));
    let wrong = |build: &Path| {
        import(&kernels, "6.1.0-9-amd64", build)
            .unwrap_err()
            .message
    };
    assert_eq!(wrong(&machine.path().join("none")), "Some(3)");
    assert_eq!(wrong(machine.path()), "Some(3)");
    // The headers are of another kernel.
    for file in ["Makefile", ".config", "include/generated/utsrelease.h"] {
        let file = machine.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "#define UTS_RELEASE \"6.1.0-8-amd64\"\n").unwrap();
    }
    assert!(wrong(machine.path()).contains("no build directory of this kernel"));
    let broken = kernels.import("6.1.0-9-amd64", &NoProgress, |take| {
        take(b"no archive").unwrap();
        Ok(())
    });
    assert!(broken.unwrap_err().message.contains("tar failed"));
    assert_eq!(kernels.releases(), [""; 0]);
}
