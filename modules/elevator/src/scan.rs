// SPDX-License-Identifier: GPL-2.0-only

//! The elevator without its motor: who rides, who waits, and where it goes next.
//!
//! Nothing here knows the kernel, the clock or a lock. So all of it can be tried
//! in an ordinary program.

use core::fmt;

/// Floors are 1 to this.
pub(crate) const FLOORS: u8 = 6;
/// This many ride at once.
pub(crate) const SEATS: usize = 5;
/// This much rides at once: 7.0, in tenths.
pub(crate) const MAX_LOAD: u32 = 70;

/// What somebody is: that decides the weight.
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

    /// In tenths.
    pub(crate) const fn weight(self) -> u32 {
        match self {
            Self::PartTimer => 10,
            Self::Lawyer => 15,
            Self::Boss => 20,
            Self::Visitor => 5,
        }
    }
}

/// Somebody who wants to get from one floor to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) from: u8,
    pub(crate) to: u8,
    pub(crate) kind: Kind,
}

impl Person {
    /// `None` unless both are floors, and two different ones.
    pub(crate) fn new(from: u8, to: u8, kind: Kind) -> Option<Self> {
        let is_floor = |floor| (1..=FLOORS).contains(&floor);
        (is_floor(from) && is_floor(to) && from != to).then_some(Self { from, to, kind })
    }
}

/// The kind and where to: `L4`.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.letter(), self.to)
    }
}

/// Those who wait, in the order in which they came. A `Vec` of any kind will do.
pub(crate) trait Line {
    fn people(&self) -> &[Person];

    /// Takes one out; the others stay in order.
    fn take(&mut self, index: usize) -> Option<Person>;
}

/// What it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Switched off, with nobody aboard.
    Offline,
    /// Nobody rides, and nobody waits.
    Idle,
    /// The doors are open.
    Loading,
    /// On the way to the next floor.
    Up,
    /// On the way to the floor below.
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
/// It goes on by two steps in turn: [`Elevator::next`] says what it does now, and,
/// once the time that this takes is over, [`Elevator::done`] has done it.
#[derive(Debug)]
pub(crate) struct Elevator<L> {
    pub(crate) state: State,
    /// Whether it takes people in. After a `stop` it only brings home who rides.
    open: bool,
    /// Whether it went up last.
    upwards: bool,
    pub(crate) floor: u8,
    riders: [Option<Person>; SEATS],
    waiting: L,
    /// How many it has brought to their floor.
    pub(crate) served: u64,
}

impl<L: Line> Elevator<L> {
    /// Switched off, on floor 1.
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

    /// The same, with these waiting.
    pub(crate) fn with_line<M>(&self, waiting: M) -> Elevator<M> {
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

    /// Where those who come stand in line.
    pub(crate) fn line(&mut self) -> &mut L {
        &mut self.waiting
    }

    /// What rides, in tenths.
    pub(crate) fn load(&self) -> u32 {
        self.riders().map(|person| person.kind.weight()).sum()
    }

    /// Takes people in from now on.
    pub(crate) fn start(&mut self) {
        self.open = true;
        if self.state == State::Offline {
            self.state = State::Idle;
        }
    }

    /// Takes nobody in any more, and is off once all who ride are home.
    pub(crate) fn stop(&mut self) {
        self.open = false;
        if self.state == State::Idle {
            self.state = State::Offline;
        }
    }

    /// What it does now.
    pub(crate) fn next(&mut self) -> State {
        self.state = if self.somebody_leaves() || self.who_enters().is_some() {
            State::Loading
        } else {
            // The scan: on in the same direction while there is somebody that way.
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

    /// The time for what [`Elevator::next`] said is over.
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

    /// The first in this floor's line, if there is room: who comes first goes
    /// first, so that nobody light keeps passing somebody heavy.
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

    /// The floors where it is wanted: of those who ride, and, if they may enter, of
    /// those who wait.
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

/// What is written to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Start,
    Stop,
    Enter(Person),
}

impl Command {
    /// `start`, `stop`, or `FROM TO KIND`, with or without a newline.
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

/// What is read from the file.
impl<L: Line> fmt::Display for Elevator<L> {
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
