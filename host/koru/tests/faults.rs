//! Modules with faults: each is told as what it is, with the log that shows it.

mod common;

use common::{KERNELS, Run, koru, line_of};

#[track_caller]
fn load(module: &str, kernel: &str) -> Run {
    koru(["run", module, "--kernel", kernel]).run()
}

/// How often a line of the log was shown, wherever.
fn shown(run: &Run, text: &str) -> usize {
    let lines = run.out.lines().chain(run.err.lines());
    lines
        .filter(|l| l.starts_with('[') && l.contains(text))
        .count()
}

#[test]
fn a_panic() {
    let source = "tests/modules/kt_fault_panic/src/lib.rs";
    let line = line_of(source, "values[at]");
    for kernel in KERNELS {
        let run = load("kt_fault_panic", kernel);
        run.exits(1)
            .says("kt_fault_panic: the kernel complained: kernel BUG at ")
            .says("→ ")
            .prints("kt_fault_panic: about to panic\n")
            .prints(&format!("kt_fault_panic panicked at {source}:{line}:"))
            .prints(": index out of bounds: the len is 3 but the index is 7\n")
            .prints("kernel BUG at ")
            .prints("RIP: 0010:koru_bug+")
            // Its callers, by name.
            .prints("6Panics4take+");
        assert_eq!(shown(&run, "about to panic"), 1, "{run}");
    }
}

#[test]
fn a_null_pointer() {
    for kernel in KERNELS {
        let run = load("kt_fault_null", kernel);
        run.exits(1)
            .says("kt_fault_null: the kernel complained: BUG: kernel NULL pointer dereference")
            .prints("kt_fault_null: about to follow NULL\n")
            .prints("RIP: 0010:koru_fault_null+")
            .prints("init_module+");
        assert_eq!(shown(&run, "about to follow NULL"), 1, "{run}");
    }
}

#[test]
fn a_warning() {
    for kernel in KERNELS {
        let run = load("kt_fault_warn", kernel);
        run.exits(1)
            .says("kt_fault_warn: the kernel complained: WARNING: ")
            .prints("koru: a deliberate warning\n")
            .prints("koru_fault_warn+");
    }
}

#[test]
fn an_init_that_fails() {
    for kernel in KERNELS {
        let run = load("kt_fault_init", kernel);
        run.exits(1)
            .says("error: loading kt_fault_init: No such device (errno 19)\n")
            .says("see the log")
            .prints("kt_fault_init: the device is not there\n");
        assert!(!run.err.contains("complained"), "{run}");
    }
}

/// Found by its silence where the processor is lost with it.
#[test]
fn a_loop_on_the_only_processor() {
    for kernel in KERNELS {
        let run = load("kt_fault_loop", kernel);
        run.exits(1)
            .says("the guest hung")
            .says("for_ever+")
            .says("[kt_fault_loop]")
            .prints("kt_fault_loop: about to loop\n")
            .prints("init_module+");
        assert_eq!(
            shown(&run, "about to loop"),
            1,
            "the log is shown once\n{run}"
        );
        assert!(run.took.as_secs() < 120, "{run}");
    }
}

/// And by how long it takes where there is another one.
#[test]
fn a_loop_with_a_processor_to_spare() {
    for kernel in KERNELS {
        let run = koru(["run", "kt_fault_loop", "--kernel", kernel, "--cpus", "2"]).run();
        run.exits(1)
            .says("kt_fault_loop")
            .says("for_ever+")
            .prints("kt_fault_loop: about to loop\n");
        assert_eq!(
            shown(&run, "about to loop"),
            1,
            "the log is shown once\n{run}"
        );
        assert!(run.took.as_secs() < 120, "{run}");
    }
}

#[test]
fn in_a_machine_that_stays_up() {
    let vm = format!("faults-{}", std::process::id());
    let at = ["--vm", &vm];
    let with = |arguments: &[&str]| koru(arguments.iter().copied().chain(at)).run_and_leave();
    with(&["load", "kt_fault_init", "--kernel", "6.1"])
        .exits(1)
        .says("No such device (errno 19)")
        .prints("the device is not there");
    let list = with(&["list"]);
    list.exits(0);
    assert!(!list.out.contains("kt_fault_init"), "{list}");
    // A module that failed is no reason to lose the machine.
    with(&["load", "hello"]).exits(0).prints("Hello world");
    with(&["load", "kt_fault_null"])
        .exits(1)
        .says("NULL pointer dereference")
        .prints("koru_fault_null+");
    with(&["vm", "stop"]).exits(0);
    with(&["vm", "status"]).exits(1).prints("is down");
}

#[test]
fn json_says_it_as_well() {
    let run = koru(["run", "kt_fault_init", "--kernel", "6.12", "--json"]).run();
    run.exits(1).says("No such device (errno 19)");
    run.says("kt_fault_init: the device is not there");
}
