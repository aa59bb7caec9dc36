//! `hello`: the smallest module.

use std::fs;

use koru_testing::{Log, Module, is_loaded};

#[test]
fn says_hello_and_goodbye() {
    let log = Log::from_now();
    let module = Module::load("hello", &[]).unwrap();
    assert_eq!(log.messages("hello: "), ["Hello world"]);
    assert!(is_loaded("hello"));
    module.unload().unwrap();
    assert_eq!(log.messages("hello: "), ["Hello world", "Goodbye world"]);
    assert!(!is_loaded("hello"));
}

#[test]
fn one_record_at_the_right_level() {
    let log = Log::from_now();
    drop(Module::load("hello", &[]).unwrap());
    let records = log.records();
    let hello: Vec<_> = records
        .iter()
        .filter(|r| r.text.starts_with("hello: ") && r.text.contains("world"))
        .collect();
    assert_eq!(hello.len(), 2);
    for record in hello {
        assert_eq!((record.level, record.facility), (6, 0), "{record:?}");
        assert!(!record.continuation && !record.text.contains('\n'));
    }
}

#[test]
fn loading_twice_is_eexist() {
    let _module = Module::load("hello", &[]).unwrap();
    let again = Module::load("hello", &[]).unwrap_err();
    assert_eq!(again.raw_os_error(), Some(17));
    assert!(is_loaded("hello"));
}

#[test]
fn loads_and_unloads_many_times() {
    for _ in 0..100 {
        Module::load("hello", &[]).unwrap().unload().unwrap();
    }
}

#[test]
fn taints_as_out_of_tree_and_unsigned_only() {
    let _module = Module::load("hello", &[]).unwrap();
    let taint = fs::read_to_string("/sys/module/hello/taint").unwrap();
    assert_eq!(taint.trim(), "OE");
}

#[test]
fn modinfo_tells_who_and_what() {
    // modinfo itself prints the strings of this section, `key=value` each.
    let ko = fs::read(Module::path("hello")).unwrap();
    let has = |wanted: &[u8]| ko.split(|b| *b == 0).any(|s| s.starts_with(wanted));
    for field in [
        "license=GPL",
        "author=",
        "description=",
        "version=",
        "vermagic=",
    ] {
        assert!(has(field.as_bytes()), "{field}");
    }
}
