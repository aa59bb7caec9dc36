// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compares the scan of `elevator` with a simulation that asks everybody where they are.

#[allow(dead_code, reason = "this uses a part of the file")]
#[path = "../../../modules/elevator/src/scan.rs"]
mod scan;

use proptest::prelude::*;

use scan::{Command, Elevator, FLOORS, Kind, MAX_LOAD, Person, Queue, SEATS, State};

/// The people who are waiting.
struct People(Vec<Person>);

impl Queue for People {
    fn people(&self) -> &[Person] {
        &self.0
    }

    fn take(&mut self, index: usize) -> Option<Person> {
        (index < self.0.len()).then(|| self.0.remove(index))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Waits,
    Rides,
    Home,
}

/// Everybody who ever came, in the order in which they came.
struct Model {
    people: Vec<(Person, Place)>,
    floor: i32,
    direction: i32,
    on: bool,
}

impl Model {
    fn at(&self, place: Place) -> Vec<Person> {
        let there = self.people.iter().filter(|(_, at)| *at == place);
        there.map(|(person, _)| *person).collect()
    }

    fn load(&self) -> u32 {
        let riders = self.at(Place::Rides);
        riders.iter().map(|person| person.kind.weight()).sum()
    }

    fn next_to_enter(&self) -> Option<usize> {
        let here = |(person, at): &(Person, Place)| {
            *at == Place::Waits && i32::from(person.from) == self.floor
        };
        let first = self.people.iter().position(here)?;
        let fits = self.load() + self.people[first].0.kind.weight() <= MAX_LOAD
            && self.at(Place::Rides).len() < SEATS;
        (self.on && fits).then_some(first)
    }

    fn next(&mut self) -> State {
        let arrives = |person: &Person| i32::from(person.to) == self.floor;
        if self.at(Place::Rides).iter().any(arrives) || self.next_to_enter().is_some() {
            return State::Loading;
        }
        let mut wanted: Vec<i32> = self.at(Place::Rides).iter().map(|p| p.to.into()).collect();
        if self.on {
            wanted.extend(self.at(Place::Waits).iter().map(|p| i32::from(p.from)));
        }
        let is_ahead = |direction| {
            wanted
                .iter()
                .any(|floor| (floor - self.floor) * direction > 0)
        };
        if is_ahead(self.direction) {
            // The direction stays.
        } else if is_ahead(-self.direction) {
            self.direction = -self.direction;
        } else {
            return if self.on { State::Idle } else { State::Offline };
        }
        if self.direction > 0 {
            State::Up
        } else {
            State::Down
        }
    }

    fn done(&mut self, state: State) {
        match state {
            State::Up | State::Down => self.floor += self.direction,
            State::Loading => {
                for (person, at) in &mut self.people {
                    if *at == Place::Rides && i32::from(person.to) == self.floor {
                        *at = Place::Home;
                    }
                }
                while let Some(index) = self.next_to_enter() {
                    self.people[index].1 = Place::Rides;
                }
            }
            State::Idle | State::Offline => {}
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Start,
    Stop,
    Comes(Person),
    /// The elevator makes this many steps.
    Moves(u8),
}

fn person() -> impl Strategy<Value = Person> {
    let kind = prop::sample::select(b"PLBV".to_vec());
    let floors = (1..=FLOORS, 1..=FLOORS);
    (floors, kind).prop_filter_map("two floors", |((from, to), kind)| {
        Person::new(from, to, Kind::from_letter(kind)?)
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        2 => Just(Event::Start),
        1 => Just(Event::Stop),
        8 => person().prop_map(Event::Comes),
        4 => (1u8..20).prop_map(Event::Moves),
    ];
    prop::collection::vec(event, 0..120)
}

/// Makes one step of the elevator and of the model, which must agree.
fn step(elevator: &mut Elevator<People>, model: &mut Model) -> Result<State, TestCaseError> {
    let state = model.next();
    prop_assert_eq!(elevator.next(), state);
    elevator.done();
    model.done(state);
    agree(elevator, model)?;
    Ok(state)
}

fn agree(elevator: &Elevator<People>, model: &Model) -> Result<(), TestCaseError> {
    let sorted = |mut people: Vec<Person>| {
        people.sort_by_key(|p| (p.from, p.to, p.kind.letter()));
        people
    };
    prop_assert_eq!(i32::from(elevator.floor), model.floor);
    prop_assert!((1..=FLOORS).contains(&elevator.floor));
    prop_assert_eq!(elevator.load(), model.load());
    prop_assert!(elevator.load() <= MAX_LOAD && elevator.riders().count() <= SEATS);
    let riders = elevator.riders().copied().collect();
    prop_assert_eq!(sorted(riders), sorted(model.at(Place::Rides)));
    // The order of those who wait must agree as well.
    prop_assert_eq!(elevator.waiting(), model.at(Place::Waits));
    prop_assert_eq!(elevator.served, model.at(Place::Home).len() as u64);
    Ok(())
}

proptest! {
    #[test]
    fn it_goes_as_the_simulation(events in events()) {
        let mut elevator = Elevator::new(People(Vec::new()));
        let mut model = Model { people: Vec::new(), floor: 1, direction: 1, on: false };
        for event in events {
            match event {
                Event::Start => { elevator.start(); model.on = true; }
                Event::Stop => { elevator.stop(); model.on = false; }
                Event::Comes(person) => {
                    elevator.queue().0.push(person);
                    model.people.push((person, Place::Waits));
                }
                Event::Moves(steps) => {
                    for _ in 0..steps {
                        step(&mut elevator, &mut model)?;
                    }
                }
            }
            agree(&elevator, &model)?;
        }
        // In the end everybody gets home, within a bounded number of steps.
        elevator.start();
        model.on = true;
        let mut steps = 0;
        while step(&mut elevator, &mut model)? != State::Idle {
            steps += 1;
            prop_assert!(steps <= (model.people.len() + 1) * 4 * usize::from(FLOORS));
        }
        prop_assert_eq!(elevator.served, model.people.len() as u64);
        elevator.stop();
        prop_assert_eq!(elevator.state, State::Offline);
    }

    #[test]
    fn after_a_stop_nobody_enters(people in prop::collection::vec(person(), 1..30), steps in 0usize..60) {
        let mut elevator = Elevator::new(People(people));
        elevator.start();
        for _ in 0..steps {
            elevator.next();
            elevator.done();
        }
        elevator.stop();
        let (waiting, riders) = (elevator.waiting().len(), elevator.riders().count());
        let served = elevator.served;
        let mut steps = 0;
        while elevator.next() != State::Offline {
            elevator.done();
            steps += 1;
            prop_assert!(steps <= 100, "it never gets home");
        }
        prop_assert_eq!(elevator.waiting().len(), waiting);
        prop_assert_eq!(elevator.riders().count(), 0);
        prop_assert_eq!(elevator.served, served + riders as u64);
    }

    #[test]
    fn what_it_prints_is_what_is(people in prop::collection::vec(person(), 0..30), steps in 0usize..60) {
        let mut elevator = Elevator::new(People(people));
        elevator.start();
        for _ in 0..steps {
            elevator.next();
            elevator.done();
        }
        let text = elevator.to_string();
        let (riders, waiting) = (elevator.riders().count(), elevator.waiting().len());
        for line in [
            format!("Current floor: {}", elevator.floor),
            format!("Number of passengers: {riders}"),
            format!("Number of passengers waiting: {waiting}"),
            format!("Number of passengers serviced: {}", elevator.served),
        ] {
            prop_assert!(text.lines().any(|l| l == line), "no `{}` in {}", line, text);
        }
        prop_assert_eq!(text.matches("[*]").count(), 1);
        prop_assert!(text.ends_with('\n'));
    }

    #[test]
    fn commands(person in person(), newline in any::<bool>()) {
        let end = if newline { "\n" } else { "" };
        let text = format!("{} {} {}{end}", person.from, person.to, person.kind.letter());
        prop_assert_eq!(Command::parse(text.as_bytes()), Some(Command::Enter(person)));
    }

    #[test]
    fn whatever_is_written(text in prop::collection::vec(any::<u8>(), 0..9)) {
        match Command::parse(&text) {
            Some(Command::Enter(person)) => {
                prop_assert!((1..=FLOORS).contains(&person.from));
                prop_assert!((1..=FLOORS).contains(&person.to));
                prop_assert_ne!(person.from, person.to);
            }
            Some(Command::Start) => prop_assert!(text.starts_with(b"start")),
            Some(Command::Stop) => prop_assert!(text.starts_with(b"stop")),
            None => {}
        }
    }
}
