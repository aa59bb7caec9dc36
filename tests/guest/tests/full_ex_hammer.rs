// SPDX-License-Identifier: MIT OR Apache-2.0

//! `full_ex` under two hundred processes with four threads each.
//!
//! The four threads of a process go in rounds. In a round all do some calls at
//! once, and write down for each when it began and ended, and what came of it;
//! then one takes out what is left. The round is right if the calls can be put in
//! one order, in which none comes before one that had ended when it began, so
//! that a plain deque gives exactly these results and has exactly this left.

use std::{
    collections::{HashSet, VecDeque},
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use koru_testing::Module;
use koru_tests::{
    Child,
    Errno::{self, EACCES, EINVAL},
    abort_on_panic, bare_child_read, in_child, receive, send, sync_with_parent,
};

koru_testing::test_file!(takes_long);

const FILE: &str = "/proc/full_ex";
const PROCESSES: usize = 200;
const THREADS: usize = 4;
const TIME: Duration = Duration::from_secs(30);

/// One process more for so many, which keeps descriptors that are sent to it.
const PER_KEEPER: usize = 20;

/// Any numbers; the same in every run.
struct Random(u64);

impl Random {
    fn new(seed: usize) -> Random {
        Random((seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).expect("below n")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Push(i32),
    Take,
    /// Calls that must change nothing: too short a buffer, too long a write.
    ShortRead,
    LongWrite,
    SecondOpen,
}

/// What was promised or seen: a value, or an errno.
type Outcome = Result<i32, Errno>;

#[derive(Clone, Copy, Debug)]
struct Done {
    call: Call,
    began: u64,
    ended: u64,
    outcome: Outcome,
}

fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(FILE)
}

fn outcome<T>(result: io::Result<T>, value: impl FnOnce(T) -> i32) -> Outcome {
    let errno = |e: io::Error| Errno::from_raw(e.raw_os_error().expect("an errno"));
    result.map(value).map_err(errno)
}

fn int(n: usize) -> i32 {
    i32::try_from(n).expect("small")
}

fn call(mut file: &File, call: Call) -> Outcome {
    let mut bytes = [0; 4];
    match call {
        Call::Push(value) => outcome(file.write(&value.to_ne_bytes()), int),
        Call::Take => match outcome(file.read(&mut bytes), int) {
            Ok(4) => Ok(i32::from_ne_bytes(bytes)),
            Ok(n) => panic!("a read of 4 bytes returned {n}"),
            Err(e) => Err(e),
        },
        Call::ShortRead => outcome(file.read(&mut bytes[..3]), int),
        Call::LongWrite => outcome(file.write(&[1; 5]), int),
        Call::SecondOpen => outcome(open(), |_| 0),
    }
}

/// The plain deque.
fn apply(model: &mut VecDeque<i32>, capacity: usize, call: Call) -> Outcome {
    match call {
        Call::Push(_) if model.len() == capacity => Err(EACCES),
        Call::Push(value) if value.rem_euclid(2) == 1 => {
            model.push_front(value);
            Ok(4)
        }
        Call::Push(value) => {
            model.push_back(value);
            Ok(4)
        }
        Call::Take => model.pop_front().ok_or(EACCES),
        Call::ShortRead | Call::LongWrite => Err(EINVAL),
        Call::SecondOpen => Err(EACCES),
    }
}

/// Whether the calls can be put in an order as above.
fn explains(calls: &[Done], capacity: usize, begin: &VecDeque<i32>, left: &VecDeque<i32>) -> bool {
    assert!(calls.len() <= 64);
    let all = u64::MAX.checked_shr(64 - calls.len() as u32).unwrap_or(0);
    let mut open = vec![(0u64, begin.clone())];
    let mut seen = HashSet::new();
    while let Some((done, model)) = open.pop() {
        if done == all && model == *left {
            return true;
        }
        let waiting = |i: usize| done & (1 << i) == 0;
        let first_end = calls.iter().enumerate().filter(|(i, _)| waiting(*i));
        let first_end = first_end.map(|(_, c)| c.ended).min().unwrap_or(0);
        for (i, next) in calls.iter().enumerate() {
            if !waiting(i) || next.began > first_end {
                continue;
            }
            let mut after = model.clone();
            if apply(&mut after, capacity, next.call) == next.outcome {
                let state = (done | 1 << i, after);
                if seen.insert(state.clone()) {
                    open.push(state);
                }
            }
        }
    }
    false
}

/// What one process has to do with others. The numbers are how often it was done.
#[derive(Default, Clone, Copy)]
struct Tally {
    rounds: u64,
    calls: u64,
    forks: u64,
    sent: u64,
    held: u64,
    back: u64,
}

impl Tally {
    fn numbers(self) -> [u64; 6] {
        let Tally {
            rounds,
            calls,
            forks,
            sent,
            held,
            back,
        } = self;
        [rounds, calls, forks, sent, held, back]
    }
}

/// One process: goes on until the time is over.
struct Player {
    file: Mutex<Option<File>>,
    capacity: usize,
    clock: AtomicU64,
    stop: AtomicBool,
    barrier: Barrier,
    done: Mutex<Vec<Done>>,
}

impl Player {
    fn play(number: usize, keeper: &mut UnixStream, end: Instant) -> Tally {
        let capacity = [1, 2, 3, 5, 8, 100][number % 6];
        let player = Player {
            file: Mutex::new(None),
            capacity,
            clock: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            barrier: Barrier::new(THREADS),
            done: Mutex::new(Vec::new()),
        };
        let mut tally = Tally::default();
        player.reopen();
        thread::scope(|s| {
            for me in 1..THREADS {
                let player = &player;
                s.spawn(move || {
                    let mut random = Random::new(number * THREADS + me);
                    while player.round(me, &mut random) {}
                });
            }
            player.lead(number, keeper, end, &mut tally);
        });
        tally
    }

    /// The part of the first thread.
    fn lead(&self, number: usize, keeper: &mut UnixStream, end: Instant, tally: &mut Tally) {
        let mut random = Random::new(number * THREADS);
        let mut model = VecDeque::new();
        loop {
            // However busy the machine is, each has its turn.
            if tally.rounds > 0 && Instant::now() >= end {
                self.stop.store(true, Ordering::Relaxed);
            }
            if !self.round(0, &mut random) {
                return;
            }
            let calls = std::mem::take(&mut *self.done.lock().expect("no panic"));
            let mut left = VecDeque::new();
            let file = self.file.lock().expect("no panic");
            let opened = file.as_ref().expect("open between rounds");
            while let Ok(value) = call(opened, Call::Take) {
                left.push_back(value);
            }
            assert!(
                explains(&calls, self.capacity, &model, &left),
                "process {number}: capacity {}, at first {model:?}, at last {left:?}: {calls:#?}",
                self.capacity
            );
            // Some of it goes back in, for the next round.
            model.clear();
            for value in left {
                if random.below(2) == 0 {
                    let put = call(opened, Call::Push(value));
                    assert_eq!(put, apply(&mut model, self.capacity, Call::Push(value)));
                }
            }
            drop(file);
            tally.rounds += 1;
            tally.calls += calls.len() as u64;
            // So that each of them is done by some, even in one round.
            let next = match tally.rounds {
                1 => number % 8,
                _ => random.below(24),
            };
            match next {
                0 => self.fork(tally),
                1 => self.send(keeper, tally),
                2 => {
                    self.hold(keeper, tally);
                    model.clear();
                }
                3 => self.send_and_get_back(keeper, &mut model, tally),
                4 => {
                    self.reopen();
                    model.clear();
                }
                _ => {}
            }
        }
    }

    /// One thread's part of a round.
    fn round(&self, me: usize, random: &mut Random) -> bool {
        self.barrier.wait();
        if self.stop.load(Ordering::Relaxed) {
            return false;
        }
        // A descriptor of its own, as `dup` makes it, for some.
        let file = {
            let file = self.file.lock().expect("no panic");
            file.as_ref()
                .expect("open in a round")
                .try_clone()
                .expect("dup")
        };
        let mut mine = Vec::new();
        for _ in 0..1 + random.below(5) {
            let value = int(random.below(1 << 30)) - (1 << 29);
            let next = match random.below(16) {
                0 => Call::ShortRead,
                1 => Call::LongWrite,
                2 => Call::SecondOpen,
                3..10 => Call::Push(value),
                _ => Call::Take,
            };
            let began = self.clock.fetch_add(1, Ordering::SeqCst);
            let outcome = call(&file, next);
            let ended = self.clock.fetch_add(1, Ordering::SeqCst);
            mine.push(Done {
                call: next,
                began,
                ended,
                outcome,
            });
        }
        if me != 0 && random.below(8) == 0 {
            // While the others go on.
            let outcome = outcome(bare_child_read(&file), int);
            assert_eq!(outcome, Err(EACCES), "a child's read of what it inherited");
        }
        drop(file);
        self.done.lock().expect("no panic").extend(mine);
        self.barrier.wait();
        true
    }

    /// Closes the file, and begins anew.
    fn reopen(&self) {
        let mut file = self.file.lock().expect("no panic");
        drop(file.take());
        let mut opened = open().expect("open by a process that holds none");
        assert_eq!(
            call(&opened, Call::Take),
            Err(EACCES),
            "a read before a capacity"
        );
        let capacity = u8::try_from(self.capacity).expect("a capacity");
        assert_eq!(opened.write(&[capacity]).expect("a capacity"), 1);
        *file = Some(opened);
    }

    /// A child that reads, writes and closes what it inherited, and has a deque
    /// of its own.
    fn fork(&self, tally: &mut Tally) {
        let file = self.file.lock().expect("no panic");
        let opened = file.as_ref().expect("open");
        let seen = in_child(|| {
            let own = open()?;
            if call(opened, Call::Take) != Err(EACCES) || call(opened, Call::Push(2)) != Err(EACCES)
            {
                return Ok(1);
            }
            if outcome((&own).write(&[2]), int) != Ok(1)
                || call(&own, Call::Push(4)) != Ok(4)
                || call(&own, Call::Push(3)) != Ok(4)
                || call(&own, Call::Take) != Ok(3)
                || call(&own, Call::SecondOpen) != Err(EACCES)
            {
                return Ok(2);
            }
            Ok(0)
        });
        assert_eq!(outcome(seen, |v| v), Ok(0), "a forked child's calls");
        tally.forks += 1;
    }

    /// Another process may do nothing with what it is sent.
    fn send(&self, keeper: &mut UnixStream, tally: &mut Tally) {
        let file = self.file.lock().expect("no panic");
        ask(keeper, b'T', file.as_ref().expect("open"));
        tally.sent += 1;
    }

    /// It holds the file open, though.
    fn hold(&self, keeper: &mut UnixStream, tally: &mut Tally) {
        {
            let mut file = self.file.lock().expect("no panic");
            ask(keeper, b'H', file.as_ref().expect("open"));
            drop(file.take());
            assert_eq!(
                outcome(open(), |_| 0),
                Err(EACCES),
                "open while another holds the file"
            );
        }
        tell(keeper, b'D');
        self.reopen();
        tally.held += 1;
    }

    /// And what comes back is what was sent.
    fn send_and_get_back(
        &self,
        keeper: &mut UnixStream,
        model: &mut VecDeque<i32>,
        tally: &mut Tally,
    ) {
        let mut file = self.file.lock().expect("no panic");
        ask(keeper, b'H', file.as_ref().expect("open"));
        drop(file.take());
        keeper.write_all(b"B").expect("the keeper");
        let opened = receive(&*keeper);
        tell(keeper, b'D');
        let took = call(&opened, Call::Take);
        assert_eq!(
            took,
            apply(model, self.capacity, Call::Take),
            "a read of what came back"
        );
        *file = Some(opened);
        tally.back += 1;
    }
}

/// Sends the keeper a descriptor, with what to do; waits until it is done.
fn ask(keeper: &mut UnixStream, what: u8, file: &File) {
    keeper.write_all(&[what]).expect("the keeper");
    send(&*keeper, file);
    let mut answer = [0];
    keeper.read_exact(&mut answer).expect("the keeper");
    assert_eq!(answer, [b'y'], "another process could use what it was sent");
}

fn tell(keeper: &mut UnixStream, what: u8) {
    keeper.write_all(&[what]).expect("the keeper");
    keeper.read_exact(&mut [0]).expect("the keeper");
}

/// Serves its players one after the other, each until it asks for the last time.
fn keep(players: Vec<UnixStream>) {
    thread::scope(|s| {
        for mut player in players {
            s.spawn(move || {
                let mut held = None;
                let mut what = [0];
                while player.read_exact(&mut what).is_ok() {
                    match what[0] {
                        b'D' => held = None,
                        b'B' => {
                            send(&player, held.as_ref().expect("a descriptor"));
                            continue;
                        }
                        what => {
                            let file = receive(&player);
                            let refused = call(&file, Call::Take) == Err(EACCES)
                                && call(&file, Call::Push(2)) == Err(EACCES);
                            held = Some(file).filter(|_| what == b'H');
                            if !refused {
                                player.write_all(b"n").expect("the player");
                                continue;
                            }
                        }
                    }
                    player.write_all(b"y").expect("the player");
                }
            });
        }
    });
}

#[test]
fn two_hundred_processes_of_four_threads() {
    let module = Module::load("full_ex", &[]).expect("it loads");
    let mut keepers = Vec::new();
    let mut players = Vec::new();
    for group in 0..PROCESSES / PER_KEEPER {
        let (mut theirs, ours): (Vec<_>, Vec<_>) = (0..PER_KEEPER)
            .map(|_| UnixStream::pair().expect("sockets"))
            .unzip();
        let numbers = group * PER_KEEPER..(group + 1) * PER_KEEPER;
        let mut handed = ours.into_iter().map(Some).collect::<Vec<_>>();
        for (at, number) in numbers.enumerate() {
            let mut keeper = handed[at].take().expect("one for each");
            let child = Child::fork(|channel| {
                // Else nobody ever sees them close.
                theirs.clear();
                handed.clear();
                abort_on_panic();
                sync_with_parent(channel);
                let tally = Player::play(number, &mut keeper, Instant::now() + TIME);
                for number in tally.numbers() {
                    channel
                        .write_all(&number.to_ne_bytes())
                        .expect("the parent");
                }
            });
            players.push(child);
        }
        keepers.push(Child::fork(|_| keep(theirs)));
    }
    players.iter_mut().for_each(Child::wait_for);
    players.iter_mut().for_each(Child::go_on);
    let mut sums = [0u64; 6];
    for player in &mut players {
        for (which, sum) in sums.iter_mut().enumerate() {
            let mut number = [0; 8];
            let told = player.channel.read_exact(&mut number);
            told.unwrap_or_else(|e| panic!("a process failed, see above: {e}"));
            let number = u64::from_ne_bytes(number);
            assert!(number > 0 || which > 1, "a process has done nothing");
            *sum += number;
        }
    }
    players.into_iter().for_each(Child::join);
    keepers.into_iter().for_each(Child::join);
    module.unload().expect("rmmod");
    let [rounds, calls, forks, sent, held, back] = sums;
    println!(
        "{rounds} rounds, {calls} calls, {forks} forks, descriptors: {sent} sent, {held} held, {back} sent back"
    );
    assert!(sums.iter().all(|n| *n > 0), "something was never done");
}

/// The model check itself: it must tell right from wrong.
#[test]
fn the_check_sees_what_is_wrong() {
    let done = |call, began, ended, outcome| Done {
        call,
        began,
        ended,
        outcome,
    };
    let none = VecDeque::new();
    let deque = |values: &[i32]| values.iter().copied().collect::<VecDeque<_>>();
    // One after the other: there is one order only.
    let first = done(Call::Push(1), 0, 1, Ok(4));
    let second = done(Call::Push(3), 2, 3, Ok(4));
    assert!(explains(&[first, second], 2, &none, &deque(&[3, 1])));
    assert!(!explains(&[first, second], 2, &none, &deque(&[1, 3])));
    assert!(!explains(&[first, second], 1, &none, &deque(&[1])));
    // At once: both orders are right, and no third.
    let second = done(Call::Push(3), 0, 3, Ok(4));
    assert!(explains(&[first, second], 2, &none, &deque(&[3, 1])));
    assert!(explains(&[first, second], 2, &none, &deque(&[1, 3])));
    assert!(!explains(&[first, second], 2, &none, &deque(&[1])));
    // An integer that is lost, taken twice, or comes from elsewhere.
    let take = done(Call::Take, 4, 5, Ok(3));
    let again = done(Call::Take, 4, 6, Ok(3));
    assert!(explains(&[second, take], 2, &none, &none));
    assert!(!explains(&[second, take, again], 2, &none, &none));
    assert!(!explains(&[take], 2, &deque(&[5]), &none));
    assert!(!explains(
        &[done(Call::Take, 0, 1, Err(EACCES))],
        2,
        &deque(&[5]),
        &deque(&[5])
    ));
    assert!(!explains(&[], 2, &deque(&[5]), &none));
}
