// SPDX-License-Identifier: MIT OR Apache-2.0

//! The cache goes to another machine in one file, and stays as small as its user wants it.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use flate2::{Compression, write::GzEncoder};
use rustix::process::Signal;
use tar::{Builder, EntryType, Header};

use crate::common::{
    Koru, Run,
    kernels::{self, Added},
    koru, koru_by, root,
};

/// Returns an export with the kernel 6.12 only.
fn exported() -> &'static Path {
    static EXPORTED: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, file) = EXPORTED.get_or_init(|| {
        let added = Added::with_kernel("6.12");
        let dir = tempfile::tempdir().expect("a folder");
        let run = koru(["cache", "export", "class.tar.gz", "--json"])
            .env("KORU_CACHE", added.cache())
            .dir(dir.path())
            .run();
        let report = run.exits(0).json();
        let kernel = format!("kernels/{}", kernels::tree("6.12").release);
        let entries = report["entries"].as_array().expect("a list");
        assert!(entries.contains(&kernel.into()), "{run}");
        assert!(entries.contains(&"tools/busybox".into()), "{run}");
        assert!(report["crates"].as_u64() > Some(50), "{run}");
        assert_eq!(fs::read_dir(dir.path()).expect("it").count(), 1, "{run}");
        let file = dir.path().join("class.tar.gz");
        (dir, file)
    });
    file
}

/// Another machine: a home of its own, and no network.
struct Machine {
    home: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        let home = tempfile::tempdir().expect("a folder");
        Machine { home }
    }

    fn cache(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    fn koru(&self, arguments: &[&str]) -> Koru {
        self.koru_with(&[], arguments)
    }

    fn koru_with(&self, options: &[&str], arguments: &[&str]) -> Koru {
        let script = root().join("koru");
        let bwrap = ["bwrap", "--dev-bind", "/", "/", "--unshare-net"];
        let command = bwrap.iter().chain(options).chain(&["--"]);
        let command = command.map(OsStr::new).chain([script.as_os_str()]);
        koru_by(command, arguments)
            .dir(self.home.path())
            .env("KORU_CACHE", self.cache())
            .env("CARGO_HOME", self.home.path().join("cargo"))
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.koru(arguments).run()
    }

    fn import(&self, file: &Path) -> Run {
        self.run(&["cache", "import", file.to_str().expect("text")])
    }

    /// Checks that an import has left nothing.
    #[track_caller]
    fn is_empty(&self) {
        let entries = fs::read_dir(self.cache()).into_iter().flatten().flatten();
        let names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        assert!(names.iter().all(|name| name == "locks"), "{names:?}");
        assert!(!self.home.path().join("cargo/registry").exists());
    }
}

#[test]
#[ignore = "takes long"]
fn imported_cache_is_all_that_a_machine_needs() {
    let machine = Machine::new();
    let run = machine.run(&["new", "early"]);
    assert!(!run.status.success() || !machine.cache().join("kernels").exists());
    let run = machine.import(exported());
    run.exits(0)
        .says("added kernels/6.12.")
        .says("crates added");
    machine.run(&["new", "demo1"]).exits(0);
    let run = machine.koru(&["run"]);
    let run = run.dir(&machine.home.path().join("demo1")).run();
    run.exits(0).prints("demo1");
    // What is there stays.
    let again = machine.run(&[
        "cache",
        "import",
        exported().to_str().expect("text"),
        "--json",
    ]);
    let report = again.exits(0).json();
    assert_eq!(report["added"], serde_json::json!([]), "{again}");
    assert_eq!(report["crates"], 0, "{again}");
    assert!(!report["present"].as_array().expect("a list").is_empty());
}

#[test]
#[ignore = "takes long"]
fn import_adds_to_the_kernels_that_are_here() {
    let (added, machine) = (Added::with_kernel("6.1"), Machine::new());
    // What is imported must not go to the cache that the tests share.
    let [from, to] = [added.cache(), machine.cache()].map(|c| c.join("kernels"));
    fs::create_dir_all(&to).expect("a folder");
    let release = kernels::tree("6.1").release;
    std::os::unix::fs::symlink(from.join(&release), to.join(&release)).expect("a link");
    machine.import(exported()).exits(0);
    let list = machine.run(&["kernel", "list"]);
    let list = list.exits(0);
    list.prints(&release).prints(&kernels::tree("6.12").release);
}

#[test]
#[ignore = "takes long"]
fn damaged_file_is_refused() {
    let machine = Machine::new();
    let bad = machine.home.path().join("bad.tar.gz");
    let whole = fs::read(exported()).expect("the export");
    fs::write(&bad, &whole[..whole.len() - 1000]).expect("writing");
    machine.import(&bad).exits(1).says("nothing was imported");
    machine.is_empty();
    // One wrong bit in the middle.
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    fs::write(&bad, &flipped).expect("writing");
    machine.import(&bad).exits(1).says("nothing was imported");
    machine.is_empty();
    // A checksum that is not that of the content.
    let mut other = whole.clone();
    other[whole.len() - 8] ^= 1;
    fs::write(&bad, &other).expect("writing");
    machine.import(&bad).exits(1).says("nothing was imported");
    machine.is_empty();
    fs::write(&bad, "something else").expect("writing");
    machine.import(&bad).exits(1).says("koru cache export");
    machine
        .import(Path::new("/nowhere"))
        .exits(1)
        .says("/nowhere");
    machine.is_empty();
}

/// Writes an archive with these entries: their kind, their name, and where they lead to.
fn write_archive(file: &Path, entries: &[(EntryType, &str, &str)]) {
    let zip = GzEncoder::new(File::create(file).expect("a file"), Compression::fast());
    let mut tar = Builder::new(zip);
    for (kind, name, link) in entries {
        let mut header = Header::new_old();
        // The library refuses to write some of these names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_mtime(0);
        header.set_size(0);
        header.set_cksum();
        tar.append(&header, io::empty()).expect("writing");
    }
    tar.into_inner()
        .and_then(GzEncoder::finish)
        .expect("writing");
}

#[test]
fn file_that_leads_out_of_the_cache_is_refused() {
    use EntryType::{Directory, Link, Regular, Symlink};
    let outside = tempfile::tempdir().expect("a folder");
    let place = outside.path().to_str().expect("text");
    let absolute = format!("{place}/x");
    let machine = Machine::new();
    let bad = machine.home.path().join("bad.tar.gz");
    let kernel = (Directory, "kernels/1.2", "");
    let cases: [(&[_], _); 9] = [
        (&[(Regular, "../x", "")], "leads out of the cache"),
        (&[(Regular, "kernels/1.2/../../../x", "")], "leads out of"),
        (&[(Regular, &absolute, "")], "leads out of the cache"),
        (
            &[kernel, (Symlink, "kernels/1.2/a", "../../../x")],
            "outside",
        ),
        (
            &[
                kernel,
                (Symlink, "kernels/1.2/a", place),
                (Regular, "kernels/1.2/a/x", ""),
            ],
            "it is behind a link",
        ),
        (&[(Symlink, "kernels/1.2", place)], "no such entry"),
        (&[(Regular, "locks/a/b", "")], "no such entry"),
        (&[(Regular, "kernels/.1.2/b", "")], "no such entry"),
        (&[kernel, (Link, "kernels/1.2/a", place)], "no such entry"),
    ];
    for (entries, why) in cases {
        write_archive(&bad, entries);
        machine.import(&bad).exits(1).says(why);
        machine.is_empty();
        assert_eq!(fs::read_dir(outside.path()).expect("it").count(), 0);
    }
}

#[test]
fn ctrl_c_leaves_no_half_of_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = root().join("koru");
    let words = ["sh", "-c", "exec \"$0\" \"$@\" 2>&1"].map(OsStr::new);
    let export = ["cache", "export", "class.tar.gz"];
    let words = words.into_iter().chain([script.as_os_str()]);
    let mut running = koru_by(words, export).dir(dir.path()).start();
    running.wait_for_output("writing class.tar.gz");
    running.signal_all(Signal::INT);
    running.end().exits(130);
    assert_eq!(fs::read_dir(dir.path()).expect("it").count(), 0);
}

#[test]
#[ignore = "takes long"]
fn full_disk_is_told_and_leaves_nothing() {
    let machine = Machine::new();
    let full = machine.home.path().join("full");
    fs::create_dir(&full).expect("a folder");
    let full = full.to_str().expect("text");
    let options = ["--size", "4000000", "--tmpfs", full];
    let import = ["cache", "import", exported().to_str().expect("text")];
    let run = machine.koru_with(&options, &import);
    let run = run.env("KORU_CACHE", full).run();
    run.exits(1)
        .says("No space left")
        .says("free some disk space at");
    let file = format!("{full}/class.tar.gz");
    let run = machine.koru_with(&options, &["cache", "export", &file]);
    let run = run.env("KORU_CACHE", kernels::cache());
    // The crates are in the user's own folder.
    let home = std::env::var_os("HOME").expect("a home");
    let cargo = std::env::var_os("CARGO_HOME").unwrap_or(Path::new(&home).join(".cargo").into());
    let run = run.env("CARGO_HOME", cargo).run();
    run.exits(1)
        .says("No space left")
        .says("free some disk space");
}

#[test]
fn cache_without_kernels_is_not_exported() {
    let added = Added::without_kernels();
    let run = koru(["cache", "export", "/tmp/never"]).env("KORU_CACHE", added.cache());
    run.run().exits(3).says("koru setup");
}

/// Gives a cache a folder of its own in the place of one that the tests share.
fn own_folder(added: &Added, name: &str) -> PathBuf {
    let folder = added.cache().join(name);
    fs::remove_file(&folder).expect("a link");
    fs::create_dir(&folder).expect("a folder");
    folder
}

#[test]
fn cache_is_trimmed_but_keeps_its_kernels() {
    let added = Added::with_kernel("6.12");
    let saved = own_folder(&added, "guest").join("saved/never");
    fs::create_dir_all(&saved).expect("a folder");
    fs::write(saved.join("ram"), [1; 1 << 16]).expect("writing");
    added.run(&["doctor"]).prints("saved guests");
    let run = added.run(&["clean", "--max-size", "1"]);
    run.exits(2).says("--cache");
    // It was used just now.
    let run = added.run(&["clean", "--cache", "--unused-for", "1", "--json"]);
    assert_eq!(
        run.exits(0).json()["removed"],
        serde_json::json!([]),
        "{run}"
    );
    let run = added.run(&["clean", "--cache", "--max-size", "0"]);
    run.exits(0).says("guest/saved/never");
    assert!(!saved.exists());
    let list = added.run(&["kernel", "list"]);
    list.exits(0).prints(&kernels::tree("6.12").release);
    // Nothing is removed through a link.
    let shared = added.cache().join("sysroots");
    assert!(fs::read_dir(shared).expect("a folder").count() > 0);
}

#[test]
#[ignore = "takes long"]
fn builds_go_on_after_the_cache_was_removed() {
    let added = Added::with_kernel("6.12");
    let sysroots = own_folder(&added, "sysroots");
    let dir = tempfile::tempdir().expect("a folder");
    let build = |from: &Path| {
        let demo = dir.path().join("demo");
        let run = added.koru(&["build", demo.to_str().expect("text")]);
        run.dir(from).run().exits(0);
    };
    added.koru(&["new", "demo"]).dir(dir.path()).run().exits(0);
    build(dir.path());
    fs::remove_dir_all(sysroots).expect("a folder");
    let code = dir.path().join("demo/src/lib.rs");
    let text = fs::read_to_string(&code).expect("code");
    fs::write(&code, format!("{text}\n// Changed.\n")).expect("writing");
    build(Path::new("/"));
}
