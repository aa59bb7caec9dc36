// SPDX-License-Identifier: GPL-2.0-only

//! Compares lists with a plain model of them when it is loaded.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    impl_list_arc_safe, impl_list_item,
    list::{AtomicTracker, List, ListArc, ListLinks},
    new_mutex,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, UniqueArc,
    },
};

module! {
    type: Lists,
    name: "kt_list",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        steps: u32 { default: 20000, description: "How many random steps" },
    },
}

struct Lists;

static ALIVE: Atomic<i32> = Atomic::new(0);

#[pin_data(PinnedDrop)]
struct Item {
    number: u32,
    #[pin]
    links: ListLinks,
    #[pin]
    others: ListLinks<1>,
    tracker: AtomicTracker<1>,
}

#[pinned_drop]
impl PinnedDrop for Item {
    fn drop(self: Pin<&mut Self>) {
        ALIVE.add(-1, Relaxed);
    }
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Item { untracked; }
    impl ListArcSafe<1> for Item { tracked_by tracker: AtomicTracker<1>; }
}

impl_list_item! {
    impl ListItem<0> for Item { using ListLinks { self.links }; }
    impl ListItem<1> for Item { using ListLinks { self.others }; }
}

/// An object with links deeper in it, which is generic.
#[pin_data]
struct Outer<T> {
    #[pin]
    inner: Inner,
    value: T,
}

#[pin_data]
struct Inner {
    #[pin]
    links: ListLinks<7>,
}

impl_list_arc_safe! {
    impl{T} ListArcSafe<7> for Outer<T> { untracked; }
}

impl_list_item! {
    impl{T} ListItem<7> for Outer<T> { using ListLinks { self.inner.links }; }
}

fn item(number: u32) -> Result<ListArc<Item>> {
    let item = ListArc::pin_init(
        pin_init!(Item {
            number,
            links <- ListLinks::new(),
            others <- ListLinks::new(),
            tracker: AtomicTracker::new(),
        }),
        GFP_KERNEL,
    )?;
    ALIVE.add(1, Relaxed);
    Ok(item)
}

fn check(what: &str, holds: bool) -> Result {
    if holds {
        return Ok(());
    }
    pr_err!("wrong: {what}\n");
    Err(EINVAL)
}

fn same(list: &List<Item>, model: &[u32]) -> Result {
    let numbers = || list.iter().map(|item| item.number);
    check("forwards", numbers().eq(model.iter().copied()))?;
    let backwards = model.iter().rev().copied();
    check("backwards", numbers().rev().eq(backwards))?;
    check("empty", list.is_empty() == model.is_empty())
}

/// Makes the same random steps on a list and on a vector.
fn model(steps: u32) -> Result {
    let mut list = List::<Item>::new();
    let mut model = KVec::<u32>::new();
    let mut random = 1u64;
    for number in 0..steps {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
        let place = (random >> 40) as usize % (model.len() + 1);
        match random >> 60 {
            0..=2 => {
                list.push_back(item(number)?);
                model.push(number, GFP_KERNEL)?;
            }
            3..=5 => {
                list.push_front(item(number)?);
                insert(&mut model, 0, number)?;
            }
            6 => check(
                "front",
                list.pop_front().map(|i| i.number) == take(&mut model, 0),
            )?,
            7 => {
                let last = model.len().wrapping_sub(1);
                check(
                    "back",
                    list.pop_back().map(|i| i.number) == take(&mut model, last),
                )?;
            }
            8..=9 => {
                let mut cursor = list.cursor_front();
                for _ in 0..place {
                    check("on", cursor.move_next())?;
                }
                let next = cursor.peek_next().map(|next| next.remove().number);
                check("taken", next == take(&mut model, place))?;
            }
            10 => {
                let mut cursor = list.cursor_front();
                for _ in 0..place {
                    check("on", cursor.move_next())?;
                }
                cursor.insert_next(item(number)?);
                check(
                    "next",
                    cursor.peek_next().is_some_and(|i| i.number == number),
                )?;
                insert(&mut model, place, number)?;
            }
            11 => {
                let mut cursor = list.cursor_front();
                while cursor.move_next() {}
                for _ in place..model.len() {
                    check("back", cursor.move_prev())?;
                }
                cursor.insert_prev(item(number)?);
                check(
                    "prev",
                    cursor.peek_prev().is_some_and(|i| i.number == number),
                )?;
                insert(&mut model, place, number)?;
            }
            12 => {
                let mut cursor = list.cursor_front();
                for _ in 0..place {
                    check("on", cursor.move_next())?;
                }
                let prev = cursor.peek_prev().map(|prev| prev.remove().number);
                check(
                    "taken before",
                    prev == take(&mut model, place.wrapping_sub(1)),
                )?;
            }
            13 => {
                let mut other = List::<Item>::new();
                for n in 0..place as u32 % 4 {
                    other.push_back(item(n)?);
                    model.push(n, GFP_KERNEL)?;
                }
                list.push_all_back(&mut other);
                check("moved", other.is_empty())?;
            }
            14 if model.len() > 30 => {
                let all = core::mem::take(&mut list);
                let kept = model.len() / 2;
                for item in all.into_iter().take(kept) {
                    list.push_back(item);
                }
                model.truncate(kept);
            }
            _ => {}
        }
        same(&list, &model)?;
        check("alive", ALIVE.load(Relaxed) as usize == model.len())?;
    }
    drop(list);
    check("all are dropped", ALIVE.load(Relaxed) == 0)
}

fn insert(model: &mut KVec<u32>, at: usize, number: u32) -> Result {
    model.push(number, GFP_KERNEL)?;
    let rest = model.get_mut(at..).ok_or(EINVAL)?;
    rest.rotate_right(1);
    Ok(())
}

fn take(model: &mut KVec<u32>, at: usize) -> Option<u32> {
    model.remove(at).ok()
}

/// Puts one object on two lists, by two links.
fn two_lists() -> Result {
    let mut list = List::<Item>::new();
    let mut others = List::<Item, 1>::new();
    let first = item(1)?;
    let shared: Arc<Item> = first.clone_arc();
    list.push_back(first);
    let other = ListArc::<Item, 1>::try_from_arc(shared.clone()).map_err(|_| EINVAL)?;
    check(
        "only one",
        ListArc::<Item, 1>::try_from_arc(shared.clone()).is_err(),
    )?;
    others.push_back(other);
    check(
        "still one",
        ListArc::<Item, 1>::try_from_arc(shared.clone()).is_err(),
    )?;
    let other = others.pop_front().ok_or(EINVAL)?;
    let arc = other.into_arc();
    let again = ListArc::<Item, 1>::try_from_arc(arc).map_err(|_| EINVAL)?;
    drop(again);
    check(
        "dropped",
        ListArc::<Item, 1>::try_from_arc(shared.clone()).is_ok(),
    )?;
    drop(shared);
    check("the list has it", ALIVE.load(Relaxed) == 1)?;
    drop(list);
    check("nobody has it", ALIVE.load(Relaxed) == 0)
}

fn generic() -> Result {
    let mut list = List::<Outer<u64>, 7>::new();
    for value in 0..3 {
        let outer = UniqueArc::pin_init(
            pin_init!(Outer {
                inner <- pin_init!(Inner { links <- ListLinks::new() }),
                value,
            }),
            GFP_KERNEL,
        )?;
        list.push_back(outer.into());
    }
    check("generic", list.iter().map(|o| o.value).eq([0, 1, 2]))?;
    // The list is behind a lock, as lists usually are.
    let shared = KBox::pin_init(new_mutex!(list), GFP_KERNEL)?;
    let first = shared.lock().pop_front();
    check("locked", first.is_some_and(|first| first.value == 0))
}

impl kernel::Module for Lists {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        model(*module_parameters::steps.value())?;
        two_lists()?;
        generic()?;
        pr_info!("all is right\n");
        Ok(Lists)
    }
}
