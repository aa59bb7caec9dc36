// SPDX-License-Identifier: MIT OR Apache-2.0

//! `--target ssh:`, with a guest as the other machine: the guest has a real sshd and sudo, its own
//! kernel, and loads real modules.

use std::{fs, os::unix::fs::PermissionsExt};

use rustix::process::Signal;

use crate::common::lab::{self, GUARDED, Lab, ROOT, STUDENT, VISITOR};
use crate::common::{self, KERNELS, Run, koru, root};

#[test]
fn session_commands_work_over_ssh() {
    for kernel in KERNELS {
        // Copying the agent over the guest's slow line takes long, so it is done once only.
        let first = kernel == KERNELS[0];
        let lab = match first {
            true => Lab::start(kernel),
            false => Lab::start_known(kernel),
        };
        let load = ["load", "my_timer", "--yes", "--target", ROOT];
        let copies = |run: &Run| run.err.contains("copying the agent to root@lab (once)");
        let loaded = lab.koru(load).run();
        loaded.exits(0);
        assert_eq!(copies(&loaded), first, "{loaded}");
        assert!(lab.does("cat /proc/timer").starts_with("current time: "));
        // The copies that were made for loading are gone.
        lab.does("[ -z \"$(ls /run/koru)\" ]");
        let again = lab.koru(load).run();
        again.exits(1).says("it is already loaded");
        assert!(!copies(&again), "{again}");

        let list = lab.koru(["list", "--target", ROOT]).run();
        list.exits(0).prints("my_timer  ");
        let log = lab
            .koru(["log", "--target", ROOT, "--grep", "my_timer"])
            .run();
        log.exits(0).prints("my_timer");
        let exec = [
            "exec",
            "--target",
            ROOT,
            "sh",
            "-c",
            "echo out; cat; exit 7",
        ];
        let exec = lab.koru(exec).input(b"in\n").run();
        exec.exits(7).prints("out\nin\n");
        let shell = lab.koru(["shell", "--target", ROOT]);
        let shell = shell.input(b"echo $((6 * 7)); exit 3\n").run();
        shell.exits(3).prints("42\n");
        let unload = || {
            lab.koru(["unload", "my_timer"])
                .env("KORU_TARGET", ROOT)
                .run()
        };
        unload().exits(0);
        lab.does("[ ! -e /proc/timer ]");
        unload().exits(1).says("it is not loaded");

        let run = [
            "run",
            "my_timer",
            "--yes",
            "--target",
            ROOT,
            "--",
            "cat",
            "/proc/timer",
        ];
        lab.koru(run).run().exits(0).prints("current time: ");
        // One program is of this machine, and one does not exist.
        let here = tempfile::tempdir().unwrap();
        let script = here.path().join("look");
        fs::write(&script, "#!/bin/sh\ncat /proc/timer beside; exit 5\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(here.path().join("beside"), "came along").unwrap();
        let run = |program: &str| {
            let arguments = ["run", "my_timer", "--yes", "--target", ROOT];
            let rest = ["--file", "beside", "--", program];
            let run = lab.koru(arguments.into_iter().chain(rest));
            run.dir(here.path()).run()
        };
        let looked = run("./look");
        looked
            .exits(5)
            .prints("current time: ")
            .prints("came along");
        let nothing = run("no-such-program");
        nothing
            .exits(1)
            .says("running `no-such-program` on root@lab: there is no such command there");
        lab.does("[ -z \"$(ls -d /root/.cache/koru/agents/run.*)\" ]");
        lab.does("[ ! -e /proc/timer ] && ! pidof koru-agent");
    }
}

/// No machine is needed for the errors that ssh itself reports.
#[test]
fn unreachable_machine_is_an_error() {
    let list = |target: &str, program: &str| {
        let run = koru(["list", "--target", target]).env("KORU_SSH", program);
        run.run()
    };
    let plain = "ssh -F /dev/null -o BatchMode=yes";
    list("ssh:me@127.0.0.1:1", plain)
        .exits(1)
        .says("Connection refused")
        .says("connecting to me@127.0.0.1:1: nothing listens on that port")
        .says("check the port");
    list("ssh:no.such.machine.invalid", plain)
        .exits(1)
        .says("Could not resolve hostname")
        .says("the host name is unknown");
    list("ssh:lab", "no-such-program")
        .exits(1)
        .says("connecting to lab: `no-such-program` cannot be started: No such file")
        .says("openssh-client");
    // The other side answers, but not as a suitable machine.
    list("ssh:lab", "printf 'koru: target Plan9 x86_64 0\\n'")
        .exits(1)
        .says("it runs Plan9 on x86_64");
    list("ssh:lab", "printf 'koru: target Linux aarch64 0\\n'")
        .exits(1)
        .says("it runs Linux on aarch64");
    list("ssh:lab:99999", plain)
        .exits(2)
        .says("is not a port number");
    list("ssh:-oProxyCommand=true", plain).exits(2);
    list("lab", plain).exits(2).says("ssh:[USER@]HOST[:PORT]");
}

#[test]
#[ignore = "takes long"]
fn login_and_sudo_failures_are_explained() {
    let lab = Lab::start_known("6.12");
    let id = |target: &str| lab.koru(["exec", "--target", target, "id", "-u"]).run();
    id("ssh:stranger@lab")
        .exits(1)
        .says("Permission denied")
        .says("it refused to log this user in");
    lab.koru_at_wrong_host(["list", "--target", ROOT])
        .run()
        .exits(1)
        .says("REMOTE HOST IDENTIFICATION HAS CHANGED")
        .says("its host key is not the one that ssh knows");
    id(STUDENT).exits(0).prints("0\n");
    for user in [GUARDED, VISITOR] {
        id(user)
            .exits(1)
            .says("sudo: ")
            .says("as root, by sudo: sudo on the target asks for a password")
            .says("NOPASSWD in sudoers");
    }
    lab.does("! pidof koru-agent sudo sshd");

    // An agent that another user put in the place of ours is not used.
    lab.does(
        "cd /var/tmp && mkdir -p /home/student/.cache/koru/agents
        cp -a koru-1000/agent-* /home/student/.cache/koru/agents
        chown -R student /home/student
        for agent in koru-1000/agent-*; do printf '#!/bin/sh\ntouch /tmp/taken' >$agent; done
        chown -R visitor koru-1000",
    );
    id(STUDENT).exits(0).prints("0\n");
    lab.does("[ ! -e /tmp/taken ]");

    lab.does("mv /usr/bin/sudo /usr/bin/not-sudo");
    id(STUDENT)
        .exits(1)
        .says("user 1000 on the target is not, and sudo is not installed there")
        .says("log in as root");
}

#[test]
#[ignore = "takes long"]
fn sudo_password_is_asked_for() {
    let lab = Lab::start_known("6.1");
    let id =
        |typed: &[&str]| lab.on_terminal("exec --target ssh:guarded@lab id -u", "@lab: ", typed);
    let run = id(&["secret\n"]);
    run.exits(0)
        .prints("password for sudo on guarded@lab: \r\n0\r\n");
    assert!(!run.out.contains("secret"), "{run}");
    let run = id(&["wrong\n", "secret\n"]);
    run.exits(0).prints("Sorry, try again.").prints("\r\n0\r\n");
    let run = id(&["a\n", "b\n", "c\n"]);
    run.exits(1)
        .prints("sudo on the target rejected the password");
    let run = id(&["half\x03"]);
    run.exits(1).prints("as root, by sudo");
    lab.does("! pidof koru-agent sudo sshd");
}

#[test]
#[ignore = "takes long"]
fn loading_asks_once_a_boot() {
    let lab = Lab::start_known("6.1");
    let load = |typed: &[&str]| {
        let run = lab.on_terminal("load my_timer --target ssh:root@lab", "[y/N] ", typed);
        let loaded = lab.does("cat /proc/modules").contains("my_timer");
        lab.does("[ ! -e /proc/timer ] || rmmod my_timer");
        (run, loaded)
    };
    let (run, loaded) = load(&["\n"]);
    run.exits(2)
        .prints("load my_timer into the kernel of root@lab, 6.1.")
        .prints("cancelled");
    assert!(!loaded, "{run}");
    let (run, loaded) = load(&["y\n"]);
    run.exits(0);
    assert!(loaded, "{run}");
    let (run, loaded) = load(&[]);
    run.exits(0);
    assert!(loaded && !run.out.contains("[y/N]"), "{run}");
}

#[test]
fn refusals_of_the_kernel_are_explained() {
    let lab = Lab::start_known("6.12");
    let other = koru(["build", "my_timer", "--kernel", "6.1", "--json"]).run();
    let other = other.exits(0).json()[0]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let load = |module: &str| {
        let arguments = ["load", module, "--yes", "--target", ROOT];
        lab.koru(arguments).run()
    };
    load(&other)
        .exits(2)
        .says("loading my_timer into the kernel of root@lab: it was built for 6.1")
        .says(&lab.release);
    let unasked = ["load", "my_timer", "--target", ROOT];
    let unasked = lab.koru(unasked).run();
    unasked.exits(2).says("there is no terminal to ask on");
    let wrong_choice = ["load", "my_timer", "--target", ROOT, "--kernel", "6.1"];
    let wrong_choice = lab.koru(wrong_choice).run();
    wrong_choice.exits(2).says("leave --kernel and --kdir out");

    lab.does("echo 1 >/sys/module/module/parameters/sig_enforce");
    load("my_timer")
        .exits(1)
        .says("the module is not signed")
        .says("boot without module.sig_enforce");
    lab.does("echo integrity >/sys/kernel/security/lockdown");
    load("my_timer")
        .exits(1)
        .says("the kernel is locked down (integrity)")
        .says("sign the module");
    lab.does("echo 1 >/proc/sys/kernel/modules_disabled");
    load("my_timer")
        .exits(1)
        .says("it does not allow loading modules any more (kernel.modules_disabled is 1)");
    lab.does("[ ! -e /proc/timer ] && [ ! -e /run/koru ]");
}

/// A module of the machine's own kernel is taken from koru's tree, or loaded by the machine's
/// modprobe.
#[test]
fn modules_of_the_machines_kernel_are_loaded_before() {
    for kernel in KERNELS {
        let tree = common::kernels::tree(kernel);
        let needed = tree.own_module("crc7").expect("a module of the kernel");
        let plain = koru_kbuild::unpacked(
            &koru_kernels::Cache::new(common::kernels::cache()),
            &needed,
            &koru_kernels::NoProgress,
        );
        let content = fs::read(plain.unwrap()).unwrap();
        let folder = format!("/lib/modules/{}", tree.release);
        let lab = Lab::start_with(kernel, |config| {
            let file = format!("{folder}/kernel/crc7.ko");
            config.files.bytes(&file, 0o644, content);
            let list = "kernel/crc7.ko:\n";
            let list_file = format!("{folder}/modules.dep");
            config.files.bytes(&list_file, 0o644, list);
        });
        let module = tempfile::tempdir().unwrap();
        fs::write(module.path().join("Kbuild"), "obj-m := top.o\n").unwrap();
        fs::write(module.path().join("top.c"), NEEDS_CRC7).unwrap();
        let run = || {
            let run = ["run", "--yes", "--target", ROOT, "--kdir"];
            let tree = tree.build_dir.to_str().expect("text");
            let command = ["--", "grep", "-c", "^crc7 ", "/proc/modules"];
            let all = run.into_iter().chain([tree]).chain(command);
            lab.koru(all).dir(module.path())
        };
        run().run().exits(0).prints("1\n");
        lab.does("! grep crc7 /proc/modules");
        // This cache has no modules of the kernel.
        let cache = tempfile::tempdir().unwrap();
        let run = || run().env("KORU_CACHE", cache.path()).run();
        run().exits(0).prints("1\n");
        lab.does("! grep crc7 /proc/modules && rm /lib/modules/*/modules.dep");
        run()
            .exits(1)
            .says("error: loading crc7, which top needs: the machine's modprobe cannot load it")
            .says("install the machine's package");
    }
}

const NEEDS_CRC7: &str = r#"
#include <linux/crc7.h>
#include <linux/module.h>
static int __init top_init(void) { return crc7_be(0, "x", 1) > 0 ? 0 : -EIO; }
static void __exit top_exit(void) { }
module_init(top_init);
module_exit(top_exit);
MODULE_LICENSE("GPL");
"#;

#[test]
#[ignore = "takes long"]
fn lost_connection_ends_commands_and_runs() {
    let lab = Lab::start_known("6.1");
    let begin_as = |user: &str, hang: &str| {
        let script = "echo begun; sleep 1000";
        let arguments = ["exec", "--target", user, "sh", "-c", script];
        let mut running = lab.koru(arguments).env("KORU_HANG_SECS", hang).start();
        running.wait_for_output("begun");
        running
    };
    let begin = |hang: &str| begin_as(ROOT, hang);
    let load = ["load", "my_timer", "--yes", "--target", ROOT];
    lab.koru(load).run().exits(0);

    // First ssh is killed, then koru, and then the machine falls silent.
    let running = begin("60");
    running.kill("ssh");
    running.end().exits(1).says("working on root@lab: ");
    lab.until("! pidof koru-agent sleep");
    for user in [ROOT, STUDENT] {
        let running = begin_as(user, "60");
        running.signal(Signal::KILL);
        running.end();
        lab.until("! pidof koru-agent sleep sudo");
    }
    let running = begin("5");
    lab.does("kill -STOP $(pidof koru-agent)");
    running
        .end()
        .exits(1)
        .says("no message for 15 s")
        .says("its kernel has crashed or hangs, or the network is gone");
    lab.does("kill -CONT $(pidof koru-agent)");
    lab.until("! pidof koru-agent sleep");

    // A module that was loaded for one run is unloaded with it.
    for (user, signal) in [(ROOT, Signal::KILL), (STUDENT, Signal::TERM)] {
        let script = "exec 3</proc/jiffies; echo begun; sleep 1000";
        let run = ["run", "jiffies", "--yes", "--target", user, "--"];
        let run = run.into_iter().chain(["sh", "-c", script]);
        let mut running = lab.koru(run).start();
        running.wait_for_output("begun");
        lab.does("cat /proc/jiffies");
        running.signal(signal);
        running.end();
        lab.until("[ ! -e /proc/jiffies ] && ! pidof koru-agent");
    }

    // A module that was loaded by `koru load` stays.
    lab.does("cat /proc/timer");
    let unload = ["unload", "my_timer", "--target", ROOT];
    lab.koru(unload).run().exits(0);
}

/// All runs use one connection, and so ask for one password.
#[test]
#[ignore = "takes long"]
fn watch_runs_on_the_target_at_every_save() {
    let lab = Lab::start_known("6.12");
    let away = tempfile::tempdir().unwrap();
    koru(["new", "watched2"]).dir(away.path()).run().exits(0);
    let folder = away.path().join("watched2");
    let source = folder.join("src/lib.rs");
    let watch = ["watch", "--json", "--yes", "--target", STUDENT];
    let mut watch = lab
        .koru(watch.into_iter().chain(["--", "cat", "/proc/version"]))
        .dir(&folder)
        .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
        .start();
    let mut run = || -> serde_json::Value { serde_json::from_str(&watch.line()).unwrap() };
    let first = run();
    assert_eq!(first["status"], 0, "{first}");
    let version = first["output"].as_str().unwrap();
    assert!(version.contains(&lab.release), "{first}");
    let agent = lab.does("pidof koru-agent; [ ! -e /sys/module/watched2 ]");

    let text = fs::read_to_string(&source).unwrap();
    let saved = text.replacen(
        "pr_info!(",
        "pr_info!(\"one more\\n\");\n        pr_info!(",
        1,
    );
    fs::write(&source, saved).unwrap();
    let second = run();
    assert_eq!(second["status"], 0, "{second}");
    assert_eq!(
        second["added"].as_array().map(Vec::len),
        Some(1),
        "{second}"
    );
    assert_eq!(second["added"][0]["text"], "watched2: one more", "{second}");
    // The kernel says only once a boot that modules taint it.
    let gone = second["gone"].as_array().unwrap();
    let says_taints = |r: &serde_json::Value| r["text"].to_string().contains("taint");
    assert!(gone.iter().all(says_taints), "{second}");
    assert_eq!(
        lab.does("pidof koru-agent; [ ! -e /sys/module/watched2 ]"),
        agent
    );

    watch.signal_all(Signal::TERM);
    watch.end();
    lab.until("! pidof koru-agent sudo");
}

/// The cache has no kernels, so the headers for the build have to come from the machine.
#[test]
#[ignore = "takes long"]
fn headers_are_fetched_from_the_machine() {
    let lab = Lab::start_known("6.12");
    let cache = tempfile::tempdir().unwrap();
    let load = || {
        let arguments = ["load", "my_timer", "--yes", "--target", ROOT];
        lab.koru(arguments).env("KORU_CACHE", cache.path()).run()
    };
    let list = || {
        let list = koru(["kernel", "list", "--json"]).env("KORU_CACHE", cache.path());
        list.run().exits(0).json()
    };
    let headers = format!("linux-headers-{}", lab.release);
    lab.does("echo ID=debian >/etc/os-release");
    load()
        .exits(3)
        .says(&format!("there is no /lib/modules/{}/build", lab.release))
        .says(&format!("on the target: sudo apt-get install {headers}"));
    assert_eq!(list(), serde_json::json!([]));

    // These files are too few for a build, but all that identifies a tree.
    lab.does(&format!(
        "mkdir -p /usr/src/headers /usr/src/common /lib/modules/{release}
        ln -s /usr/src/headers /lib/modules/{release}/build
        cd /usr/src/headers
        mkdir -p include/generated
        echo 'include /usr/src/common/Makefile' >Makefile
        echo 'all:' >/usr/src/common/Makefile
        printf 'CONFIG_X86_64=y\\nCONFIG_MODULES=y\\n' >.config
        touch include/generated/autoconf.h
        echo '#define UTS_RELEASE \"{release}\"' >include/generated/utsrelease.h",
        release = lab.release
    ));
    let built = load();
    built.says("fetching the headers of");
    assert!(!built.status.success(), "{built}");
    let kept = list();
    assert_eq!(kept[0]["release"], *lab.release, "{built}");
    assert_eq!(kept[0]["downloaded"], true);
    let again = load();
    assert!(!again.err.contains("fetching the headers"), "{again}");
    assert!(!again.status.success(), "{again}");
}

/// Debian's own headers are fetched, and the module that they build is loaded.
#[test]
#[ignore = "packing and building with 20 MB of headers takes minutes on an emulated processor"]
fn debian_headers_are_fetched_from_the_machine() {
    for kernel in KERNELS {
        let release = common::kernels::tree(kernel).release;
        let kept = common::kernels::cache().join("kernels").join(&release);
        let lab = Lab::start_with(kernel, |config| {
            config.memory_mb = 1024;
            lab::put_folder(&mut config.files, "/usr", &kept.join("usr"));
        });
        lab.does(&format!(
            "mkdir -p /lib/modules/{release}
            cd /usr/src/linux-headers-{release}
            ln -s $PWD /lib/modules/{release}/build
            sed -i 's|^include .*/\\.\\./|include /usr/src/|; s|^include .*))\\.\\./|include /usr/src/|' Makefile
            grep -q '^include /usr/src/linux-headers-.*/Makefile' Makefile"
        ));
        let cache = tempfile::tempdir().unwrap();
        let load = ["load", "my_timer", "--yes", "--target", ROOT];
        let load = lab.koru(load).env("KORU_CACHE", cache.path()).run();
        load.exits(0).says("fetching the headers of");
        lab.does("cat /proc/timer");
    }
}
