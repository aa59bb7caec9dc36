// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru bench`: counts instructions, exactly.

use serde_json::Value;

use crate::common::{KERNELS, koru};

const PLAIN: &str = "bench/c/hello_proc/straightforward";
const FAIR: &str = "bench/c/hello_proc/fair";

/// Returns a value of a row: the median of the module with this index.
fn median(report: &Value, name: &str, module: usize) -> u64 {
    let rows = report["rows"].as_array().expect("rows");
    let row = rows.iter().find(|r| r["name"] == name);
    let row = row.unwrap_or_else(|| panic!("no row {name}: {report}"));
    row["values"][module]["median"].as_u64().expect("a number")
}

#[test]
#[ignore = "takes long"]
fn counts_are_the_same_every_time() {
    for kernel in KERNELS {
        let bench = || {
            let arguments = ["bench", PLAIN, "--against", FAIR, "--kernel", kernel];
            let operations = ["--op", "pread /proc/hello 4096", "--op"];
            let open = "open+read+close /proc/hello 1";
            let less = ["--samples", "100", "--loads", "3", "--json"];
            let words = arguments.into_iter().chain(operations).chain([open]);
            koru(words.chain(less)).run().exits(0).json()
        };
        let first = bench();
        assert_eq!(bench(), first, "{kernel}");
        let getpid = first["floors"][0]["values"][0]["median"].as_u64().unwrap();
        assert!((200..500).contains(&getpid), "{kernel}: {getpid}");
        for row in ["pread /proc/hello 4096", "open+read+close /proc/hello 1"] {
            let [plain, fair] = [0, 1].map(|module| median(&first, row, module));
            // Locking, and an allocation for each open file, take a few instructions at least.
            assert!(getpid < plain && plain + 20 < fair, "{kernel}: {first}");
        }
        for row in [
            "load",
            "unload",
            "code, bytes",
            "file, bytes",
            "resident, bytes",
        ] {
            assert!(median(&first, row, 1) > 100, "{kernel}: {first}");
        }
    }
}

/// The kernels differ little in what grows, so it is one of them.
#[test]
fn modules_take_no_more_than_recorded() {
    let run = koru(["bench", "--quick", "--kernel", "6.12"]).run();
    run.exits(0);
    // Other versions of the compilers have no recorded ratios.
    if !run.err.contains("nothing is compared") {
        run.prints("pread 64 B")
            .prints("Arc, new, clone and drop x 100");
        assert!(!run.out.contains("load"), "{run}");
    }
}

#[test]
fn table_has_a_ratio() {
    let run = koru([
        "bench",
        PLAIN,
        "--op",
        "write /proc/hello 5",
        "--samples",
        "50",
    ])
    .run();
    run.exits(0)
        .prints("write /proc/hello 5")
        .prints("The kernel alone: getpid ");
    assert!(!run.out.contains("ratio"), "{run}");
    let both = [
        "bench",
        PLAIN,
        "--against",
        FAIR,
        "--op",
        "open /proc/hello",
    ];
    koru(both).run().exits(0).prints("ratio");
}

#[test]
fn failures_are_named() {
    // The file is there for one of the two only.
    let other = "bench/c/jiffies/straightforward";
    let operation = "read /proc/hello 5";
    let run = koru(["bench", PLAIN, "--against", other, "--op", operation]).run();
    run.exits(1).prints(&format!(
        "note: {operation}, {other}: open /proc/hello: No such file or directory (errno 2)"
    ));
    // A call that never returns.
    koru([
        "bench",
        PLAIN,
        "--op",
        "open /proc/kmsg; repeat [read 4096]",
    ])
    .run()
    .exits(1)
    .says("an operation that waits");
    koru(["bench", PLAIN, "-p", "nosuch=1", "--op", "getpid"])
        .run()
        .exits(0);
}

#[test]
fn wrong_operations_are_refused() {
    koru(["bench", PLAIN, "--op", "peek /proc/hello 5"])
        .run()
        .exits(2)
        .says("error: reading the operation `peek /proc/hello 5`: there is no operation `peek`");
    koru(["bench", PLAIN, "--quick"])
        .run()
        .exits(2)
        .says("only Koru's own modules");
    koru(["bench", "--op", "getpid"])
        .run()
        .exits(2)
        .says("no module is named");
}
