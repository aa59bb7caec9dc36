// SPDX-License-Identifier: MIT OR Apache-2.0

//! Who a process is, on the module `kt_process`.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    os::unix::{fs::FileExt, process::CommandExt},
    process::{Child, Command, Stdio, id},
    thread,
};

use koru_testing::Module;
use koru_tests::{
    inherited_read, next_process_is, read_by_worker, send_in_flight, take_descriptor,
};

const FILE: &str = "/proc/kt_process";

/// What a reader of that process gets.
fn owner(pid: u32) -> String {
    format!("owner {pid} Pid({pid})\n")
}

fn read(file: &File) -> String {
    let mut buffer = [0; 64];
    let n = file.read_at(&mut buffer, 0).unwrap();
    String::from_utf8(buffer[..n].to_vec()).unwrap()
}

#[test]
fn all_threads_are_the_process() {
    let _module = Module::load("kt_process", &[]).unwrap();
    let file = File::open(FILE).unwrap();
    assert_eq!(read(&file), owner(id()));
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| assert_eq!(read(&file), owner(id())));
        }
    });
    // Opened by a thread that is gone.
    let file = thread::spawn(|| File::open(FILE).unwrap()).join().unwrap();
    assert_eq!(read(&file), owner(id()));
}

#[test]
fn workers_of_io_uring_are_the_process() {
    let _module = Module::load("kt_process", &[]).unwrap();
    let file = File::open(FILE).unwrap();
    let text = read_by_worker(&file, 64).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), owner(id()));
}

#[test]
fn others_with_the_descriptor_are_strangers() {
    let _module = Module::load("kt_process", &[]).unwrap();
    let file = File::open(FILE).unwrap();
    let child = String::from_utf8(inherited_read(&file, "cat")).unwrap();
    assert!(child.starts_with("stranger "), "{child}");
    let file = send_in_flight(file)();
    assert_eq!(read(&file), owner(id()));
}

/// Not a test by itself: goes on as `cat` from a thread that is not the first.
#[test]
fn exec_in_a_thread() {
    if std::env::var_os("KT_PROCESS_EXEC").is_none() {
        return;
    }
    let file = File::open(FILE).unwrap();
    let exec = || Command::new("cat").stdin(file).exec();
    panic!("{}", thread::spawn(exec).join().unwrap());
}

#[test]
fn a_process_stays_itself_over_exec() {
    let _module = Module::load("kt_process", &[]).unwrap();
    let child = Command::new("/proc/self/exe")
        .args(["exec_in_a_thread", "--exact", "--nocapture"])
        .env("KT_PROCESS_EXEC", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with(&owner(pid)), "{text}");
}

/// A child that has opened the file as its descriptor 3, and what it opened.
fn opener() -> (Child, File) {
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec 3<{FILE}; echo; read x")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let file = take_descriptor(child.id(), 3).unwrap();
    (child, file)
}

#[test]
fn a_number_that_is_used_again_is_somebody_else() {
    let _module = Module::load("kt_process", &[]).unwrap();
    let (mut child, file) = opener();
    let pid = child.id();
    child.kill().unwrap();
    child.wait().unwrap();
    for _ in 0..100 {
        next_process_is(pid);
        let reader = Command::new("cat")
            .stdin(file.try_clone().unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let same = reader.id() == pid;
        let output = reader.wait_with_output().unwrap();
        if same {
            let text = String::from_utf8(output.stdout).unwrap();
            assert_eq!(text, format!("stranger {pid} Pid({pid})\n"));
            return;
        }
        (&file).seek(SeekFrom::Start(0)).unwrap();
    }
    panic!("{pid} is never used again");
}
