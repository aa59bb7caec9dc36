// SPDX-License-Identifier: MIT OR Apache-2.0

//! Module parameters, on the module `kt_params`.

use std::{fs, os::unix::fs::PermissionsExt};

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{
    Errno::{self, EINVAL, ENOSPC, ERANGE},
    errno, exists,
};

koru_testing::test_file!(one_cpu);

const MODULE: &str = "kt_params";

/// The value of `name` as the module itself sees it.
#[track_caller]
fn said(log: &Log, name: &str) -> String {
    let messages = log.messages("kt_params: ");
    let mut values = messages
        .iter()
        .filter_map(|m| m.strip_prefix(name)?.strip_prefix('='));
    let value = values
        .next()
        .unwrap_or_else(|| panic!("no {name}: {messages:?}"));
    assert!(values.next().is_none(), "{messages:?}");
    value.to_owned()
}

fn sysfs(name: &str) -> String {
    format!("/sys/module/kt_params/parameters/{name}")
}

/// Loads with `name=text`: the module and sysfs both have `value`.
#[track_caller]
fn accepted(name: &str, text: &str, value: &str) {
    let log = Log::from_now();
    let _module = Module::load(MODULE, &[&format!("{name}={text}")])
        .unwrap_or_else(|e| panic!("{name}={text}: {e}"));
    assert_eq!(said(&log, name), value, "{name}={text}");
    if name != "a_bool" {
        assert_eq!(
            fs::read_to_string(sysfs(name)).unwrap(),
            format!("{value}\n")
        );
    }
}

/// Loading with `name=text` fails, and the kernel says which parameter it was.
#[track_caller]
fn refused(name: &str, text: &str, wanted: Errno) {
    let log = Log::from_now();
    let params = format!("{name}={text}");
    assert_eq!(errno(Module::load(MODULE, &[&params])), wanted, "{params}");
    assert!(!is_loaded(MODULE));
    let messages: Vec<String> = log.records().into_iter().map(|r| r.text).collect();
    let says = |m: &String| {
        m.starts_with("kt_params: ") && m.ends_with(&format!("parameter `{name}'"))
            // A text that is too long is too long for this as well.
            || *m == format!("{name}: string parameter too long")
    };
    assert!(messages.iter().any(says), "{params}: {messages:?}");
}

const NUMBERS: [(&str, i128, i128); 10] = [
    ("a_i8", i8::MIN as i128, i8::MAX as i128),
    ("a_u8", 0, u8::MAX as i128),
    ("a_i16", i16::MIN as i128, i16::MAX as i128),
    ("a_u16", 0, u16::MAX as i128),
    ("a_i32", i32::MIN as i128, i32::MAX as i128),
    ("a_u32", 0, u32::MAX as i128),
    ("a_i64", i64::MIN as i128, i64::MAX as i128),
    ("a_u64", 0, u64::MAX as i128),
    ("an_isize", isize::MIN as i128, isize::MAX as i128),
    ("a_usize", 0, usize::MAX as i128),
];

#[test]
fn defaults() {
    let log = Log::from_now();
    let _module = Module::load(MODULE, &[]).unwrap();
    for (name, value) in [
        ("a_i8", "-1"),
        ("a_u8", "2"),
        ("a_i16", "-3"),
        ("a_u16", "4"),
        ("a_i32", "-5"),
        ("a_u32", "6"),
        ("a_i64", "-7"),
        ("a_u64", "8"),
        ("an_isize", "-9"),
        ("a_usize", "10"),
        ("a_text", "nothing"),
        ("private", "12"),
    ] {
        assert_eq!(said(&log, name), value);
        assert_eq!(
            fs::read_to_string(sysfs(name)).unwrap(),
            format!("{value}\n")
        );
    }
    assert_eq!(said(&log, "a_bool"), "false");
    assert_eq!(fs::read_to_string(sysfs("a_bool")).unwrap(), "N\n");
    assert_eq!(said(&log, "hidden"), "11");
}

#[test]
fn numbers_up_to_their_limits() {
    for (name, min, max) in NUMBERS {
        for value in [min, min + 1, 0, 1, max - 1, max] {
            accepted(name, &value.to_string(), &value.to_string());
        }
        accepted(name, "0x10", "16");
        accepted(name, "010", "8");
        accepted(name, "+5", "5");
    }
}

#[test]
fn numbers_beyond_their_limits() {
    for (name, min, max) in NUMBERS {
        refused(name, &(max + 1).to_string(), ERANGE);
        refused(name, "99999999999999999999999999", ERANGE);
        match min {
            // An unsigned number has no sign at all.
            0 => refused(name, "-1", EINVAL),
            _ => refused(name, &(min - 1).to_string(), ERANGE),
        }
    }
}

#[test]
fn what_is_no_number() {
    for (name, _, _) in NUMBERS {
        for text in ["", "x", "1x", "1.5", "--1", "0x", "one"] {
            refused(name, text, EINVAL);
        }
    }
}

#[test]
fn a_number_without_a_value() {
    let log = Log::from_now();
    assert_eq!(errno(Module::load(MODULE, &["a_i32"])), EINVAL);
    let messages = log.messages("kt_params: ");
    assert!(messages.iter().any(|m| m.contains("a_i32")), "{messages:?}");
}

#[test]
fn bools() {
    for (text, value, shown) in [
        ("1", "true", "Y\n"),
        ("y", "true", "Y\n"),
        ("Y", "true", "Y\n"),
        ("on", "true", "Y\n"),
        ("0", "false", "N\n"),
        ("n", "false", "N\n"),
        ("off", "false", "N\n"),
    ] {
        let log = Log::from_now();
        let _module = Module::load(MODULE, &[&format!("a_bool={text}")]).unwrap();
        assert_eq!(said(&log, "a_bool"), value, "{text}");
        assert_eq!(fs::read_to_string(sysfs("a_bool")).unwrap(), shown);
    }
    // The name alone is yes.
    let log = Log::from_now();
    drop(Module::load(MODULE, &["a_bool"]).unwrap());
    assert_eq!(said(&log, "a_bool"), "true");
    for text in ["2", "maybe", ""] {
        refused("a_bool", text, EINVAL);
    }
}

#[test]
fn texts() {
    accepted("a_text", "", "");
    accepted("a_text", "you", "you");
    accepted("a_text", "\"with two blanks\"", "with two blanks");
    accepted("a_text", "größe", "größe");
    accepted("a_text", "%s%n", "%s%n");
    let longest = "x".repeat(900);
    accepted("a_text", &longest, &longest);
    refused("a_text", &"x".repeat(1025), ENOSPC);
}

#[test]
fn arrays() {
    let shown = |name| fs::read_to_string(sysfs(name)).unwrap();
    let log = Log::from_now();
    let module = Module::load(MODULE, &[]).unwrap();
    assert_eq!(said(&log, "some_i8"), "[-1, 0, 1]");
    assert_eq!(said(&log, "some_u64"), "[7, 7]");
    assert_eq!(said(&log, "some_bool"), "[true, false]");
    assert_eq!(shown("some_i8"), "-1,0,1\n");
    assert_eq!(shown("some_u64"), "7,7\n");
    assert_eq!(shown("some_bool"), "Y,N\n");
    module.unload().unwrap();

    let log = Log::from_now();
    let all = ["some_i8=-128,127,0x10", "some_u64=18446744073709551615"];
    let module = Module::load(MODULE, &all).unwrap();
    assert_eq!(said(&log, "some_i8"), "[-128, 127, 16]");
    // Those that were not given keep their default.
    assert_eq!(said(&log, "some_u64"), "[18446744073709551615, 7]");
    assert_eq!(shown("some_i8"), "-128,127,16\n");
    assert_eq!(shown("some_u64"), "18446744073709551615,7\n");
    module.unload().unwrap();

    refused("some_i8", "1,2,128", ERANGE);
    refused("some_bool", "1,maybe", EINVAL);
    for params in ["some_i8=1,2,3,4", "some_i8"] {
        assert_eq!(errno(Module::load(MODULE, &[params])), EINVAL, "{params}");
        assert!(!is_loaded(MODULE));
    }
}

#[koru_testing::all_cpus]
#[test]
fn several_at_once() {
    let log = Log::from_now();
    let params = ["a_u8=200", "a_bool=1", "a_text=all", "hidden=99"];
    let _module = Module::load(MODULE, &params).unwrap();
    assert_eq!(said(&log, "a_u8"), "200");
    assert_eq!(said(&log, "a_bool"), "true");
    assert_eq!(said(&log, "a_text"), "all");
    assert_eq!(said(&log, "hidden"), "99");
    assert_eq!(said(&log, "a_i8"), "-1");
}

#[test]
fn an_unknown_one_is_ignored_with_a_word() {
    let log = Log::from_now();
    let _module = Module::load(MODULE, &["a_u8=3", "no_such=1"]).unwrap();
    let messages = log.messages("kt_params: ");
    let said_so = |m: &String| m.contains("unknown parameter 'no_such' ignored");
    assert!(messages.iter().any(said_so), "{messages:?}");
    assert_eq!(said(&log, "a_u8"), "3");
}

#[test]
fn a_value_does_not_outlive_the_load() {
    drop(Module::load(MODULE, &["a_i32=77", "a_text=old"]).unwrap());
    let log = Log::from_now();
    drop(Module::load(MODULE, &[]).unwrap());
    assert_eq!(said(&log, "a_i32"), "-5");
    assert_eq!(said(&log, "a_text"), "nothing");
}

#[test]
fn modes_in_sysfs() {
    let _module = Module::load(MODULE, &[]).unwrap();
    let mode = |name| fs::metadata(sysfs(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("a_i8"), 0o444);
    assert_eq!(mode("a_u8"), 0o444, "what it is when nothing is said");
    assert_eq!(mode("private"), 0o400);
    assert!(!exists(&sysfs("hidden")));
    // Not even root changes a value while the module runs.
    assert!(fs::write(sysfs("a_i8"), "5").is_err());
    assert_eq!(fs::read_to_string(sysfs("a_i8")).unwrap(), "-1\n");
}

#[test]
fn modinfo_shows_them() {
    let ko = fs::read(Module::path(MODULE)).unwrap();
    let strings: Vec<&[u8]> = ko.split(|b| *b == 0).collect();
    for wanted in [
        "parm=a_i8:An i8",
        "parmtype=a_u8:byte",
        "parmtype=a_i16:short",
        "parmtype=a_u32:uint",
        "parmtype=a_u64:ullong",
        "parmtype=a_bool:bool",
        "parmtype=a_text:charp",
        "parmtype=some_i8:array of i8",
        "parmtype=some_u64:array of ullong",
        "parmtype=hidden:uint",
    ] {
        assert!(strings.contains(&wanted.as_bytes()), "{wanted}");
    }
}
