// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compares the deque of `full_ex` with a `VecDeque`.

#[path = "../../../modules/full_ex/src/deque.rs"]
mod deque;

use std::collections::VecDeque;

use proptest::prelude::*;

use deque::{Deque, Full};

#[derive(Clone, Debug)]
enum Step {
    Push(i32),
    Pop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value = prop_oneof![any::<i32>(), -3..=3, Just(i32::MIN), Just(i32::MAX),];
    let step = prop_oneof![3 => value.prop_map(Step::Push), 2 => Just(Step::Pop)];
    prop::collection::vec(step, 0..600)
}

fn pop(deque: &mut Deque<Vec<i32>>) -> Option<i32> {
    deque.pop(Ok::<i32, ()>).map(Result::unwrap)
}

proptest! {
    #[test]
    fn it_is_a_deque(capacity in 0usize..=101, steps in steps()) {
        let mut deque = Deque::new(vec![0; capacity]);
        let mut model = VecDeque::new();
        for step in steps {
            match step {
                Step::Push(value) if model.len() == capacity => {
                    prop_assert_eq!(deque.push(value), Err(Full));
                }
                Step::Push(value) => {
                    prop_assert_eq!(deque.push(value), Ok(()));
                    match value.rem_euclid(2) {
                        1 => model.push_front(value),
                        _ => model.push_back(value),
                    }
                }
                Step::Pop => prop_assert_eq!(pop(&mut deque), model.pop_front()),
            }
            // What fails removes nothing.
            let front = model.front().copied();
            prop_assert_eq!(deque.pop(Err::<(), i32>), front.map(Err));
        }
        while let Some(value) = model.pop_front() {
            prop_assert_eq!(pop(&mut deque), Some(value));
        }
        prop_assert_eq!(pop(&mut deque), None);
    }
}
