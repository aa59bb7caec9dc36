// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules in C have the whole workflow: a folder with a Kbuild or Makefile, one file, a built
//! module.

use std::{fs, path::Path};

use rustix::process::Signal;

use crate::common::{self, KERNELS, Koru, Vm, koru};

/// A module that logs a message on load and on unload.
const HELLO: &str = r#"
#include <linux/module.h>
static int __init lab_init(void) { pr_info("lab: hello\n"); return 0; }
static void __exit lab_exit(void) { pr_info("lab: bye\n"); }
module_init(lab_init);
module_exit(lab_exit);
MODULE_LICENSE("GPL");
"#;

/// A folder of the user's.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn koru<const N: usize>(&self, arguments: [&str; N]) -> Koru {
        koru(arguments).dir(self.path())
    }

    /// Returns the names of the files in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap().flatten();
        let mut names: Vec<String> = entries
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn folder_with_a_kbuild_runs() {
    let folder = Folder::new(&[("lab.c", HELLO), ("Kbuild", "obj-m := lab.o\n")]);
    for kernel in KERNELS {
        let run = folder.koru(["run", "--kernel", kernel, "--", "cat", "/proc/modules"]);
        run.run().exits(0).prints("lab ");
    }
    // The build leaves the folder as it was.
    assert_eq!(folder.names(), ["Kbuild", "lab.c"]);
    // From elsewhere, by path.
    koru(["run".as_ref(), folder.path().as_os_str()])
        .run()
        .exits(0)
        .prints("lab: hello\n")
        .prints("lab: bye\n");
}

/// Only what changed is built, and what was deleted is gone.
#[test]
fn edits_are_built() {
    let folder = Folder::new(&[
        (
            "lab.c",
            &format!("#include \"word.h\"\n{HELLO}").replace("hello", "\" WORD \""),
        ),
        ("word.h", "#define WORD \"one\"\n"),
        ("Makefile", "obj-m := lab.o\n"),
    ]);
    let ko = |run: common::Run| run.exits(0).json()[0].clone();
    assert_eq!(ko(folder.koru(["build", "--json"]).run())["rebuilt"], true);
    assert_eq!(ko(folder.koru(["build", "--json"]).run())["rebuilt"], false);
    folder.write("word.h", "#define WORD \"two\"\n");
    folder.koru(["run"]).run().exits(0).prints("lab: two\n");
    fs::remove_file(folder.path().join("word.h")).unwrap();
    folder
        .koru(["run"])
        .run()
        .exits(1)
        .says("word.h: No such file or directory")
        .says(&format!("{}/lab.c:1:", folder.path().display()));
    folder.koru(["clean"]).run().exits(0);
}

#[test]
fn one_file_runs() {
    let folder = Folder::new(&[("my lab.c", HELLO), ("other.c", "this is no C")]);
    folder
        .koru(["run", "my lab.c"])
        .run()
        .exits(0)
        .prints("lab: hello\n");
    // What else is in the folder, which may be a home, is neither copied nor read.
    let large = fs::File::create(folder.path().join("large")).unwrap();
    large.set_len(2 << 30).unwrap();
    folder.write("secret", "#error \"it was read\"\n");
    let secret = format!("#include \"{}/secret\"\n{HELLO}", folder.path().display());
    folder.write("reads.c", &secret);
    let run = folder.koru(["build", "reads.c"]).run();
    run.exits(1).says("secret: No such file or directory");
    fs::remove_file(folder.path().join("reads.c")).unwrap();
    let choice = folder.koru(["run"]).run();
    choice
        .exits(2)
        .says("name one of the files here: my lab.c, other.c");
}

#[test]
fn what_is_not_there_is_said() {
    let folder = Folder::new(&[("sub/lab.c", HELLO), ("sub/Makefile", "obj-m := lab.o\n")]);
    folder
        .koru(["build", "no.c"])
        .run()
        .exits(2)
        .says("there is no such file");
    folder
        .koru(["build", "./no"])
        .run()
        .exits(2)
        .says("no such folder");
    folder
        .koru(["build", "."])
        .run()
        .exits(2)
        .says("it has neither a Cargo.toml nor a Kbuild or Makefile")
        .says("name one of its folders: sub/");
}

/// The compiler, the kernel's path and what follows the build make no difference.
#[test]
#[ignore = "takes long"]
fn makefiles_of_all_kinds_build() {
    let own_way = "KDIR := /usr/src/linux-headers-of-another-kernel\nCC = no-such-compiler\n\
                   obj-m += lab.o\n\nall:\n\tmake -C $(KDIR) M=$(PWD) modules\n\tsudo insmod lab.ko\n";
    let guarded = "ifneq ($(KERNELRELEASE),)\nobj-m := lab.o\nelse\n\
                   all:\n\t$(MAKE) -C /lib/modules/`uname -r`/build M=`pwd`\nendif\n";
    let generated = "KERNELDIR ?= /lib/modules/$(shell uname -r)/build\nall:\n\
                     \tmkdir -p gen && cp lab.c gen/\n\techo 'obj-m := lab.o' > gen/Kbuild\n\
                     \t$(MAKE) -C $(KERNELDIR) M=$(CURDIR)/gen modules\n\tsudo insmod gen/lab.ko\n";
    for makefile in [own_way, guarded, generated] {
        let folder = Folder::new(&[("lab.c", HELLO), ("Makefile", makefile)]);
        let run = folder.koru(["run"]).run();
        run.exits(0).prints("lab: hello\n");
    }
}

#[test]
fn warnings_are_shown_and_never_fatal() {
    let makefile = "$(warning look here)\nobj-m := lab.o\n";
    let unused = format!("{HELLO}\nstatic int unused_one(void) {{ return 1; }}\n");
    let folder = Folder::new(&[("lab.c", &unused), ("Makefile", makefile)]);
    folder
        .koru(["build"])
        .run()
        .exits(0)
        .says("look here")
        .says("unused_one");
}

/// Sources may include files of their repository.
#[test]
fn repository_around_a_folder_is_read() {
    let folder = Folder::new(&[
        (".git/HEAD", ""),
        ("include/word.h", "#define WORD \"near\"\n"),
        (
            "labs/my lab/lab.c",
            &format!("#include \"../../include/word.h\"\n{HELLO}").replace("hello", "\" WORD \""),
        ),
        ("labs/my lab/Kbuild", "obj-m := lab.o\n"),
    ]);
    folder
        .koru(["run", "labs/my lab"])
        .run()
        .exits(0)
        .prints("lab: near\n");
    folder.write("include/word.h", "#define WORD \"far\"\n");
    folder
        .koru(["run", "labs/my lab"])
        .run()
        .exits(0)
        .prints("lab: far\n");
}

const NEEDED: &str = "#include <linux/module.h>\nint lab_value(void) { return 42; }\n\
                      EXPORT_SYMBOL_GPL(lab_value);\nMODULE_LICENSE(\"GPL\");\n";

/// A module that needs one of its folder and one of the kernel's own.
const NEEDS: &str = r#"
#include <linux/module.h>
#include <linux/crc-t10dif.h>
int lab_value(void);
static int __init top_init(void)
{
	pr_info("top: %d, %d\n", lab_value(), crc_t10dif("x", 1) != 0);
	return 0;
}
static void __exit top_exit(void) { pr_info("top: bye\n"); }
module_init(top_init);
module_exit(top_exit);
MODULE_LICENSE("GPL");
"#;

#[test]
fn needed_modules_are_loaded_before() {
    let folder = Folder::new(&[
        ("base.c", NEEDED),
        ("top.c", NEEDS),
        ("Kbuild", "obj-m := top.o base.o\n"),
    ]);
    for kernel in KERNELS {
        let run = folder.koru(["run", "--kernel", kernel]).run();
        run.exits(0).prints("top: 42, 1\n").prints("top: bye\n");
    }
    let vm = Vm::new();
    let loads = |arguments: &[&str]| vm.koru(arguments).dir(folder.path()).run_and_leave();
    loads(&["load"]).exits(0).prints("top: 42, 1\n");
    // The modules that are needed stay, and so need not be loaded again.
    loads(&["reload"])
        .exits(0)
        .prints("top: bye\n")
        .prints("top: 42, 1\n");
    loads(&["unload", "top"]).exits(0);
    loads(&["list"]).exits(0).prints("base");
}

/// The author's own Kbuild names a file that a build by hand would have left.
#[test]
#[ignore = "takes long"]
fn modules_of_other_folders_are_built_and_loaded_before() {
    let kbuild = "obj-m := top.o\nKBUILD_EXTRA_SYMBOLS := $(src)/../deep/base/Module.symvers\n";
    let folder = Folder::new(&[
        ("deep/base/Kbuild", "obj-m := base.o\n"),
        ("deep/base/base.c", NEEDED),
        ("top/Kbuild", kbuild),
        ("top/top.c", NEEDS),
    ]);
    fs::create_dir(folder.path().join(".git")).unwrap();
    for kernel in KERNELS {
        let run = || folder.koru(["run", "./top", "--kernel", kernel]).run();
        let first = run();
        first.exits(0).prints("top: 42, 1\n").prints("top: bye\n");
        // A change of the other module counts, and an unchanged one is not built again.
        folder.write("deep/base/base.c", &NEEDED.replace("42", "43"));
        run().exits(0).prints("top: 43, 1\n");
        assert!(!run().err.contains("building"));
        folder
            .koru(["run", "deep/base", "--kernel", kernel])
            .run()
            .exits(0);
        folder.write("deep/base/base.c", NEEDED);
    }
    // Each needs the other one, so neither can be first.
    let other = NEEDED.replace("lab_value", "lab_other");
    let both = NEEDED.replace(
        "return 42",
        "extern int lab_other(void); return lab_other()",
    );
    folder.write("deep/base/base.c", &both);
    let top = NEEDS.replace("lab_value(), ", "lab_value() + lab_other(), ");
    folder.write(
        "top/top.c",
        &(top + &other.replace("#include <linux/module.h>\n", "")),
    );
    folder
        .koru(["build", "./top"])
        .run()
        .exits(1)
        .says("`lab_other` is nowhere");
}

#[test]
fn debugger_stops_at_the_init_of_the_named_module() {
    let folder = Folder::new(&[
        ("base.c", NEEDED),
        ("top.c", NEEDS),
        ("Kbuild", "obj-m := top.o base.o\n"),
    ]);
    let run = folder
        .koru(["debug", "--batch", "--ex", "bt 1", "--ex", "c"])
        .run();
    run.exits(0)
        .prints("top_init () at ")
        .prints("top.c:")
        .says("top: 42, 1");
}

#[test]
fn one_of_several_modules_is_chosen() {
    let other = HELLO.replace("lab", "other");
    let folder = Folder::new(&[
        ("lab.c", HELLO),
        ("other.c", &other),
        ("Makefile", "obj-m := lab.o other.o\n"),
    ]);
    folder
        .koru(["run"])
        .run()
        .exits(2)
        .says("several modules are here")
        .says("--module lab");
    let run = folder.koru(["run", "--module", "other"]).run();
    run.exits(0).prints("other: hello\n");
    assert!(!run.out.contains("lab:"), "{run}");
    folder
        .koru(["run", "--module", "third"])
        .run()
        .exits(2)
        .says("there are: lab, other");
}

#[test]
fn built_modules_run_compressed_too() {
    let folder = Folder::new(&[("lab.c", HELLO)]);
    let built = folder.koru(["build", "lab.c", "--json"]).run();
    let ko = built.exits(0).json()[0]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let away = Folder::new(&[]);
    fs::copy(&ko, away.path().join("lab.ko")).unwrap();
    let mut gzip = std::process::Command::new("gzip");
    gzip.arg(away.path().join("lab.ko"));
    assert!(gzip.status().unwrap().success());
    away.koru(["run", "lab.ko.gz"])
        .run()
        .exits(0)
        .prints("lab: hello\n");
    away.write("broken.ko.xz", "\u{fd}7zXZ");
    away.koru(["run", "broken.ko.xz"]).run().exits(2);
}

#[test]
fn saves_of_c_are_watched() {
    let folder = Folder::new(&[("lab.c", HELLO), ("Kbuild", "obj-m := lab.o\n")]);
    let mut watch = folder.koru(["watch", "--json"]).start();
    let first = watch.line();
    assert!(first.contains("lab: hello"), "{first}");
    folder.write("lab.c", &HELLO.replace("hello", "again"));
    let second = watch.line();
    assert!(second.contains("lab: again"), "{second}");
    watch.signal(Signal::INT);
    watch.end();
}

/// A save in another folder, whose module is needed, starts a run as well.
#[test]
#[ignore = "takes long"]
fn saves_of_needed_folders_are_watched() {
    let folder = Folder::new(&[
        ("base/Kbuild", "obj-m := base.o\n"),
        ("base/base.c", NEEDED),
        ("top/Kbuild", "obj-m := top.o\n"),
        ("top/top.c", NEEDS),
    ]);
    fs::create_dir(folder.path().join(".git")).unwrap();
    let mut watch = folder.koru(["watch", "./top", "--json"]).start();
    let first = watch.line();
    assert!(first.contains("top: 42, 1"), "{first}");
    folder.write("base/base.c", "no C\n");
    let broken = watch.line();
    assert!(broken.contains("does not build"), "{broken}");
    folder.write("base/base.c", &NEEDED.replace("42", "43"));
    let last = watch.line();
    assert!(last.contains("top: 43, 1"), "{last}");
    watch.signal(Signal::INT);
    watch.end();
}

/// The kernel's own compiler is used, whatever the Makefile names.
#[test]
#[ignore = "takes long"]
fn compiler_of_the_makefile_does_not_matter() {
    let recipe =
        "all:\n\tmake -C /lib/modules/$(shell uname -r)/build M=$(PWD) LLVM=1 CC=clang modules\n";
    for lines in [
        "CC := no-such-clang\n",
        "export LLVM=1\nCC = no-such-clang\n",
        "override LLVM := -99\n",
    ] {
        let makefile = format!("obj-m := lab.o\n{lines}{recipe}");
        let folder = Folder::new(&[("lab.c", HELLO), ("Makefile", &makefile)]);
        for kernel in KERNELS {
            let run = folder.koru(["run", "--kernel", kernel]).run();
            run.exits(0).prints("lab: hello\n");
        }
    }
}

/// Symbols that a built module needs, and that are not there when it is loaded.
const UNKNOWN: &str = r#"
#include <linux/module.h>
extern int koru_nosuch(void);
extern void do_gettimeofday(void *);
extern int tun_get_socket(void);
static int __init lab_init(void)
{
	do_gettimeofday(NULL);
	return koru_nosuch() + tun_get_socket();
}
static void __exit lab_exit(void) { }
module_init(lab_init);
module_exit(lab_exit);
MODULE_LICENSE("GPL");
"#;

#[test]
#[ignore = "takes long"]
fn symbols_unknown_at_load_time_are_explained() {
    for kernel in KERNELS {
        let folder = Folder::new(&[
            ("lab.c", UNKNOWN),
            (
                "gpl.c",
                &HELLO
                    .replace("return 0", "return put_pid(NULL), 0")
                    .replace(
                        "#include <linux/module.h>",
                        "#include <linux/module.h>\n#include <linux/pid.h>",
                    ),
            ),
            ("Kbuild", "obj-m := lab.o gpl.o\n"),
        ]);
        let made = std::process::Command::new("make")
            .arg("-C")
            .arg(common::kernels::tree(kernel).build_dir)
            .arg(format!("M={}", folder.path().display()))
            .arg("KBUILD_MODPOST_WARN=1")
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make");
        assert!(made.status.success(), "{made:?}");
        // In a built file, texts of the same length can take each other's place.
        let replace = |file: &str, old: &[u8], new: &[u8]| {
            let path = folder.path().join(file);
            let mut bytes = fs::read(&path).unwrap();
            let at = bytes.windows(old.len()).position(|w| w == old).unwrap();
            bytes[at..at + old.len()].copy_from_slice(new);
            fs::write(&path, bytes).unwrap();
        };
        replace("lab.ko", b"depends=tun", b"depends=\0\0\0");
        let run = folder.koru(["run", "lab.ko", "--kernel", kernel]).run();
        run.exits(1)
            .says("error: loading lab: the kernel did not find 3 symbols\n")
            .says("`koru_nosuch` is nowhere: neither the kernel nor a module of it has it")
            .says("`tun_get_socket` is in the module tun.ko")
            .says("since Linux 5.0, `do_gettimeofday` is gone: ");
        // modpost would refuse this one.
        replace("gpl.ko", b"license=GPL\0", b"license=MIT\0");
        let vm = Vm::new();
        let load = vm
            .koru(&["load", "gpl.ko", "--kernel", kernel])
            .dir(folder.path());
        load.run_and_leave()
            .exits(1)
            .says("error: loading gpl: the kernel did not find the symbol `put_pid`\n")
            .says("`put_pid` is in the kernel, for modules with a GPL-compatible licence only");
    }
}

#[test]
fn tests_of_a_folder_run_while_it_is_loaded() {
    let folder = Folder::new(&[
        ("lab.c", HELLO),
        ("Kbuild", "obj-m := lab.o\n"),
        ("tests/loaded.sh", "grep -q '^lab ' /proc/modules\n"),
        (
            "tests/control.sh",
            "rmmod $KORU_MODULE && insmod $KORU_KO\n",
        ),
        (
            "tests/tap.sh",
            "echo 1..2\necho ok 1\necho not ok 2 - fails\n",
        ),
        ("tests/skipped.sh", "echo there is no device\nexit 4\n"),
        ("tests/status.c", "int main(void) { return 3; }\n"),
        (
            "tests/rust.rs",
            "#[test]\nfn loaded() {\n    assert!(std::path::Path::new(\"/sys/module/lab\").exists());\n}\n",
        ),
    ]);
    let run = folder.koru(["test", "--kernel", "6.1"]).run();
    run.exits(1)
        .prints("loaded.sh ... ok")
        .prints("control.sh ... ok")
        .prints("tap.sh ... FAILED")
        .prints("skipped.sh ... ignored, there is no device")
        .prints("status.c ... FAILED")
        .prints("the test ended with status 3")
        .prints("rust.rs ... ok")
        .prints("3 passed, 2 failed, 1 skipped");
    folder
        .koru(["test", "--kernel", "6.12", "loaded.sh"])
        .run()
        .exits(0);
}

#[test]
fn folder_without_tests_is_loaded_twice() {
    let once = HELLO.replace(
        "pr_info(\"lab: hello\\n\"); return 0;",
        "return proc_mkdir(\"lab_once\", NULL) ? 0 : -ENOMEM;",
    );
    let forgets = format!("#include <linux/proc_fs.h>\n{once}");
    let good = Folder::new(&[("lab.c", HELLO), ("Kbuild", "obj-m := lab.o\n")]);
    let run = good.koru(["test"]).run();
    run.exits(0).prints("4 passed, 0 failed");
    let bad = Folder::new(&[("lab.c", &forgets), ("Kbuild", "obj-m := lab.o\n")]);
    let run = bad.koru(["test", "--kernel", "6.12"]).run();
    run.exits(1).prints("loads_and_unloads_twice ... FAILED");
}

#[test]
fn kernel_that_a_folder_does_not_build_for_stops_no_other() {
    let newer = format!(
        "#include <linux/version.h>\n\
         #if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)\n#error too old\n#endif\n{HELLO}"
    );
    let folder = Folder::new(&[("lab.c", &newer), ("Kbuild", "obj-m := lab.o\n")]);
    for kernels in ["6.1,6.12", "all"] {
        folder
            .koru(["test", "--kernel", kernels])
            .run()
            .exits(1)
            .prints("the modules build ... FAILED")
            .prints("#error too old")
            .prints("2 passed, 1 failed");
    }
}
