//! What differs between one course's text of a contract and another's: names of
//! files, messages, error numbers. It stands in a TOML file beside the tests.
//!
//! `koru verify --contract FILE` puts a file of the same form over ours.

use std::{env, fmt::Debug, fs};

use koru_testing::{Module, is_loaded};
use nix::errno::Errno;
use toml::{Table, Value};

/// Where a course's own file lies in the guest.
const OVERLAY: &str = "KORU_CONTRACT";

/// A module's contract: values by dotted keys, such as `errors.empty`.
#[derive(Debug)]
pub struct Contract {
    module: String,
    table: Table,
}

impl Contract {
    /// Ours, with what `koru verify` was given over it.
    pub fn of(module: &str, ours: &str) -> Contract {
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

    /// A text, such as the name of a file.
    #[track_caller]
    pub fn text(&self, key: &str) -> &str {
        self.value(key).as_str().expect(key)
    }

    /// A number, such as a limit.
    #[track_caller]
    pub fn number(&self, key: &str) -> i64 {
        self.value(key).as_integer().expect(key)
    }

    /// An error by its name, such as `"EACCES"`.
    #[track_caller]
    pub fn errno(&self, key: &str) -> Errno {
        let name = self.text(key);
        errno_by_name(name).unwrap_or_else(|| panic!("`{key}`: there is no error `{name}`"))
    }

    /// Loads the module under test; it must load.
    #[track_caller]
    pub fn load(&self) -> Module {
        self.load_with(&[])
    }

    /// The same with parameters, `key=value`.
    #[track_caller]
    pub fn load_with(&self, params: &[&str]) -> Module {
        Module::load(&self.module, params)
            .unwrap_or_else(|e| panic!("the module does not load: {e}"))
    }
}

/// The contract that stands beside this file, by its module's name.
#[macro_export]
macro_rules! contract {
    ($module:literal) => {
        std::sync::LazyLock::new(|| {
            $crate::Contract::of($module, include_str!(concat!($module, ".toml")))
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

/// `EACCES` and so on.
pub fn errno_by_name(name: &str) -> Option<Errno> {
    (1..134)
        .map(Errno::from_raw)
        .find(|e| format!("{e:?}") == name)
}

/// A promise about a value: says what was done, what had to come of it, and what
/// came, so that it can be understood without the test's source.
#[track_caller]
pub fn gives<T: PartialEq<U> + Debug, U: Debug>(done: &str, seen: T, promised: U) {
    if seen != promised {
        broken(done, &format!("{promised:?}"), &format!("{seen:?}"));
    }
}

/// A promise that a system call fails with this error.
#[track_caller]
pub fn refuses<T: Debug>(done: &str, seen: std::io::Result<T>, promised: Errno) {
    let promised = format!("{promised:?}");
    match seen {
        Ok(value) => broken(done, &promised, &format!("success ({value:?})")),
        Err(e) => {
            let seen = e.raw_os_error().map(Errno::from_raw);
            let seen = seen.map_or(e.to_string(), |e| format!("{e:?}"));
            if seen != promised {
                broken(done, &promised, &seen);
            }
        }
    }
}

/// A promise that something fails, with whatever error.
#[track_caller]
pub fn fails<T: Debug>(done: &str, seen: std::io::Result<T>) {
    if let Ok(value) = seen {
        broken(done, "an error", &format!("success ({value:?})"));
    }
}

/// A promise that a module does not load with a number that its parameter's type
/// cannot hold. It is the kernel that says so: with ERANGE, or EINVAL where the type
/// has no sign.
#[track_caller]
pub fn too_large(module: &str, parameters: &[&str]) {
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
            seen => refuses(&done, seen, Errno::ERANGE),
        }
        gives("it is loaded", is_loaded(module), false);
    }
}

/// A promise that a system call succeeds; its result.
#[track_caller]
pub fn works<T>(done: &str, seen: std::io::Result<T>) -> T {
    seen.unwrap_or_else(|e| {
        let seen = e.raw_os_error().map(Errno::from_raw);
        let seen = seen.map_or(e.to_string(), |e| format!("{e:?}"));
        broken(done, "success", &seen)
    })
}

/// Ends the test. `koru verify` shows these three.
#[track_caller]
pub fn broken(done: &str, promised: &str, seen: &str) -> ! {
    panic!("{done}\npromised: {promised}\nseen: {seen}")
}
