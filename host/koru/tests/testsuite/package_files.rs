// SPDX-License-Identifier: MIT OR Apache-2.0

//! Kernels are added from package files. The packages are made here, of a kernel of set-up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common::{
    Run,
    kernels::{self, Added},
    koru,
};

fn run(command: &mut Command) {
    let done = command.output().expect("a program");
    assert!(done.status.success(), "{command:?}: {done:?}");
}

/// Makes a package of these folders and files, which are copied from `from` to the same place in
/// it.
fn deb(from: &Path, name: &str, paths: &[String], into: &Path) -> PathBuf {
    let dir = tempfile::tempdir().expect("a folder");
    for path in paths {
        let to = dir.path().join(path);
        fs::create_dir_all(to.parent().expect("a folder")).expect("making it");
        run(Command::new("cp").arg("-a").arg(from.join(path)).arg(&to));
    }
    fs::create_dir(dir.path().join("DEBIAN")).expect("making it");
    let control = format!(
        "Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: none <none@localhost>\n\
         Description: none\n"
    );
    fs::write(dir.path().join("DEBIAN/control"), control).expect("writing");
    let file = into.join(format!("{name}.deb"));
    run(Command::new("dpkg-deb")
        .args(["-Znone", "--root-owner-group", "--build"])
        .arg(dir.path())
        .arg(&file));
    file
}

/// The packages of a kernel, as Debian divides it.
struct Packages {
    dir: tempfile::TempDir,
    release: String,
    headers: PathBuf,
    common: PathBuf,
    kbuild: PathBuf,
    image: PathBuf,
}

impl Packages {
    fn new() -> Packages {
        let dir = tempfile::tempdir().expect("a folder");
        let tree = kernels::tree("6.12");
        let release = tree.release.clone();
        // The folder with what was unpacked.
        let unpacked = tree
            .build_dir
            .ancestors()
            .nth(3)
            .expect("usr/src")
            .to_owned();
        let named = |folder: &str, begin: &str| {
            let entries = fs::read_dir(unpacked.join(folder))
                .expect("a folder")
                .flatten();
            let names = entries.map(|e| e.file_name().into_string().expect("text"));
            let mut names =
                names.filter(|name| name.starts_with(begin) && !name.ends_with(&release));
            names.next().expect("a folder")
        };
        let [common, kbuild] = [
            named("usr/src", "linux-headers-"),
            named("usr/lib", "linux-kbuild-"),
        ];
        // Debian's own Makefile names the other half by an absolute path.
        let own = dir.path().join("own");
        let headers = format!("usr/src/linux-headers-{release}");
        fs::create_dir_all(own.join("usr/src")).expect("making it");
        let copy = own.join(&headers);
        run(Command::new("cp").arg("-a").arg(&tree.build_dir).arg(&copy));
        fs::write(
            copy.join("Makefile"),
            format!("include /usr/src/{common}/Makefile\n"),
        )
        .expect("writing");
        let image = format!("boot/vmlinuz-{release}");
        fs::create_dir(own.join("boot")).expect("making it");
        let users = tree.image.as_ref().expect("an image");
        fs::copy(users, own.join(&image)).expect("copying");
        let module = format!("lib/modules/{release}/kernel/none");
        fs::create_dir_all(own.join(&module)).expect("making it");
        let into = dir.path().to_owned();
        Packages {
            headers: deb(&own, &format!("linux-headers-{release}"), &[headers], &into),
            image: deb(
                &own,
                &format!("linux-image-{release}"),
                &[image, module],
                &into,
            ),
            common: deb(&unpacked, &common, &[format!("usr/src/{common}")], &into),
            kbuild: deb(&unpacked, &kbuild, &[format!("usr/lib/{kbuild}")], &into),
            dir,
            release,
        }
    }
}

fn add(added: &Added, files: &[&PathBuf]) -> Run {
    let words = files.iter().map(|file| file.as_os_str());
    let command = ["kernel", "add"].map(std::ffi::OsStr::new);
    let run = koru(command.into_iter().chain(words));
    run.env("KORU_CACHE", added.cache()).run()
}

#[test]
fn kernel_of_package_files_builds_and_boots() {
    let packages = Packages::new();
    let Packages {
        headers,
        common,
        kbuild,
        image,
        ..
    } = &packages;
    let added = Added::without_kernels();
    // A package that is missing is named, and nothing is left.
    let name = |file: &PathBuf| {
        file.file_stem()
            .expect("a name")
            .to_str()
            .expect("text")
            .to_owned()
    };
    for (files, missing) in [
        (&[headers, kbuild, image][..], common),
        (&[headers, common, image], kbuild),
        (&[common, kbuild, image], headers),
    ] {
        let missing = format!("give {} too", name(missing));
        add(&added, files).exits(2).says(&missing);
    }
    let kept = fs::read_dir(added.cache().join("kernels")).expect("a folder");
    assert_eq!(kept.count(), 0);
    let text = packages.dir.path().join("x.txt");
    fs::write(&text, "x").expect("writing");
    add(&added, &[headers, &text])
        .exits(2)
        .says("x.txt is no package");
    fs::write(packages.dir.path().join("y.rpm"), "x").expect("writing");
    add(&added, &[&packages.dir.path().join("y.rpm")])
        .exits(2)
        .says("y.rpm");
    // All of them make a kernel that boots.
    let release = &packages.release;
    add(&added, &[image, headers, common, kbuild])
        .exits(0)
        .prints(release);
    let koru = |arguments: &[&str]| koru(arguments).env("KORU_CACHE", added.cache()).run();
    koru(&["run", "hello"]).exits(0).prints("Hello world");
    add(&added, &[headers, common, kbuild])
        .exits(2)
        .says(&format!("koru kernel remove {release}"));
    koru(&["kernel", "remove", release]).exits(0);
    // Without the image, modules can be built.
    add(&added, &[headers, common, kbuild])
        .exits(0)
        .prints("build only")
        .says(&format!(
            "give linux-image-{release} or linux-binary-{release} too"
        ));
}
