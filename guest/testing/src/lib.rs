// SPDX-License-Identifier: MIT OR Apache-2.0

//! Helps tests that run in a guest.
//!
//! Tests are ordinary `#[test]` functions. `koru test` compiles them, copies them to a guest
//! together with every module of their workspace, and runs them there, one at a time. A test
//! also fails when the kernel complains while the test runs.
//!
//! ```no_run
//! use koru_testing::{Log, Module};
//!
//! #[test]
//! fn says_hello() {
//!     let log = Log::from_now();
//!     let module = Module::load("hello", &[]).unwrap();
//!     module.unload().unwrap();
//!     assert_eq!(log.messages("hello: "), ["Hello world", "Goodbye world"]);
//! }
//! ```
//!
//! # How a test wants to run
//!
//! A guest has two processors, or as many as `cpus` in `[package.metadata.koru]` of the tests'
//! Cargo.toml says. Tests in which nothing runs at once are faster with one processor. Marks
//! say this at the test, [`one_cpu`] and [`all_cpus`], or for a whole file, [`test_file!`]:
//!
//! ```no_run
//! use koru_testing::Module;
//!
//! koru_testing::test_file!(one_cpu);
//!
//! #[test]
//! fn loads() {
//!     Module::load("hello", &[]).unwrap();
//! }
//!
//! #[koru_testing::all_cpus]
//! #[test]
//! fn is_loaded_once_by_two_threads() {
//!     let threads = [(); 2].map(|()| std::thread::spawn(|| Module::load("hello", &[])));
//!     let loads = threads.map(|thread| thread.join().unwrap());
//!     assert_eq!(loads.iter().filter(|load| load.is_ok()).count(), 1);
//! }
//! ```
//!
//! `koru test` reads the marks from the compiled tests. Cargo's own `cargo test` runs all tests
//! of a file in the same guest, with all its processors.
#![forbid(unsafe_code)]

mod marks;

use std::{
    ffi::CString,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

pub use koru_protocol::LogRecord;
use koru_protocol::{KERNEL_MAY_SAY, TEST_SKIPPED, parse_kmsg};
use object::{Object, ObjectSection};
use rustix::{fs::OFlags, system};

#[doc(hidden)]
pub use marks::TestNote;
pub use marks::{all_cpus, one_cpu};

/// The folder of the modules under test in the guest.
pub const MODULES: &str = "/lib/koru";

/// A loaded module, which is unloaded when this is dropped.
#[derive(Debug)]
pub struct Module {
    name: String,
    loaded: bool,
}

impl Module {
    /// Returns the path of a module's file.
    pub fn path(name: &str) -> PathBuf {
        Path::new(MODULES).join(format!("{name}.ko"))
    }

    /// Loads a module of the workspace with `key=value` parameters, as insmod does.
    ///
    /// # Errors
    ///
    /// Fails with the kernel's errno.
    pub fn load(name: &str, params: &[&str]) -> io::Result<Module> {
        let mut file = File::open(Self::path(name)).map_err(|e| {
            io::Error::new(e.kind(), format!("{}: {e}", Self::path(name).display()))
        })?;
        let mut ko = Vec::new();
        file.read_to_end(&mut ko)?;
        let params = CString::new(params.join(" "))?;
        system::finit_module(&file, &params, 0)?;
        Ok(Module {
            name: own_name(&ko).unwrap_or_else(|| name.to_owned()),
            loaded: true,
        })
    }

    /// Returns the name by which the kernel knows the module, which is not always the file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Unloads the module, as rmmod does.
    ///
    /// # Errors
    ///
    /// Fails with the kernel's errno.
    pub fn unload(mut self) -> io::Result<()> {
        self.loaded = false;
        unload(&self.name)
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if !self.loaded {
            return;
        }
        let unloaded = unload(&self.name);
        if !std::thread::panicking() {
            unloaded.unwrap_or_else(|e| panic!("unloading {}: {e}", self.name));
        }
    }
}

/// Returns the name that a module file gives itself: `name=` in its .modinfo.
fn own_name(ko: &[u8]) -> Option<String> {
    let file = object::File::parse(ko).ok()?;
    let modinfo = file.section_by_name(".modinfo")?.data().ok()?;
    let mut strings = modinfo.split(|b| *b == 0);
    let name = strings.find_map(|s| s.strip_prefix(b"name="))?;
    String::from_utf8(name.to_vec()).ok()
}

/// Unloads a module by name. A module that is in use fails at once, with `EWOULDBLOCK`.
pub fn unload(name: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    // In a guest that checks the allocated memory, the agent's program writes down where the module
    // is: reports may have addresses in it.
    let _ = Command::new("/init").arg("remember-modules").status();
    Ok(system::delete_module(
        &name,
        OFlags::NONBLOCK.bits() as core::ffi::c_int,
    )?)
}

/// Returns whether a module of this name is loaded.
pub fn is_loaded(name: &str) -> bool {
    Path::new("/sys/module")
        .join(name)
        .join("initstate")
        .exists()
}

/// Announces that a warning of the kernel's, or a report of KASAN's or lockdep's, that
/// contains this text does not fail this test. This is for what the kernel warns about
/// although the module is right, for a module that does wrong to be reported, for a module
/// that logs that it must stay in memory, and for what is left behind. (The next test then gets
/// another guest.)
pub fn kernel_may_say(text: &str) {
    let mut kmsg = File::options()
        .write(true)
        .open("/dev/kmsg")
        .expect("the guest has /dev/kmsg");
    // The test's runner looks for this record in the log. It is written at once, because each
    // write is a record.
    kmsg.write_all(format!("<6>{KERNEL_MAY_SAY}{text}\n").as_bytes())
        .expect("writing to the log");
}

/// Ends this test, which cannot be run on this kernel and counts as skipped.
///
/// ```no_run
/// if !std::path::Path::new("/sys/kernel/debug").exists() {
///     koru_testing::skip("this kernel has no debugfs");
/// }
/// ```
pub fn skip(why: &str) -> ! {
    // This bypasses the test harness, which captures what a test prints.
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "\n{why}");
    let _ = out.flush();
    std::process::exit(TEST_SKIPPED)
}

/// The kernel log from a moment on.
#[derive(Debug)]
pub struct Log {
    reader: Mutex<Reader>,
}

#[derive(Debug)]
struct Reader {
    kmsg: File,
    /// The records that were read, because a record can be read only once.
    records: Vec<LogRecord>,
}

impl Log {
    /// Follows everything that is logged after this call.
    pub fn from_now() -> Log {
        let mut kmsg = File::options()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open("/dev/kmsg")
            .expect("the guest has /dev/kmsg");
        // Start after the last record, however many there are.
        kmsg.seek(SeekFrom::End(0)).expect("the log's end");
        let records = Vec::new();
        Log {
            reader: Mutex::new(Reader { kmsg, records }),
        }
    }

    /// Returns the records up to now, oldest first.
    pub fn records(&self) -> Vec<LogRecord> {
        let mut reader = self.reader.lock().unwrap_or_else(|e| e.into_inner());
        reader.go_on();
        reader.records.clone()
    }

    /// Returns the texts of the records that start with `prefix`, without the prefix. Messages
    /// of the module loader under a module's name, which come once a boot, are left out.
    pub fn messages(&self, prefix: &str) -> Vec<String> {
        self.records()
            .iter()
            .filter_map(|r| r.text.strip_prefix(prefix))
            .filter(|t| !t.ends_with("taints kernel.") && !t.ends_with("tainting kernel"))
            .map(str::to_owned)
            .collect()
    }
}

impl Reader {
    fn go_on(&mut self) {
        // One read returns one record, and the kernel's longest fits.
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.kmsg.read(&mut buffer) {
                Ok(n) => self.records.extend(parse_kmsg(&buffer[..n])),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                // EPIPE means that records were overwritten before they were read.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
                Err(e) => panic!("reading /dev/kmsg: {e}"),
            }
        }
    }
}
