// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules with faults: each fault is named, with the log that shows it.

use crate::common::{KERNELS, Run, Vm, koru, line_of};

#[track_caller]
fn load(module: &str, kernel: &str) -> Run {
    koru(["run", module, "--kernel", kernel]).run()
}

/// Returns how often a line of the log was shown, on either stream.
fn shown(run: &Run, text: &str) -> usize {
    let lines = run.out.lines().chain(run.err.lines());
    lines
        .filter(|l| l.starts_with('[') && l.contains(text))
        .count()
}

/// Returns `FILE:LINE` of the line that contains this text.
fn at(file: &str, text: &str) -> String {
    format!("{file}:{}", line_of(file, text))
}

#[test]
fn panic_is_shown_with_its_source_line() {
    let source = "tests/modules/kt_fault_panic/src/lib.rs";
    let at = at(source, "values[at]");
    for kernel in KERNELS {
        let run = load("kt_fault_panic", kernel);
        run.exits(1)
            .says(&format!(
                "kt_fault_panic: the kernel complained: rust_kernel: kt_fault_panic panicked at \
                 {at}:"
            ))
            .says("→ ")
            .prints("kt_fault_panic: about to panic\n")
            .prints(
                "] panic in kt_fault_panic: index out of bounds: the len is 3 but the index \
                     is 7\n",
            )
            .prints(&format!(
                "\n  at {at}:26, in kt_fault_panic::Panics::take\n"
            ))
            .prints(" | ")
            .prints("values[at]")
            .prints("Self::take(&values, values.len() + 4)\n")
            .prints("do_one_initcall")
            .prints("--raw shows them");
        // The functions that only report the panic are left out, and so are the registers.
        for machinery in ["core::panicking", "koru_bug", "RIP", "RAX", "Code: "] {
            assert!(!run.out.contains(machinery), "{machinery}\n{run}");
        }
        assert_eq!(shown(&run, "about to panic"), 1, "{run}");
    }
}

#[test]
fn raw_shows_a_panic_as_the_kernel_prints_it() {
    let source = "tests/modules/kt_fault_panic/src/lib.rs";
    let at = at(source, "values[at]");
    let run = koru(["run", "kt_fault_panic", "--kernel", "6.1", "--raw"]).run();
    run.exits(1)
        .prints(&format!("kt_fault_panic panicked at {at}:"))
        .prints("kernel BUG at ")
        .prints("RIP: 0010:koru_bug+")
        .prints("6Panics4take+")
        .prints(&format!(
            "\n  at {at}:26, in kt_fault_panic::Panics::take\n"
        ));
    assert_eq!(shown(&run, "about to panic"), 1, "{run}");
}

#[test]
fn null_pointer_is_an_oops_with_source_lines() {
    let module = at(
        "tests/modules/kt_fault_null/src/lib.rs",
        "null_dereference()",
    );
    let shim = at("kernel/shim/fault.c", "WRITE_ONCE(*nowhere");
    for kernel in KERNELS {
        let run = load("kt_fault_null", kernel);
        run.exits(1)
            .says("kt_fault_null: the kernel complained: BUG: kernel NULL pointer dereference")
            .prints("kt_fault_null: about to follow NULL\n")
            .prints("] oops: NULL pointer dereference (write to address 0)\n")
            .prints("  BUG: kernel NULL pointer dereference, address: ")
            .prints(&format!("\n  at {module}"))
            .prints("kernel::fault::null_dereference();\n")
            .prints(&format!("    koru_fault_null  {shim}\n"));
        assert_eq!(shown(&run, "about to follow NULL"), 1, "{run}");
    }
}

/// The module is not unloaded after an oops: that would wait for the read, which never ends.
#[test]
fn oops_of_a_command_ends_the_run() {
    for kernel in KERNELS {
        let read = ["--", "cat", "/proc/kt_fault_read"];
        let run = koru([&["run", "kt_fault_read", "--kernel", kernel], &read[..]].concat()).run();
        run.exits(1).says(
            "error: running kt_fault_read: the kernel complained: BUG: kernel NULL pointer \
             dereference",
        );
        assert!(!run.err.contains("unload"), "{run}");
    }
}

/// A guest whose kernel has oopsed is not used any more.
#[test]
fn vm_that_has_oopsed_is_not_loaded_into() {
    let vm = Vm::new();
    vm.run(&["load", "kt_fault_read"]).exits(0);
    vm.run(&["exec", "cat", "/proc/kt_fault_read"]);
    vm.run(&["load", "hello"])
        .exits(1)
        .says("its kernel has oopsed, and cannot load modules any more")
        .says("koru vm restart");
    vm.run(&["vm", "status"]).prints("; its kernel has oopsed");
}

#[test]
fn unknown_parameter_is_an_error() {
    for kernel in KERNELS {
        koru(["run", "sample_hello", "-p", "nosuch=1", "--kernel", kernel])
            .run()
            .exits(2)
            .says("error: loading sample_hello: the module has no parameter `nosuch`\n")
            .says("its parameters: ");
        koru(["run", "hello", "-p", "nosuch=1", "--kernel", kernel])
            .run()
            .exits(2)
            .says("it has no parameters");
    }
}

#[test]
fn wrong_value_of_a_parameter_is_explained() {
    koru(["run", "kt_math", "-p", "a=many"])
        .run()
        .exits(1)
        .says("the parameter `a` does not take the value `many`");
}

/// The kernel logs about the taint of every module; --raw shows that.
#[test]
fn taint_of_every_module_is_shown_with_raw_only() {
    let run = koru(["run", "hello"]).run();
    run.exits(0).prints("hello: Hello world\n");
    assert!(!run.out.contains("taint"), "{run}");
    koru(["run", "hello", "--raw"])
        .run()
        .exits(0)
        .prints("hello: loading out-of-tree module taints kernel.\n");
}

#[test]
fn warning_fails_the_run() {
    let module = at("tests/modules/kt_fault_warn/src/lib.rs", "fault::warn()");
    for kernel in KERNELS {
        let run = load("kt_fault_warn", kernel);
        run.exits(1)
            .says("kt_fault_warn: the kernel complained: WARNING: ")
            .prints("] warning: koru: a deliberate warning\n")
            .prints(&format!("\n  at {module}"))
            .prints("    koru_fault_warn  kernel/shim/fault.c:");
    }
}

#[test]
fn failed_init_is_explained() {
    for kernel in KERNELS {
        let run = load("kt_fault_init", kernel);
        run.exits(1)
            .says("error: loading kt_fault_init: No such device (errno 19)\n")
            .says("see the log")
            .prints("kt_fault_init: the device is not there\n");
        assert!(!run.err.contains("complained"), "{run}");
    }
}

/// Registrations that were never dropped are reported.
#[test]
fn leaked_registrations_are_reported() {
    for kernel in KERNELS {
        let leaks = ["run", "kt_leak", "-p", "what=several", "--kernel", kernel];
        koru(leaks)
            .run()
            .exits(1)
            .says(
                "error: unload kt_leak: rust_kernel: kt_leak must stay in memory: its exit \
                   ended with",
            )
            .says("2 kernel threads, 1 file in /proc, 1 misc device, 1 kprobe still registered")
            .says("until the machine restarts");
    }
}

/// The process that keeps the module is named, and can be killed.
#[test]
fn blocked_unload_names_the_process() {
    let vm = Vm::new();
    vm.run(&["load", "kt_remove", "-p", "deaf=1", "--kernel", "6.12"])
        .exits(0);
    let script = "cat /proc/kt_remove > /dev/null 2>&1 & echo $! > /tmp/pid; sleep 1";
    vm.run(&["exec", "--", "sh", "-c", script]).exits(0);
    let unload = vm.run(&["unload", "kt_remove"]);
    unload
        .exits(1)
        .says("error: unload kt_remove: not done after ")
        .says(" (cat) is in the module's code and has not left it\n")
        .says("kt_remove::Desk::take [kt_remove]\n")
        .says("koru exec kill PID");
    vm.run(&["exec", "--", "sh", "-c", "kill $(cat /tmp/pid); sleep 1"])
        .exits(0);
    let list = vm.run(&["list"]);
    assert!(!list.out.contains("kt_remove"), "{list}");
}

/// Checks that a line of the loop was named; the loop has three.
fn in_loop(run: &Run) -> String {
    let source = "tests/modules/kt_fault_loop/src/lib.rs";
    let begin = line_of(source, "loop {");
    let named = (begin..begin + 3).map(|line| format!("{source}:{line}"));
    let named = named.into_iter().find(|at| run.out.contains(&**at));
    named.unwrap_or_else(|| panic!("no line of the loop\n{run}"))
}

/// With one processor, the hang is found by the guest's silence.
#[test]
fn hang_on_the_only_cpu_is_found() {
    let run = load("kt_fault_loop", KERNELS[0]);
    run.exits(1)
        .says("the guest hung")
        .says(&format!(
            "in kt_fault_loop::Loops::for_ever ({}",
            in_loop(&run)
        ))
        .prints("kt_fault_loop: about to loop\n")
        .prints("] hang: CPU stuck in kt_fault_loop::Loops::for_ever\n")
        .prints(&format!("\n  at {}", in_loop(&run)))
        .prints("Self::for_ever()\n");
    assert_eq!(
        shown(&run, "about to loop"),
        1,
        "the log is shown once\n{run}"
    );
    assert!(run.took.as_secs() < 120, "{run}");
}

/// With another processor, the hang is found by how long the load takes.
#[test]
#[ignore = "takes long"]
fn hang_with_an_idle_cpu_is_found() {
    let loops = ["run", "kt_fault_loop", "--kernel", KERNELS[1]];
    let run = koru(loops.into_iter().chain(["--cpus", "2"])).run();
    run.exits(1)
        .says("the guest hung: no sign of life for ")
        .says(&format!(
            "in kt_fault_loop::Loops::for_ever ({}",
            in_loop(&run)
        ))
        .prints("kt_fault_loop: about to loop\n")
        .prints(&format!("\n  at {}", in_loop(&run)));
    // It does not wait, and koru's own NMI is none of the module's.
    for wrong in ["kt_fault_loop waits", "Uhhuh"] {
        let said = run.err.contains(wrong) || run.out.contains(wrong);
        assert!(!said, "{wrong}: {run}");
    }
    assert_eq!(
        shown(&run, "about to loop"),
        1,
        "the log is shown once\n{run}"
    );
    assert!(run.took.as_secs() < 120, "{run}");
}

#[test]
fn standing_vm_reports_faults() {
    let vm = Vm::new();
    let with = |arguments: &[&str]| vm.run(arguments);
    with(&["load", "kt_fault_init", "--kernel", "6.1"])
        .exits(1)
        .says("No such device (errno 19)")
        .prints("the device is not there");
    let list = with(&["list"]);
    list.exits(0);
    assert!(!list.out.contains("kt_fault_init"), "{list}");
    // A module that failed is no reason to stop the machine.
    with(&["load", "hello"]).exits(0).prints("Hello world");
    with(&["load", "kt_fault_null"])
        .exits(1)
        .says("NULL pointer dereference")
        .prints("] oops: NULL pointer dereference")
        .prints("    koru_fault_null  kernel/shim/fault.c:");
    // The log, which the machine has kept, is decoded as well, and can be shown as it is.
    with(&["log"])
        .exits(0)
        .prints("Hello world")
        .prints("] oops: NULL pointer dereference")
        .prints("    koru_fault_null  kernel/shim/fault.c:");
    with(&["log", "--raw"])
        .exits(0)
        .prints("RIP: 0010:koru_fault_null+");
    with(&["vm", "stop"]).exits(0);
    with(&["vm", "status"]).exits(1).prints("is down");
}

/// A line that a module prints in the middle of a text is not the kernel's own report.
#[test]
fn messages_about_panics_are_no_fault() {
    let whom = "whom=you: Kernel panic - not syncing: only words";
    for kernel in KERNELS {
        koru(["run", "sample_hello", "--kernel", kernel, "-p", whom])
            .run()
            .exits(0)
            .prints("Hello you: Kernel panic - not syncing: only words\n");
    }
}

#[test]
fn json_has_the_fault() {
    let run = koru(["run", "kt_fault_init", "--kernel", "6.12", "--json"]).run();
    run.exits(1).says("No such device (errno 19)");
    run.says("kt_fault_init: the device is not there");
    assert_eq!(run.json()["status"], serde_json::Value::Null, "{run}");

    let module = "tests/modules/kt_fault_null/src/lib.rs";
    let line = line_of(module, "null_dereference()");
    let run = koru(["run", "kt_fault_null", "--kernel", "6.12", "--json"]).run();
    run.exits(1);
    let decoded = &run.json()["decoded"];
    assert_eq!(decoded.as_array().map(Vec::len), Some(1), "{run}");
    let report = &decoded[0];
    assert_eq!(report["kind"], "oops", "{run}");
    assert_eq!(report["at"]["file"], module, "{run}");
    assert_eq!(report["at"]["line"], line, "{run}");
    let frame = &report["frames"][0];
    assert_eq!(frame["symbol"], "koru_fault_null", "{run}");
    assert_eq!(frame["places"][0]["file"], "kernel/shim/fault.c", "{run}");
    let log = run.json()["log"].to_string();
    assert!(log.contains("RIP: 0010:koru_fault_null+"), "{run}");
}
