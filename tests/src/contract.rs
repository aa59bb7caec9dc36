// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module's contract, and how a test states its requirements.
//!
//! What differs between one course's text of a contract and another's, such as file names,
//! messages and error numbers, is in a TOML file beside the tests. `koru verify --contract FILE`
//! overrides it by a file of the same form.
//!
//! The `expect_...` functions say what was done, what was required, and what was seen, so that a
//! failure can be understood without the test's source. [`fail_requirement`] has the format that
//! `koru verify` parses.

use std::{env, fmt::Debug, fs};

use koru_testing::{Module, is_loaded};
use nix::errno::Errno;
use toml::{Table, Value};

/// The environment variable with the path of a course's own file in the guest.
const OVERLAY: &str = "KORU_CONTRACT";

/// A module's contract: values by dotted keys, such as `errors.empty`.
#[derive(Debug)]
pub struct Contract {
    module: String,
    table: Table,
}

impl Contract {
    /// Parses our own contract, and overrides its values by those that `koru verify` was given.
    pub fn new(module: &str, ours: &str) -> Contract {
        let mut table: Table = ours
            .parse()
            .unwrap_or_else(|e| panic!("{module}.toml: {e}"));
        if let Some(path) = env::var_os(OVERLAY) {
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            overlay(&mut table, text.parse().expect("koru has read it already"));
        }
        Contract {
            module: module.to_owned(),
            table,
        }
    }

    #[track_caller]
    fn value(&self, key: &str) -> &Value {
        let mut keys = key.split('.');
        let first = keys.next().and_then(|k| self.table.get(k));
        let value = keys.fold(first, |value, key| value?.get(key));
        value.unwrap_or_else(|| panic!("no `{key}` in {}.toml", self.module))
    }

    /// Returns a text, such as the name of a file.
    #[track_caller]
    pub fn text(&self, key: &str) -> &str {
        self.value(key).as_str().expect(key)
    }

    /// Returns a number, such as a limit.
    #[track_caller]
    pub fn number(&self, key: &str) -> i64 {
        self.value(key).as_integer().expect(key)
    }

    /// Returns an error that the contract names, such as `"EACCES"`.
    #[track_caller]
    pub fn errno(&self, key: &str) -> Errno {
        let name = self.text(key);
        errno_by_name(name).unwrap_or_else(|| panic!("`{key}`: there is no error `{name}`"))
    }

    /// Loads the module under test, and panics if that fails.
    #[track_caller]
    pub fn load(&self) -> Module {
        self.load_with(&[])
    }

    /// Loads the module under test with parameters of the form `key=value`, and panics if that
    /// fails.
    #[track_caller]
    pub fn load_with(&self, params: &[&str]) -> Module {
        Module::load(&self.module, params)
            .unwrap_or_else(|e| panic!("the module does not load: {e}"))
    }
}

/// Expands to the contract in a TOML file of this package, by its module's name.
#[macro_export]
macro_rules! contract {
    ($module:literal) => {
        std::sync::LazyLock::new(|| {
            $crate::Contract::new(
                $module,
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $module, ".toml")),
            )
        })
    };
}

fn overlay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => overlay(under, over),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

/// Returns the error with a name such as `EACCES`.
pub fn errno_by_name(name: &str) -> Option<Errno> {
    (1..134)
        .map(Errno::from_raw)
        .find(|e| format!("{e:?}") == name)
}

/// Requires that a value is the promised one.
#[track_caller]
pub fn expect_eq<T: PartialEq<U> + Debug, U: Debug>(done: &str, seen: T, promised: U) {
    if seen != promised {
        fail_requirement(done, &format!("{promised:?}"), &format!("{seen:?}"));
    }
}

/// Requires that a system call fails with this error.
#[track_caller]
pub fn expect_errno<T: Debug>(done: &str, seen: std::io::Result<T>, promised: Errno) {
    let promised = format!("{promised:?}");
    match seen {
        Ok(value) => fail_requirement(done, &promised, &format!("success ({value:?})")),
        Err(e) => {
            let seen = e.raw_os_error().map(Errno::from_raw);
            let seen = seen.map_or(e.to_string(), |e| format!("{e:?}"));
            if seen != promised {
                fail_requirement(done, &promised, &seen);
            }
        }
    }
}

/// Requires that a system call fails, with any error.
#[track_caller]
pub fn expect_err<T: Debug>(done: &str, seen: std::io::Result<T>) {
    if let Ok(value) = seen {
        fail_requirement(done, "an error", &format!("success ({value:?})"));
    }
}

/// Requires that a module does not load with a number that its parameter's type cannot hold.
///
/// The kernel itself refuses it: with `ERANGE`, or `EINVAL` where the type has no sign.
#[track_caller]
pub fn expect_out_of_range(module: &str, parameters: &[&str]) {
    let numbers = [
        "99999999999999999999",
        "-99999999999999999999",
        "0x1ffffffffffffffff",
    ];
    for (parameter, number) in parameters.iter().flat_map(|p| numbers.map(|n| (p, n))) {
        let param = format!("{parameter}={number}");
        let done = format!("insmod with {param}");
        match Module::load(module, &[&param]) {
            Err(e) if e.raw_os_error() == Some(Errno::EINVAL as i32) => {}
            seen => expect_errno(&done, seen, Errno::ERANGE),
        }
        expect_eq("it is loaded", is_loaded(module), false);
    }
}

/// Requires that a system call succeeds, and returns its result.
#[track_caller]
pub fn expect_ok<T>(done: &str, seen: std::io::Result<T>) -> T {
    seen.unwrap_or_else(|e| {
        let seen = e.raw_os_error().map(Errno::from_raw);
        let seen = seen.map_or(e.to_string(), |e| format!("{e:?}"));
        fail_requirement(done, "success", &seen)
    })
}

/// Fails the test.
///
/// `koru verify` shows the three texts.
#[track_caller]
pub fn fail_requirement(done: &str, promised: &str, seen: &str) -> ! {
    panic!("{done}\npromised: {promised}\nseen: {seen}")
}
