// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a module leaves behind is named.

use super::{
    common::{KERNELS, Vm, koru},
    module,
};

#[test]
#[ignore = "takes long"]
fn what_the_exit_forgets_is_named() {
    for kernel in KERNELS {
        let forgets = module("forgets", kernel);
        for (what, left) in [
            ("proc", "/proc/forgets"),
            ("below", "/proc/driver/forgets"),
            ("device", "/dev/forgets, /sys/class/misc/forgets"),
            ("number", "character device number 24"),
            ("debugfs", "/sys/kernel/debug/forgets"),
            ("thread", "kernel thread forgets"),
            ("interrupt", "/proc/irq/5/forgets"),
            ("driver", "/sys/bus/pci/drivers/forgets"),
            ("cache", "slab cache forgets"),
            (
                "queue",
                match kernel {
                    "6.1" => "kernel thread forgets",
                    _ => "workqueue forgets",
                },
            ),
        ] {
            let what = format!("what={what}");
            let run = forgets.run(&["-p", &what]);
            run.exits(0)
                .says(&format!("warning: left behind after unload: {left}"));
        }
        let nothing = forgets.run(&["-p", "what=nothing"]);
        nothing.exits(0);
        assert!(!nothing.err.contains("left behind"), "{nothing}");
    }
}

#[test]
fn json_has_what_is_left_behind() {
    let run = module("forgets", "6.12").run(&["--json"]);
    run.exits(0);
    assert_eq!(run.json()["left_behind"][0], "/proc/forgets", "{run}");
    let run = koru(["run", "hello", "--json"]).run();
    assert_eq!(
        run.json()["left_behind"].as_array().map(Vec::len),
        Some(0),
        "{run}"
    );
}

/// A machine that stays up is compared with what it was before the load, which was another
/// command.
#[test]
fn unload_and_reload_name_what_is_left() {
    let forgets = module("forgets", "6.12");
    let file = forgets.path().join("forgets.ko");
    let file = file.to_str().expect("a path in UTF-8");
    let vm = Vm::new();
    let left = "warning: left behind after unload: /proc/forgets";
    vm.run(&["load", "hello", "--kernel", "6.12"]).exits(0);
    vm.run(&["load", file]).exits(0);
    let unloaded = vm.run(&["unload", "forgets"]);
    unloaded.exits(0).says(left);
    let hello = vm.run(&["unload", "hello"]);
    hello.exits(0);
    assert!(!hello.err.contains("left behind"), "{hello}");
    // What others have left is not named again.
    vm.run(&["load", file, "-p", "what=debugfs"]).exits(0);
    let json = vm.run(&["unload", "forgets", "--json"]);
    let left = &json.json()["left_behind"];
    assert_eq!(
        left,
        &serde_json::json!(["/sys/kernel/debug/forgets"]),
        "{json}"
    );
    vm.run(&["load", file, "-p", "what=below"]).exits(0);
    vm.run(&["reload", file, "-p", "what=nothing"])
        .exits(0)
        .says("warning: left behind after unload: /proc/driver/forgets");
}

/// What the command makes itself is none of the module's.
#[test]
fn what_the_command_makes_is_not_left_behind() {
    for kernel in KERNELS {
        let script = "mknod /dev/node c 240 0; mkdir /dev/dir; echo x > /tmp/file; \
                      mkdir /sys/kernel/tracing/instances/x; mkdir /sys/fs/cgroup/x; \
                      mount -t tmpfs none /dev/dir; sleep 100 & cat /proc/timer";
        let command = [
            "run", "my_timer", "--kernel", kernel, "--", "sh", "-c", script,
        ];
        let run = koru(command).run();
        run.exits(0);
        assert!(!run.err.contains("left behind"), "{run}");
    }
}

#[test]
fn plain_file_in_dev_is_told() {
    let script = "echo x > /dev/nosuch";
    let run = koru(["run", "hello", "--", "sh", "-c", script]).run();
    run.exits(0)
        .says("warning: /dev/nosuch is a plain file that the command made");
}

/// A module that leaves something behind fails the tests that it would otherwise pass.
#[test]
#[ignore = "takes long"]
fn verify_fails_a_module_that_leaves_something_behind() {
    let left = "left behind after unload: /sys/kernel/debug/hello_forgets";
    for kernel in KERNELS {
        let forgets = module("hello_forgets", kernel);
        let ko = forgets.path().join("hello_forgets.ko");
        let ko = ko.to_str().expect("a path");
        let verify = ["verify", "hello", "--ko", ko, "--kernel", kernel, "--json"];
        let run = koru([&verify[..], &["one_record_at"]].concat()).run();
        run.exits(1).says(&format!("warning: {left}"));
        let result = &run.json()["requirements"][0];
        assert_eq!(result["result"], "fail", "{run}");
        assert_eq!(result["seen"], left, "{run}");
    }
}
