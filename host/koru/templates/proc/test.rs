use std::fs;

use koru_testing::Module;

const FILE: &str = "/proc/@NAME@";

#[test]
fn reads_what_was_written() {
    let _module = Module::load("@NAME@", &[]).unwrap();
    assert_eq!(fs::read_to_string(FILE).unwrap(), "Hello from @NAME@\n");
    fs::write(FILE, "something else\n").unwrap();
    assert_eq!(fs::read_to_string(FILE).unwrap(), "something else\n");
}

#[test]
fn a_long_message_changes_nothing() {
    let _module = Module::load("@NAME@", &[]).unwrap();
    assert!(fs::write(FILE, [b'x'; 101]).is_err());
    assert_eq!(fs::read_to_string(FILE).unwrap(), "Hello from @NAME@\n");
}

#[test]
fn is_gone_after_unloading() {
    Module::load("@NAME@", &[]).unwrap().unload().unwrap();
    assert!(fs::metadata(FILE).is_err());
}
