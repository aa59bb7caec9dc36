// SPDX-License-Identifier: GPL-2.0-only

//! The elevator without its motor: who rides, who waits, and where it goes next.
//!
//! Nothing here depends on the kernel, a clock or a lock, so an ordinary program can test all of
//! it.

use core::fmt;

/// The number of floors, which are 1 to this.
pub(crate) const FLOORS: u8 = 6;
/// The number of people who can ride at once.
pub(crate) const SEATS: usize = 5;
/// The largest load, in tenths: 7.0.
pub(crate) const MAX_LOAD: u32 = 70;

/// The kind of a person, which determines the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    PartTimer,
    Lawyer,
    Boss,
    Visitor,
}

impl Kind {
    pub(crate) const fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'P' => Self::PartTimer,
            b'L' => Self::Lawyer,
            b'B' => Self::Boss,
            b'V' => Self::Visitor,
            _ => return None,
        })
    }

    pub(crate) const fn letter(self) -> char {
        match self {
            Self::PartTimer => 'P',
            Self::Lawyer => 'L',
            Self::Boss => 'B',
            Self::Visitor => 'V',
        }
    }

    /// Returns the weight, in tenths.
    pub(crate) const fn weight(self) -> u32 {
        match self {
            Self::PartTimer => 10,
            Self::Lawyer => 15,
            Self::Boss => 20,
            Self::Visitor => 5,
        }
    }
}

/// A person who wants to get from one floor to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) from: u8,
    pub(crate) to: u8,
    pub(crate) kind: Kind,
}

impl Person {
    /// Creates a person, unless `from` and `to` are not two different floors.
    pub(crate) fn new(from: u8, to: u8, kind: Kind) -> Option<Self> {
        let is_floor = |floor| (1..=FLOORS).contains(&floor);
        (is_floor(from) && is_floor(to) && from != to).then_some(Self { from, to, kind })
    }
}

/// Prints the kind and the destination, such as `L4`.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.letter(), self.to)
    }
}

/// A queue of people in the order in which they came.
///
/// A `Vec` of any kind will do.
pub(crate) trait Queue {
    fn people(&self) -> &[Person];

    /// Removes a person; the others stay in order.
    fn take(&mut self, index: usize) -> Option<Person>;
}

/// The state of the elevator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The elevator is switched off, with nobody aboard.
    Offline,
    /// Nobody rides, and nobody waits.
    Idle,
    /// The doors are open.
    Loading,
    /// The elevator is on the way to the next floor.
    Up,
    /// The elevator is on the way to the floor below.
    Down,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offline => "OFFLINE",
            Self::Idle => "IDLE",
            Self::Loading => "LOADING",
            Self::Up => "UP",
            Self::Down => "DOWN",
        })
    }
}

/// The elevator.
///
/// It advances by two steps in turn: [`Elevator::next`] decides what it does now, and
/// [`Elevator::done`] completes that once the time for it is over.
#[derive(Debug)]
pub(crate) struct Elevator<L> {
    pub(crate) state: State,
    /// Whether people may enter.
    ///
    /// After a `stop` it only brings those who ride to their floors.
    open: bool,
    /// Whether its last direction was up.
    upwards: bool,
    pub(crate) floor: u8,
    riders: [Option<Person>; SEATS],
    waiting: L,
    /// The number of people whom it has brought to their floors.
    pub(crate) served: u64,
}

impl<L: Queue> Elevator<L> {
    /// Creates an elevator that is switched off, on floor 1.
    pub(crate) fn new(waiting: L) -> Self {
        Self {
            state: State::Offline,
            open: false,
            upwards: true,
            floor: 1,
            riders: [None; SEATS],
            waiting,
            served: 0,
        }
    }

    /// Returns a copy in which these people wait.
    pub(crate) fn with_queue<M>(&self, waiting: M) -> Elevator<M> {
        Elevator {
            state: self.state,
            open: self.open,
            upwards: self.upwards,
            floor: self.floor,
            riders: self.riders,
            waiting,
            served: self.served,
        }
    }

    pub(crate) fn riders(&self) -> impl Iterator<Item = &Person> {
        self.riders.iter().flatten()
    }

    pub(crate) fn waiting(&self) -> &[Person] {
        self.waiting.people()
    }

    /// Returns the queue of those who wait.
    pub(crate) fn queue(&mut self) -> &mut L {
        &mut self.waiting
    }

    /// Returns the current load, in tenths.
    pub(crate) fn load(&self) -> u32 {
        self.riders().map(|person| person.kind.weight()).sum()
    }

    /// Lets people enter from now on.
    pub(crate) fn start(&mut self) {
        self.open = true;
        if self.state == State::Offline {
            self.state = State::Idle;
        }
    }

    /// Lets nobody enter any more, and switches off once all who ride have left.
    pub(crate) fn stop(&mut self) {
        self.open = false;
        if self.state == State::Idle {
            self.state = State::Offline;
        }
    }

    /// Decides what the elevator does now, and returns it.
    pub(crate) fn next(&mut self) -> State {
        self.state = if self.somebody_leaves() || self.who_enters().is_some() {
            State::Loading
        } else {
            // This is the scan: it keeps its direction while somebody rides or waits that way.
            match (self.wanted_above(), self.wanted_below()) {
                (true, below) if self.upwards || !below => State::Up,
                (_, true) => State::Down,
                _ if self.open => State::Idle,
                _ => State::Offline,
            }
        };
        match self.state {
            State::Up => self.upwards = true,
            State::Down => self.upwards = false,
            _ => {}
        }
        self.state
    }

    /// Completes what [`Elevator::next`] decided.
    pub(crate) fn done(&mut self) {
        match self.state {
            State::Up => self.floor += 1,
            State::Down => self.floor -= 1,
            State::Loading => {
                self.leave();
                while let Some(index) = self.who_enters() {
                    self.enter(index);
                }
            }
            State::Idle | State::Offline => {}
        }
    }

    fn somebody_leaves(&self) -> bool {
        self.riders().any(|person| person.to == self.floor)
    }

    fn leave(&mut self) {
        for seat in &mut self.riders {
            if seat.is_some_and(|person| person.to == self.floor) {
                *seat = None;
                self.served += 1;
            }
        }
    }

    /// Returns the index of the first person in this floor's queue, if there is space for that one.
    ///
    /// Whoever came first enters first, so that light people do not keep overtaking a heavy one.
    fn who_enters(&self) -> Option<usize> {
        let here = |person: &Person| person.from == self.floor;
        let first = self.waiting().iter().position(here)?;
        let weight = self.waiting().get(first)?.kind.weight();
        let seat = self.riders.iter().any(Option::is_none);
        (self.open && seat && self.load() + weight <= MAX_LOAD).then_some(first)
    }

    fn enter(&mut self, index: usize) {
        let seat = self.riders.iter_mut().find(|seat| seat.is_none());
        if let (Some(seat), Some(person)) = (seat, self.waiting.take(index)) {
            *seat = Some(person);
        }
    }

    /// Returns the floors to which it is called: by those who ride, and by those who wait if they
    /// may enter.
    fn wanted(&self) -> impl Iterator<Item = u8> + '_ {
        let waiting = self.waiting().iter().filter(|_| self.open);
        let waiting = waiting.map(|person| person.from);
        self.riders().map(|person| person.to).chain(waiting)
    }

    fn wanted_above(&self) -> bool {
        self.wanted().any(|floor| floor > self.floor)
    }

    fn wanted_below(&self) -> bool {
        self.wanted().any(|floor| floor < self.floor)
    }
}

/// A command that was written to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Start,
    Stop,
    Enter(Person),
}

impl Command {
    /// Parses `start`, `stop`, or `FROM TO KIND`, with or without a newline.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        match text {
            b"start" => Some(Self::Start),
            b"stop" => Some(Self::Stop),
            [from @ b'0'..=b'9', b' ', to @ b'0'..=b'9', b' ', kind] => {
                let kind = Kind::from_letter(*kind)?;
                Person::new(from - b'0', to - b'0', kind).map(Self::Enter)
            }
            _ => None,
        }
    }
}

/// Prints what the file shows.
impl<L: Queue> fmt::Display for Elevator<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load = self.load();
        writeln!(f, "Elevator state: {}", self.state)?;
        writeln!(f, "Current floor: {}", self.floor)?;
        writeln!(f, "Current load: {}.{}", load / 10, load % 10)?;
        f.write_str("Elevator status:")?;
        for person in self.riders() {
            write!(f, " {person}")?;
        }
        f.write_str("\n\n")?;
        for floor in (1..=FLOORS).rev() {
            let mark = if floor == self.floor { '*' } else { ' ' };
            let here = || self.waiting().iter().filter(|person| person.from == floor);
            write!(f, "[{mark}] Floor {floor}: {}", here().count())?;
            for person in here() {
                write!(f, " {person}")?;
            }
            f.write_str("\n")?;
        }
        writeln!(f)?;
        writeln!(f, "Number of passengers: {}", self.riders().count())?;
        writeln!(f, "Number of passengers waiting: {}", self.waiting().len())?;
        writeln!(f, "Number of passengers serviced: {}", self.served)
    }
}
