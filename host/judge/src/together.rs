// SPDX-License-Identifier: MIT OR Apache-2.0

//! Calls of several threads at once on a simple structure, and whether some order of them explains
//! what they led to.

use std::{
    collections::{HashSet, VecDeque},
    fmt::Write,
};

use crate::{
    expectation::{Broken, Raw, error_words},
    layout::Integer,
    model::{Model, Operation},
};

/// How many states a check looks at before it gives up.
const MOST_STATES: usize = 200_000;

/// How a call carries its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    Write(Integer),
    Read(Integer),
    /// An ioctl with the address of the value.
    Address(u32, Integer),
    /// An ioctl whose argument is the value.
    Argument(u32),
    /// An ioctl that returns the value.
    Result(u32),
}

/// One kind of call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The word for what it does.
    pub does: String,
    pub operation: Operation,
    pub carrier: Carrier,
    /// The errors that say that the structure is full or empty, or has a value already or not.
    pub refused: Vec<(String, i32)>,
}

/// A step of several threads at once.
#[derive(Debug, Clone)]
pub struct Together {
    pub model: Model,
    /// How many values there is room for.
    pub room: Option<usize>,
    /// The number in a counter or register at the beginning.
    pub begin: i64,
    pub path: String,
    pub flags: u32,
    pub processes: usize,
    /// The threads of each process.
    pub threads: usize,
    /// The calls of each thread.
    pub times: usize,
    /// How many different values there are.
    pub values: u64,
    pub calls: Vec<Call>,
}

/// A call that a thread will do.
#[derive(Debug, Clone, Copy)]
pub struct Planned {
    pub(crate) call: usize,
    pub(crate) value: i64,
}

/// A call that a thread has done.
#[derive(Debug, Clone)]
struct Done {
    call: usize,
    value: i64,
    refused: bool,
    begin: u64,
    end: u64,
}

/// Whether some order explains what the calls led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explained {
    Yes,
    No(Broken),
    /// There are too many orders to look at.
    Undecided(String),
}

impl Together {
    /// Returns the calls of each thread. They are always the same.
    pub fn plan(&self) -> Vec<Vec<Planned>> {
        // The values of all threads differ from each other, as far as there are enough.
        let mut given = 0;
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005);
            random = random.wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let mut thread = || {
            let calls = (0..self.times).map(|_| {
                let call = next(self.calls.len() as u64) as usize;
                let value = match self.model {
                    Model::Counter => 1,
                    Model::Set | Model::Register => next(self.values) as i64,
                    _ => {
                        given += 1;
                        (given % self.values) as i64
                    }
                };
                Planned { call, value }
            });
            calls.collect()
        };
        (0..self.processes * self.threads)
            .map(|_| thread())
            .collect()
    }

    /// Compares what the calls of each thread led to with the model.
    pub fn judge(&self, plan: &[Vec<Planned>], raws: &[Vec<Raw>]) -> Explained {
        let mut history: Vec<Vec<Done>> = Vec::new();
        for (plan, raws) in plan.iter().zip(raws) {
            let done = plan.iter().zip(raws).map(|(p, raw)| self.done(*p, raw));
            match done.collect() {
                Ok(done) => history.push(done),
                Err(broken) => return Explained::No(broken),
            }
        }
        self.explain(&history)
    }

    fn done(&self, planned: Planned, raw: &Raw) -> Result<Done, Broken> {
        let call = &self.calls[planned.call];
        let broken = |promised: &str, seen: String| Broken {
            promised: format!("each `{}` {promised}", call.does),
            seen,
        };
        let mut done = Done {
            call: planned.call,
            value: planned.value,
            refused: false,
            begin: raw.begin_ns,
            end: raw.end_ns,
        };
        let result = match raw.result {
            Ok(result) => result,
            Err(errno) if call.refused.iter().any(|(_, e)| *e == errno) => {
                done.refused = true;
                return Ok(done);
            }
            Err(errno) => return Err(broken("succeeds", error_words(errno))),
        };
        let size = match call.carrier {
            Carrier::Write(integer) | Carrier::Read(integer) => Some(integer.size()),
            _ => None,
        };
        if size.is_some_and(|size| size as i64 != result) {
            let promised = format!("moves {} bytes", size.unwrap_or(0));
            return Err(broken(&promised, format!("{result} bytes")));
        }
        if !call.operation.gives() {
            done.value = match call.carrier {
                Carrier::Read(integer) | Carrier::Address(_, integer) => {
                    if raw.bytes.len() < integer.size() {
                        return Err(broken("returns a value", "fewer bytes".to_owned()));
                    }
                    integer.value(&raw.bytes[..integer.size()]) as i64
                }
                _ => result,
            };
        }
        Ok(done)
    }

    /// Looks for an order in which each call happens between its begin and its end. Each thread
    /// does one call after the other, so how far each has come says which calls have happened.
    fn explain(&self, history: &[Vec<Done>]) -> Explained {
        let state = match self.model.is_row() || self.model == Model::Set {
            true => VecDeque::new(),
            false => VecDeque::from([self.begin]),
        };
        let first = (vec![0_usize; history.len()], state);
        let mut seen = HashSet::from([first.clone()]);
        let mut open = vec![first.clone()];
        let mut farthest = first;
        while let Some((at, state)) = open.pop() {
            let next = || history.iter().zip(&at).map(|(calls, at)| calls.get(*at));
            let Some(end) = next().flatten().map(|call| call.end).min() else {
                return Explained::Yes;
            };
            for (thread, call) in next().enumerate() {
                // What began after another call's end comes after it.
                let Some(call) = call.filter(|call| call.begin <= end) else {
                    continue;
                };
                let mut state = state.clone();
                let operation = self.calls[call.call].operation;
                if !operation.apply(&mut state, self.room, call.value, call.refused) {
                    continue;
                }
                let mut at = at.clone();
                at[thread] += 1;
                let reached = (at, state);
                if seen.insert(reached.clone()) {
                    if reached.0.iter().sum::<usize>() > farthest.0.iter().sum() {
                        farthest = reached.clone();
                    }
                    open.push(reached);
                }
            }
            if seen.len() > MOST_STATES {
                return Explained::Undecided(format!(
                    "undecided: more than {MOST_STATES} states of the {} were looked at, and no \
                     order was found or excluded",
                    self.model.name()
                ));
            }
        }
        Explained::No(self.unexplained(history, &farthest))
    }

    /// Says how far an order leads, and which calls cannot come next.
    fn unexplained(&self, history: &[Vec<Done>], far: &(Vec<usize>, VecDeque<i64>)) -> Broken {
        let (at, state) = far;
        let all: usize = history.iter().map(Vec::len).sum();
        let before: usize = at.iter().sum();
        let state: Vec<String> = state.iter().map(i64::to_string).collect();
        let mut seen = format!(
            "an order of at most {before} of the {all} calls; then the {} has [{}], and of the next \
             calls none fits:",
            self.model.name(),
            state.join(", ")
        );
        for (thread, call) in history.iter().zip(at).map(|(c, at)| c.get(*at)).enumerate() {
            let Some(call) = call else { continue };
            let does = &self.calls[call.call].does;
            let outcome = match call.refused {
                true => "refused".to_owned(),
                false => call.value.to_string(),
            };
            _ = write!(seen, " thread {}: {does} {outcome};", thread + 1);
        }
        Broken {
            promised: format!(
                "some order of the calls, one at a time, leads to what the threads saw of a {}",
                self.model.name()
            ),
            seen: seen.trim_end_matches(';').to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(room: Option<usize>) -> Together {
        let byte = Integer::parse("u8").unwrap();
        let call = |does: &str, operation, carrier| Call {
            does: does.into(),
            operation,
            carrier,
            refused: vec![("EAGAIN".into(), 11)],
        };
        Together {
            model: Model::Queue,
            room,
            begin: 0,
            path: "/dev/x".into(),
            flags: 0,
            processes: 2,
            threads: 1,
            times: 2,
            values: 256,
            calls: vec![
                call("push", Operation::PushBack, Carrier::Write(byte)),
                call("pop", Operation::PopFront, Carrier::Read(byte)),
            ],
        }
    }

    /// A call: its kind, value (none if it was refused), begin and end.
    fn done(call: usize, value: Option<i64>, begin: u64, end: u64) -> Done {
        Done {
            call,
            value: value.unwrap_or(0),
            refused: value.is_none(),
            begin,
            end,
        }
    }

    #[test]
    fn calls_that_overlap_may_come_in_any_order() {
        let queue = queue(Some(1));
        // A pop that begins before the push ends may see its value, or nothing.
        for popped in [Some(7), None] {
            let history = [vec![done(0, Some(7), 0, 10)], vec![done(1, popped, 5, 8)]];
            assert_eq!(queue.explain(&history), Explained::Yes);
        }
        // A pop that begins later may not see nothing.
        let history = [vec![done(0, Some(7), 0, 10)], vec![done(1, None, 11, 12)]];
        let Explained::No(broken) = queue.explain(&history) else {
            panic!("an empty queue was explained");
        };
        let said = "an order of at most 1 of the 2 calls; then the queue has [7], and of the next \
                    calls none fits: thread 2: pop refused";
        assert_eq!(broken.seen, said);
    }

    #[test]
    fn values_that_come_twice_or_out_of_order_have_no_explanation() {
        let queue = queue(None);
        let pushes = vec![done(0, Some(1), 0, 1), done(0, Some(2), 2, 3)];
        let both = |a, b| [pushes.clone(), vec![a], vec![b]];
        let overlapping = both(done(1, Some(2), 4, 9), done(1, Some(1), 5, 8));
        assert_eq!(queue.explain(&overlapping), Explained::Yes);
        let reversed = both(done(1, Some(2), 4, 5), done(1, Some(1), 6, 8));
        assert!(matches!(queue.explain(&reversed), Explained::No(_)));
        let twice = both(done(1, Some(1), 4, 9), done(1, Some(1), 4, 9));
        assert!(matches!(queue.explain(&twice), Explained::No(_)));
        // Only with a known room may a push be refused.
        let refused = [vec![done(0, None, 0, 1)]];
        assert!(matches!(queue.explain(&refused), Explained::No(_)));
    }

    #[test]
    fn search_for_an_order_is_bounded() {
        // All calls overlap, and nobody pops what nobody has pushed.
        let many = (0..12).map(|n| vec![done(0, Some(n), 0, 100)]);
        let mut history: Vec<Vec<Done>> = many.collect();
        history.push(vec![done(1, Some(99), 0, 100)]);
        let found = queue(None).explain(&history);
        assert!(matches!(found, Explained::Undecided(_)), "{found:?}");
    }
}
