// SPDX-License-Identifier: MIT OR Apache-2.0

//! `kernel::miscdevice`, with the devices of tests/modules/misc_test.

use std::{
    fs::{self, File, OpenOptions},
    io::{IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write},
    mem::ManuallyDrop,
    os::{
        fd::AsRawFd,
        unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use koru_testing::{Log, Module, is_loaded, skip};
use koru_tests::{
    BadPointer,
    Errno::{
        self, EAGAIN, EDOM, EEXIST, EFAULT, EINVAL, EIO, ENODEV, ENOENT, ENOTTY, ENXIO, EOVERFLOW,
        ERANGE, ESPIPE,
    },
    GuardPageBuffer, Low32Value, compat_ioctl, errno, errno_of_init, exists, inherited_read, ioctl,
    read_bad, read_by, send_in_flight, write_bad,
};

koru_testing::test_file!(one_cpu);

const MEMORY: &str = "/dev/misc_test";
const HOSTILE: &str = "/dev/misc_test_hostile";
const PLAIN: &str = "/dev/misc_test_dir/plain";

// As a C program's <sys/ioctl.h> makes them.
const GONE: u32 = 0x6b00;
const LENGTH: u32 = 0x8008_6b01;
const CUT: u32 = 0x4008_6b02;
const TWICE: u32 = 0xc004_6b03;

fn load() -> Module {
    Module::load("misc_test", &[]).unwrap()
}

fn open(path: &str) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A file that holds these bytes, at position 0.
fn with(bytes: &[u8]) -> File {
    let mut file = open(MEMORY);
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn nodes_come_and_go() {
    let module = load();
    let node = fs::metadata(MEMORY).unwrap();
    assert!(node.file_type().is_char_device());
    assert_eq!((node.mode() & 0o777, node.uid()), (0o600, 0));
    assert_eq!(fs::metadata(PLAIN).unwrap().mode() & 0o777, 0o640);
    assert!(exists("/sys/class/misc/misc_test_dir!plain"));
    module.unload().unwrap();
    for path in [MEMORY, PLAIN, HOSTILE, "/sys/class/misc/misc_test"] {
        assert!(!exists(path), "{path}");
    }
}

#[test]
fn every_open_has_a_position_and_data_of_its_own() {
    let _module = load();
    let (mut a, mut b) = (with(b"first"), with(b"second"));
    assert_eq!(read_by(&mut a, 1).unwrap(), b"first");
    assert_eq!(read_by(&mut b, 4096).unwrap(), b"second");
    assert_eq!(a.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn pread_leaves_the_position() {
    let _module = load();
    let mut file = with(b"0123456789");
    let mut three = [0; 3];
    assert_eq!(file.read_at(&mut three, 4).unwrap(), 3);
    assert_eq!(&three, b"456");
    assert_eq!(file.read_at(&mut three, 9).unwrap(), 1);
    assert_eq!(file.read_at(&mut three, 10).unwrap(), 0);
    assert_eq!(file.read_at(&mut three, i64::MAX as u64 - 3).unwrap(), 0);
    assert_eq!(read_by(&mut file, 3).unwrap(), b"0123456789");
}

#[koru_testing::all_cpus]
#[test]
fn several_buffers_at_once() {
    let _module = load();
    let mut file = open(MEMORY);
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
    assert_eq!(file.write_vectored(&parts).unwrap(), 5);
    file.rewind().unwrap();
    let (mut x, mut y, mut z) = ([0; 1], [0; 3], [0; 9]);
    let mut parts = [&mut x[..], &mut y, &mut z].map(IoSliceMut::new);
    assert_eq!(file.read_vectored(&mut parts).unwrap(), 5);
    assert_eq!((&x, &y, &z[..1]), (b"a", b"bcd", &b"e"[..]));
}

#[test]
fn lseek_is_the_devices() {
    let _module = load();
    let mut file = with(b"0123456789");
    assert_eq!(file.seek(SeekFrom::End(-3)).unwrap(), 7);
    assert_eq!(file.seek(SeekFrom::Current(-2)).unwrap(), 5);
    assert_eq!(read_by(&mut file, 100).unwrap(), b"56789");
    assert_eq!(file.seek(SeekFrom::Start(100)).unwrap(), 100);
    assert_eq!(file.read(&mut [0; 8]).unwrap(), 0);
    for wrong in [SeekFrom::Current(-101), SeekFrom::End(i64::MIN)] {
        assert_eq!(errno(file.seek(wrong)), EINVAL, "{wrong:?}");
    }
    assert_eq!(
        file.seek(SeekFrom::Start(i64::MAX as u64)).unwrap(),
        i64::MAX as u64
    );
    assert_eq!(errno(file.seek(SeekFrom::Current(1))), EOVERFLOW);
    // SEEK_DATA, which the crate knows nothing of.
    assert_eq!(
        rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(0))
            .unwrap_err()
            .raw_os_error(),
        EINVAL as i32
    );
    assert_eq!(file.stream_position().unwrap(), i64::MAX as u64);
}

#[test]
fn what_a_device_lacks() {
    let _module = load();
    let mut plain = open(PLAIN);
    assert_eq!(errno(plain.read(&mut [0; 8])), EINVAL);
    assert_eq!(errno(plain.write(b"x")), EINVAL);
    assert_eq!(errno(plain.seek(SeekFrom::Start(0))), ESPIPE);
    assert_eq!(errno(ioctl(open(HOSTILE), GONE, 0)), ENOTTY);
}

#[test]
fn bad_addresses_change_nothing() {
    let _module = load();
    let mut file = with(b"0123456789");
    file.seek(SeekFrom::Start(2)).unwrap();
    for bad in BadPointer::ALL {
        assert_eq!(errno(read_bad(&file, bad, 4)), EFAULT, "{bad:?}");
        assert_eq!(errno(write_bad(&file, bad, 4)), EFAULT, "{bad:?}");
        assert_eq!(file.stream_position().unwrap(), 2);
    }
    for command in [LENGTH, CUT, TWICE] {
        for address in [0, 0xffff_8880_0000_0000, 1 << 63, usize::MAX] {
            assert_eq!(
                errno(ioctl(&file, command, address)),
                EFAULT,
                "{command:#x} {address:#x}"
            );
        }
    }
    file.rewind().unwrap();
    assert_eq!(read_by(&mut file, 100).unwrap(), b"0123456789");
}

#[test]
fn a_fault_in_the_middle_ends_the_call_there() {
    let _module = load();
    let mut file = with(b"0123456789");
    let guarded = GuardPageBuffer::new();
    assert_eq!(guarded.read(&file, 4, 10).unwrap(), 4);
    assert_eq!(guarded.bytes(4), b"0123");
    assert_eq!(file.stream_position().unwrap(), 4);
    assert_eq!(errno(guarded.read(&file, 0, 10)), EFAULT);
    assert_eq!(file.stream_position().unwrap(), 4);
    assert_eq!(guarded.write(&file, b"abc", 10).unwrap(), 3);
    file.rewind().unwrap();
    assert_eq!(read_by(&mut file, 100).unwrap(), b"0123456789abc");
}

#[test]
fn wrong_answers_do_no_harm() {
    let _module = load();
    let mut file = open(HOSTILE);
    assert_eq!(errno(file.read(&mut [0; 8])), EIO);
    assert_eq!(errno(file.write(b"x")), EIO);
    assert_eq!(errno(file.seek(SeekFrom::Start(0))), EINVAL);
    let fdinfo = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).unwrap();
    assert!(fdinfo.starts_with("pos:\t0\n"), "{fdinfo}");
}

#[test]
fn open_may_refuse() {
    let module = load();
    let refused = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
        .open(HOSTILE);
    assert_eq!(errno(refused), ERANGE);
    // It holds nothing.
    module.unload().unwrap();
}

#[test]
fn ioctls() {
    let _module = load();
    let file = with(b"0123456789");
    let low = Low32Value::new(0);
    assert_eq!(ioctl(&file, LENGTH, low.address() as usize).unwrap(), 0);
    assert_eq!(low.get(), 10);
    let three = Low32Value::new(3);
    assert_eq!(ioctl(&file, CUT, three.address() as usize).unwrap(), 0);
    assert_eq!(ioctl(&file, LENGTH, low.address() as usize).unwrap(), 0);
    assert_eq!(low.get(), 3);
    let half = Low32Value::new(21 | 0xabcd << 32);
    assert_eq!(ioctl(&file, TWICE, half.address() as usize).unwrap(), 7);
    assert_eq!(half.get(), 42 | 0xabcd << 32);
    let much = Low32Value::new(1 << 31);
    assert_eq!(
        errno(ioctl(&file, TWICE, much.address() as usize)),
        EOVERFLOW
    );
    assert_eq!(errno(ioctl(&file, 0x6b09, 0)), ENOTTY);
    assert_eq!(ioctl(open(PLAIN), GONE, 0).unwrap(), 64);
}

#[test]
fn ioctls_of_32_bit_programs() {
    if !exists("/proc/sys/abi/vsyscall32") {
        skip("this kernel runs no 32-bit programs");
    }
    let _module = load();
    let file = with(b"0123456789");
    let low = Low32Value::new(0);
    assert_eq!(compat_ioctl(&file, LENGTH, low.address()).unwrap(), 0);
    assert_eq!(low.get(), 10);
    assert_eq!(errno(compat_ioctl(&file, LENGTH, 0)), EFAULT);
    assert_eq!(compat_ioctl(open(PLAIN), GONE, 0).unwrap(), 32);
    assert_eq!(errno(compat_ioctl(open(HOSTILE), GONE, 0)), ENOTTY);
}

#[test]
fn fdinfo_has_the_devices_lines() {
    let _module = load();
    let mut file = with(b"0123456789");
    file.seek(SeekFrom::Start(4)).unwrap();
    let fdinfo = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).unwrap();
    assert!(fdinfo.contains("\nmemory:\t10 of 65536 at 4\n"), "{fdinfo}");
}

#[test]
fn messages_name_the_device() {
    let _module = load();
    let log = Log::from_now();
    drop(open(MEMORY));
    assert_eq!(log.messages("misc misc_test: "), ["opened \"misc_test\""]);
    assert_eq!(log.messages("misc_test: "), ["released with 0 bytes"]);
}

#[test]
fn an_open_device_keeps_the_module() {
    let module = load();
    let file = with(b"kept");
    assert_eq!(errno(koru_testing::unload("misc_test")), EAGAIN);
    let mut copy = file.try_clone().unwrap();
    drop(file);
    assert_eq!(errno(koru_testing::unload("misc_test")), EAGAIN);
    assert_eq!(read_by(&mut copy, 2).unwrap(), b"kept");
    // Where no process has it.
    let back = send_in_flight(copy);
    assert_eq!(errno(koru_testing::unload("misc_test")), EAGAIN);
    drop(back());
    module.unload().unwrap();
}

#[koru_testing::all_cpus]
#[test]
fn a_child_shares_the_open_file() {
    let _module = load();
    let log = Log::from_now();
    let mut file = with(b"0123456789");
    assert_eq!(
        inherited_read(&file, "dd bs=1 count=4 2>/dev/null"),
        b"0123"
    );
    assert_eq!(log.messages("misc_test: "), [""; 0]);
    assert_eq!(read_by(&mut file, 100).unwrap(), b"456789");
    drop(file);
    assert_eq!(log.messages("misc_test: "), ["released with 10 bytes"]);
}

#[test]
fn an_open_file_outlives_its_device() {
    let log = Log::from_now();
    let module = load();
    let plain = open(PLAIN);
    let memory = open(MEMORY);
    ioctl(&memory, GONE, 0).unwrap();
    drop(memory);
    assert!(!exists(PLAIN));
    assert!(!exists("/dev/misc_test_dir"));
    assert_eq!(ioctl(&plain, GONE, 0).unwrap(), 64);
    assert_eq!(errno(koru_testing::unload("misc_test")), EAGAIN);
    drop(plain);
    // The name is still the device's, though that is gone.
    assert_eq!(log.messages("misc misc_test_dir!plain: "), ["released"]);
    module.unload().unwrap();
}

#[test]
fn a_name_that_is_taken() {
    let twice = Module::load("misc_test", &["twice=1"]);
    let taken = errno_of_init(EEXIST);
    assert_eq!(errno(twice), taken);
    assert!(!exists(MEMORY) && !is_loaded("misc_test"));
    let another = Module::load("misc_test", &["name=misc_test"]);
    assert_eq!(errno(another), taken);
    assert!(!exists(MEMORY) && !is_loaded("misc_test"));
    // And the kernel's own.
    assert_eq!(
        errno(Module::load("misc_test", &["name=cpu_dma_latency"])),
        taken
    );
    let _module = load();
    assert_eq!(errno(Module::load("misc_test", &[])), EEXIST);
}

#[test]
fn names_that_are_none() {
    let long = format!("name={}", "x".repeat(256));
    for name in [
        "name=",
        "name=.",
        "name=..",
        "name=../x",
        "name=/x",
        "name=x/",
        "name=a//b",
        // A slash to the device model.
        "name=a!b",
        "name=..!x",
        "name=bell\u{7}",
        &long,
    ] {
        assert_eq!(errno(Module::load("misc_test", &[name])), EINVAL, "{name}");
        assert!(!is_loaded("misc_test"));
    }
    for name in ["%s%n", "a b", &"y".repeat(255)] {
        let _module = Module::load("misc_test", &[&format!("name=\"{name}\"")]).unwrap();
        assert!(exists(&format!("/dev/{name}")), "{name}");
    }
}

#[koru_testing::all_cpus]
#[test]
fn nobody_gets_in_before_init_is_through() {
    for (fail, expected) in [("fail=0", None), ("fail=1", Some(EDOM as i32))] {
        let done = AtomicBool::new(false);
        let refused = AtomicUsize::new(0);
        let loaded = thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    match File::open(MEMORY) {
                        Err(e) if e.raw_os_error() == Some(ENODEV as i32) => {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                        // Not there yet, or not there any more.
                        Err(e) => {
                            let errno = e.raw_os_error().map(Errno::from_raw);
                            assert!(matches!(errno, Some(ENOENT | ENXIO)), "{e}");
                        }
                        Ok(_) => assert_eq!(expected, None),
                    }
                    thread::sleep(Duration::from_millis(1));
                }
            });
            let loaded = Module::load("misc_test", &["slow=300", fail]);
            done.store(true, Ordering::Relaxed);
            loaded
        });
        // Unloaded when nobody can have it open any more.
        assert_eq!(loaded.err().map(|e| e.raw_os_error().unwrap()), expected);
        assert!(refused.load(Ordering::Relaxed) > 0);
    }
}

#[test]
fn loads_and_unloads_many_times_in_use() {
    for round in 0..100 {
        let module = load();
        let mut file = with(b"x");
        assert_eq!(read_by(&mut file, 1).unwrap(), b"x", "{round}");
        drop(file);
        module.unload().unwrap();
    }
}

#[koru_testing::all_cpus]
#[test]
fn from_many_threads() {
    let module = load();
    let file = with(&[b'x'; 1000]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut one = [0];
                for at in 0..1000 {
                    assert_eq!(file.read_at(&mut one, at).unwrap(), 1);
                    assert_eq!(&one, b"x");
                }
            });
            scope.spawn(|| {
                for _ in 0..200 {
                    assert_eq!(with(b"mine").stream_position().unwrap(), 0);
                }
            });
        }
    });
    drop(file);
    module.unload().unwrap();
}

#[koru_testing::all_cpus]
#[test]
fn opening_while_it_comes_and_goes() {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if let Ok(mut file) = OpenOptions::new().write(true).open(MEMORY) {
                        file.write_all(b"x").unwrap();
                    }
                    thread::yield_now();
                }
            });
        }
        for _ in 0..20 {
            assert_eq!(errno(Module::load("misc_test", &["fail=1"])), EDOM);
            let _ = ManuallyDrop::new(load());
            while let Err(e) = koru_testing::unload("misc_test") {
                assert_eq!(e.raw_os_error(), Some(EAGAIN as i32));
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(!is_loaded("misc_test"));
}
