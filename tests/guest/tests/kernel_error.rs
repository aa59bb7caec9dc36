// SPDX-License-Identifier: MIT OR Apache-2.0

//! Errors of init, on the module `kt_error`.

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{Errno, cat, errno, errno_of_init, exists, raw_errno};

koru_testing::test_file!(one_cpu);

const MODULE: &str = "kt_error";
const FILE: &str = "/proc/kt_error";

#[test]
fn a_module_that_does_not_fail() {
    let log = Log::from_now();
    let module = Module::load(MODULE, &[]).unwrap();
    assert_eq!(cat(FILE), "here\n");
    module.unload().unwrap();
    assert!(!exists(FILE));
    assert_eq!(
        log.messages("kt_error: "),
        [
            "took first",
            "took second",
            "took third",
            "gave back first 4000",
            "gave back second 4000",
            "gave back the file",
            "gave back third 4000",
        ]
    );
}

#[test]
fn each_errno_arrives() {
    // 1 to 133 but for those that Linux does not have.
    let gaps = [41, 58];
    for wanted in (1..=133).filter(|e| !gaps.contains(e)) {
        let failed = Module::load(MODULE, &[&format!("errno={wanted}")]);
        let wanted = errno_of_init(Errno::from_raw(wanted)) as i32;
        assert_eq!(raw_errno(failed), wanted);
        assert!(!is_loaded(MODULE) && !exists(FILE));
    }
}

/// From 512 on the codes are the kernel's own.
#[test]
fn an_errno_of_the_kernel_stays_there() {
    for (code, wanted) in [
        (511, 511),
        (512, Errno::EINTR as i32),
        (516, Errno::EINTR as i32),
        (515, Errno::ENOTTY as i32),
        (524, Errno::EOPNOTSUPP as i32),
        (529, Errno::EIO as i32),
        (4095, Errno::EIO as i32),
    ] {
        let failed = Module::load(MODULE, &[&format!("errno={code}")]);
        assert_eq!(raw_errno(failed), wanted, "{code}");
        assert!(!is_loaded(MODULE) && !exists(FILE));
    }
}

#[test]
fn an_errno_that_is_none() {
    let log = Log::from_now();
    let failed = Module::load(MODULE, &["errno=5000"]);
    assert_eq!(errno(failed), Errno::EINVAL);
    let said = |r: &koru_testing::LogRecord| {
        r.level == 4 && r.text.contains("out of range `errno`: -5000")
    };
    let records = log.records();
    assert!(records.iter().any(said), "{records:?}");
}

#[test]
fn what_was_taken_is_given_back() {
    for (after, wanted) in [
        (0, &[][..]),
        (1, &["took first", "gave back first 4000"][..]),
        (
            2,
            &[
                "took first",
                "took second",
                "gave back the file",
                "gave back second 4000",
                "gave back first 4000",
            ][..],
        ),
        (
            3,
            &[
                "took first",
                "took second",
                "took third",
                "gave back third 4000",
                "gave back the file",
                "gave back second 4000",
                "gave back first 4000",
            ][..],
        ),
    ] {
        let log = Log::from_now();
        let failed = Module::load(MODULE, &["errno=19", &format!("after={after}")]);
        assert_eq!(errno(failed), Errno::ENODEV);
        assert_eq!(log.messages("kt_error: "), wanted, "after {after}");
        assert!(!is_loaded(MODULE) && !exists(FILE));
    }
}

#[test]
fn failing_leaves_nothing_in_the_way() {
    for _ in 0..50 {
        assert_eq!(errno(Module::load(MODULE, &["errno=12"])), Errno::ENOMEM);
        let module = Module::load(MODULE, &[]).unwrap();
        assert_eq!(cat(FILE), "here\n");
        module.unload().unwrap();
    }
}
