// SPDX-License-Identifier: MIT OR Apache-2.0

//! `elevator`: a kernel thread moves it, and it scans.

mod interface;
mod rides;

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Write},
    sync::{LazyLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use koru_testing::Module;
use koru_tests::{Contract, contract, expect_eq, expect_ok, fail_requirement};

static CONTRACT: LazyLock<Contract> = contract!("elevator");

/// Long enough for everything that is to happen at once or soon.
const LIMIT: Duration = Duration::from_secs(120);
/// Milliseconds that no test lives to see.
const NEVER: u32 = 3_600_000;

fn path() -> &'static str {
    CONTRACT.text("file")
}

fn load(floor_ms: u32, load_ms: u32) -> Module {
    let floor = format!("{}={floor_ms}", CONTRACT.text("params.floor"));
    let load = format!("{}={load_ms}", CONTRACT.text("params.load"));
    CONTRACT.load_with(&[&floor, &load])
}

fn write(text: impl AsRef<[u8]>) -> io::Result<usize> {
    let mut file = OpenOptions::new().write(true).open(path())?;
    file.write(text.as_ref())
}

/// Writes a command; it must be taken.
#[track_caller]
fn command(text: &str) {
    let line = format!("{text}\n");
    let taken = expect_ok(&format!("writing `{text}`"), write(&line));
    expect_eq(&format!("what writing `{text}` returns"), taken, line.len());
}

#[track_caller]
fn start() {
    command(CONTRACT.text("commands.start"));
}

#[track_caller]
fn stop() {
    command(CONTRACT.text("commands.stop"));
}

/// What the file shows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    state: String,
    floor: usize,
    /// In tenths.
    load: u32,
    riders: Vec<String>,
    /// By floor; the first is floor 1.
    waiting: Vec<Vec<String>>,
    served: usize,
}

impl Seen {
    fn is(&self, state: &str) -> bool {
        self.state == state
    }

    fn waiting(&self) -> usize {
        self.waiting.iter().map(Vec::len).sum()
    }

    fn people(&self) -> usize {
        self.waiting() + self.riders.len() + self.served
    }
}

#[track_caller]
fn look() -> Seen {
    let text = expect_ok("reading the file", fs::read_to_string(path()));
    parse(&text)
}

#[track_caller]
fn parse(text: &str) -> Seen {
    let wrong = |promised: String| -> ! { fail_requirement("reading the file", &promised, text) };
    let after = |key: &str| {
        let prefix = CONTRACT.text(key);
        let line = text.lines().find_map(|l| l.strip_prefix(prefix));
        line.unwrap_or_else(|| wrong(format!("a line `{prefix}..`")))
            .trim()
    };
    let number = |text: &str| {
        let word = text.split_whitespace().next().unwrap_or_default();
        let number: Option<f64> = word.parse().ok();
        number.unwrap_or_else(|| wrong(format!("a number where `{text}` is")))
    };
    if !text.ends_with('\n') {
        wrong("a newline at the end".to_owned());
    }
    let people = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let waiting = (1..=6).map(|floor| {
        let prefix = CONTRACT
            .text("text.waiting")
            .replace("{}", &floor.to_string());
        let line = text.lines().find_map(|l| l.split_once(&*prefix));
        let (_, line) = line.unwrap_or_else(|| wrong(format!("a line with `{prefix}`")));
        let mut words = people(line);
        if words.is_empty() || number(line) as usize != words.len() - 1 {
            wrong(format!("`{prefix}`, how many wait, and who"));
        }
        words.split_off(1)
    });
    Seen {
        state: after("text.state").to_owned(),
        floor: number(after("text.floor")) as usize,
        load: (number(after("text.load")) * 10.0).round() as u32,
        riders: people(after("text.riders")),
        waiting: waiting.collect(),
        served: number(after("text.served")) as usize,
    }
}

/// Looks again and again until it is so; all that was seen, each once in a row.
#[track_caller]
fn until(promised: &str, is_so: impl Fn(&Seen) -> bool) -> Vec<Seen> {
    let end = Instant::now() + LIMIT;
    let mut all: Vec<Seen> = Vec::new();
    loop {
        let seen = look();
        let so = is_so(&seen);
        if all.last() != Some(&seen) {
            all.push(seen);
        }
        if so {
            return all;
        }
        if Instant::now() > end {
            fail_requirement(
                &format!("waiting {} s", LIMIT.as_secs()),
                promised,
                &format!("{:?}", look()),
            );
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs it in a thread of its own, and gives up on it after a while.
#[track_caller]
fn at_once<T: Send + 'static>(done: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(f()));
    told.recv_timeout(LIMIT).unwrap_or_else(|_| {
        fail_requirement(
            done,
            "it is done at once",
            &format!("not after {} s", LIMIT.as_secs()),
        )
    })
}

/// The names of the kernel's threads, without those that come and go as they like.
fn kernel_threads() -> BTreeSet<String> {
    let mut threads = BTreeSet::new();
    for process in fs::read_dir("/proc").expect("/proc").flatten() {
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else {
            continue;
        };
        let Some((name, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        // The state, and then the parent: 2 is kthreadd.
        let ours = rest.split_whitespace().nth(1) == Some("2");
        if ours && !name.contains("(kworker") {
            threads.insert(name.to_owned());
        }
    }
    threads
}
