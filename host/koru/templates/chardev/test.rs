use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
};

use koru_testing::Module;

const DEVICE: &str = "/dev/@NAME@";
const HELLO: &str = "Hello from @NAME@\n";

fn open() -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(DEVICE)
        .unwrap()
}

#[test]
fn reads_on_where_it_stopped() {
    let _module = Module::load("@NAME@", &[]).unwrap();
    let mut device = open();
    let mut start = [0; 6];
    device.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"Hello ");
    let mut rest = String::new();
    device.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, HELLO[6..]);
}

#[test]
fn others_read_what_was_written() {
    let _module = Module::load("@NAME@", &[]).unwrap();
    open().write_all(b"J").unwrap();
    let expected = HELLO.replacen('H', "J", 1);
    assert_eq!(fs::read_to_string(DEVICE).unwrap(), expected);
}

#[test]
fn seeks() {
    let _module = Module::load("@NAME@", &[]).unwrap();
    let mut device = open();
    let end = HELLO.len() as u64;
    assert_eq!(device.seek(SeekFrom::End(0)).unwrap(), end);
    device.write_all(b"more\n").unwrap();
    assert_eq!(device.seek(SeekFrom::Current(-5)).unwrap(), end);
    let mut more = String::new();
    device.read_to_string(&mut more).unwrap();
    assert_eq!(more, "more\n");
    assert!(device.seek(SeekFrom::Current(-1000)).is_err());
    assert!(device.seek(SeekFrom::Start(4097)).is_err());
}

#[test]
fn holds_4096_bytes() {
    let _module = Module::load("@NAME@", &[]).unwrap();
    let mut device = open();
    assert_eq!(device.write(&[b'x'; 5000]).unwrap(), 4096);
    assert!(device.write(b"x").is_err());
    assert_eq!(fs::read(DEVICE).unwrap(), [b'x'; 4096]);
}

#[test]
fn is_not_unloaded_while_open() {
    let module = Module::load("@NAME@", &[]).unwrap();
    let device = open();
    assert!(koru_testing::unload("@NAME@").is_err());
    drop(device);
    module.unload().unwrap();
    assert!(fs::metadata(DEVICE).is_err());
}
