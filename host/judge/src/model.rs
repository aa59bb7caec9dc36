// SPDX-License-Identifier: MIT OR Apache-2.0

//! Simple structures, and what can be done with them.

use std::collections::VecDeque;

/// The structure that a module is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    Queue,
    Stack,
    Deque,
    Set,
    Counter,
    Register,
}

impl Model {
    pub const ALL: [(&'static str, Model); 6] = [
        ("queue", Model::Queue),
        ("stack", Model::Stack),
        ("deque", Model::Deque),
        ("set", Model::Set),
        ("counter", Model::Counter),
        ("register", Model::Register),
    ];

    /// Returns what can be done with the structure, by name.
    pub fn operations(self) -> &'static [(&'static str, Operation)] {
        use Operation as O;
        match self {
            Model::Queue => &[("push", O::PushBack), ("pop", O::PopFront)],
            Model::Stack => &[("push", O::PushBack), ("pop", O::PopBack)],
            Model::Deque => &[
                ("push-front", O::PushFront),
                ("push-back", O::PushBack),
                ("pop-front", O::PopFront),
                ("pop-back", O::PopBack),
            ],
            Model::Set => &[("add", O::Insert), ("remove", O::Remove), ("has", O::Has)],
            Model::Counter => &[("add", O::Add), ("get", O::Get), ("next", O::Next)],
            Model::Register => &[("set", O::Set), ("get", O::Get)],
        }
    }

    /// Returns whether the structure is a row of values, for which there may be room or not.
    pub fn is_row(self) -> bool {
        matches!(self, Model::Queue | Model::Stack | Model::Deque)
    }

    /// Returns the name of the structure.
    pub fn name(self) -> &'static str {
        let found = Model::ALL.into_iter().find(|(_, model)| *model == self);
        found.map_or("structure", |(name, _)| name)
    }
}

/// One thing that a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    PushBack,
    PushFront,
    PopBack,
    PopFront,
    Insert,
    Remove,
    Has,
    Add,
    Get,
    /// Returns the number and counts up.
    Next,
    Set,
}

impl Operation {
    /// Returns whether the caller gives a value; otherwise the call returns one.
    pub fn gives(self) -> bool {
        use Operation as O;
        !matches!(self, O::PopBack | O::PopFront | O::Get | O::Next)
    }

    /// Does it to a state. Returns whether the state allows it to lead to this.
    pub fn apply(
        self,
        state: &mut VecDeque<i64>,
        room: Option<usize>,
        value: i64,
        refused: bool,
    ) -> bool {
        use Operation as O;
        let place = state.iter().position(|v| *v == value);
        if refused {
            return match self {
                O::PushBack | O::PushFront => room == Some(state.len()),
                O::PopBack | O::PopFront => state.is_empty(),
                O::Insert => place.is_some(),
                O::Remove | O::Has => place.is_none(),
                O::Add | O::Get | O::Next | O::Set => false,
            };
        }
        match self {
            O::PushBack | O::PushFront if room.is_some_and(|room| state.len() >= room) => false,
            O::PushBack => {
                state.push_back(value);
                true
            }
            O::PushFront => {
                state.push_front(value);
                true
            }
            O::PopBack => state.pop_back() == Some(value),
            O::PopFront => state.pop_front() == Some(value),
            O::Insert if place.is_some() => false,
            O::Insert => {
                // Sorted, so that equal sets are equal states.
                let at = state.iter().position(|v| *v > value);
                state.insert(at.unwrap_or(state.len()), value);
                true
            }
            O::Remove => place.is_some_and(|at| state.remove(at).is_some()),
            O::Has => place.is_some(),
            O::Add => {
                state[0] = state[0].wrapping_add(value);
                true
            }
            O::Get => state[0] == value,
            O::Next => {
                state[0] = state[0].wrapping_add(1);
                state[0].wrapping_sub(1) == value
            }
            O::Set => {
                state[0] = value;
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_say_what_leads_to_what() {
        let check = |model: Model, does: &str, before: &[i64], value: Option<i64>| {
            let mut all = model.operations().iter();
            let (_, operation) = all.find(|(name, _)| *name == does).unwrap();
            let mut state = before.iter().copied().collect();
            let is_possible =
                operation.apply(&mut state, Some(3), value.unwrap_or(0), value.is_none());
            is_possible.then(|| state.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(check(Model::Stack, "pop", &[1, 2], Some(2)), Some(vec![1]));
        assert_eq!(check(Model::Stack, "pop", &[1, 2], Some(1)), None);
        assert_eq!(
            check(Model::Deque, "push-front", &[1], Some(2)),
            Some(vec![2, 1])
        );
        assert_eq!(check(Model::Queue, "push", &[1, 2, 3], Some(4)), None);
        assert!(check(Model::Queue, "push", &[1, 2, 3], None).is_some());
        assert_eq!(
            check(Model::Set, "add", &[1, 3], Some(2)),
            Some(vec![1, 2, 3])
        );
        assert_eq!(check(Model::Set, "add", &[1], Some(1)), None);
        assert_eq!(check(Model::Set, "has", &[1], Some(2)), None);
        assert_eq!(check(Model::Counter, "next", &[4], Some(4)), Some(vec![5]));
        assert_eq!(check(Model::Counter, "next", &[5], Some(4)), None);
        assert_eq!(check(Model::Register, "get", &[5], Some(4)), None);
    }
}
