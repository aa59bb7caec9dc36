// SPDX-License-Identifier: MIT OR Apache-2.0

//! The smaller APIs of upstream's `kernel` crate, on the module `kt_upstream`.

use std::{
    fs::{self, File},
    path::Path,
};

use koru_testing::{Log, Module};

koru_testing::test_file!(one_cpu);

/// The module checks most itself, and its load fails if something is wrong.
#[test]
fn arguments_are_formatted_by_the_trait_that_they_have() {
    let log = Log::from_now();
    let _module = Module::load("kt_upstream", &[]).unwrap();
    assert_eq!(
        log.messages("kt_upstream: ")[..5],
        [
            r"20 degrees\n 20 degrees\n 21 degrees\n 5 metres",
            r"22 degrees\n Plain 0xff 7",
            r"shown: 23 degrees\n",
            r"shown: 22 degrees\n",
            "5 5",
        ]
    );
}

#[test]
fn every_value_is_dropped_once() {
    let log = Log::from_now();
    let _module = Module::load("kt_upstream", &[]).unwrap();
    let messages = log.messages("kt_upstream: ");
    for (name, times) in [
        ("one", 1),
        ("two", 1),
        ("three", 1),
        ("a slot", 7),
        ("once", 1),
        ("twice", 1),
        ("worker", 1),
    ] {
        let dropped = format!("{name} is dropped");
        let count = messages.iter().filter(|m| **m == dropped).count();
        assert_eq!(count, times, "{name}: {messages:?}");
    }
    assert_eq!(messages.last().unwrap(), "all is right");
}

/// `dev_info!` takes the registration of a device as the device.
#[test]
fn registration_prints_with_its_name() {
    let _module = Module::load("kt_upstream", &[]).unwrap();
    let log = Log::from_now();
    drop(File::open("/dev/kt_upstream").unwrap());
    assert_eq!(
        log.messages("misc kt_upstream: "),
        [r"opened by 36 degrees\n"]
    );
}

/// Before 6.14 such a device is one of the platform bus.
#[test]
fn device_without_hardware_has_no_driver() {
    let log = Log::from_now();
    let module = Module::load("kt_upstream", &[]).unwrap();
    let devices = ["faux", "platform"].map(|bus| format!("/sys/bus/{bus}/devices"));
    let devices = devices.iter().find(|bus| Path::new(bus).exists()).unwrap();
    let parent = fs::canonicalize(format!("{devices}/kt_upstream")).unwrap();
    let child = fs::canonicalize(format!("{devices}/kt!child")).unwrap();
    assert!(child.starts_with(&parent), "{child:?} {parent:?}");
    if devices.contains("platform") {
        assert!(!child.join("driver").exists());
    }
    let said = log
        .records()
        .iter()
        .any(|r| r.text.ends_with("kt!child: without hardware"));
    assert!(said, "{:?}", log.records());
    module.unload().unwrap();
    assert!(!parent.exists());
}
