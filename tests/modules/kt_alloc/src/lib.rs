// SPDX-License-Identifier: GPL-2.0-only

//! Checks memory in ring 0: each check logs that it passed, or what was wrong.

#![no_std]
#![forbid(unsafe_code)]

use core::cell::Cell;
use kernel::{
    alloc::{AllocError, Flags, KVVec, VBox},
    kvec,
    prelude::*,
};

module! {
    type: Alloc,
    name: "kt_alloc",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        keep: usize { default: 0, description: "How many boxes of 2048 bytes to hold" },
        leak: bool { default: false, description: "Do not free them" },
        turns: usize { default: 0, description: "How often to fill and free vectors" },
    },
}

struct Alloc {
    kept: KVec<KBox<[u8; 2048]>>,
}

#[repr(align(64))]
struct Line(#[allow(dead_code, reason = "it is there for its size and alignment")] u8);

#[repr(align(4096))]
struct Page(#[allow(dead_code, reason = "it is there for its size and alignment")] u8);

/// A value that adds to a counter when it is dropped.
struct Counted<'a>(&'a Cell<u32>, u32);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + self.1);
    }
}

fn check(what: &str, holds: bool) -> Result {
    if holds {
        return Ok(());
    }
    pr_err!("wrong: {what}\n");
    Err(EINVAL)
}

fn address<T: ?Sized>(value: &T) -> usize {
    core::ptr::from_ref(value).cast::<u8>().addr()
}

fn boxes() -> Result {
    let mut b = KBox::new([7u8; 100], GFP_KERNEL)?;
    b[99] = 8;
    check("a box's value", b[0] == 7 && b[99] == 8)?;
    check("into_inner", KBox::into_inner(b)[99] == 8)?;
    let zeroed: KBox<[u64; 512]> = KBox::zeroed(GFP_KERNEL)?;
    check("zeroed", zeroed.iter().all(|n| *n == 0))?;
    let drops = Cell::new(0);
    let one = KBox::new(Counted(&drops, 1), GFP_KERNEL)?;
    check("not yet dropped", drops.get() == 0)?;
    let memory = KBox::drop_contents(one);
    check("dropped in place", drops.get() == 1)?;
    drop(KBox::write(memory, Counted(&drops, 10)));
    check("dropped again", drops.get() == 11)?;
    let text: KBox<dyn core::fmt::Debug> = KBox::new(5u8, GFP_KERNEL)?;
    drop(text);
    let big = VBox::new([1u8; 1 << 13], GFP_KERNEL)?;
    check("a box of vmalloc", big.iter().all(|n| *n == 1))
}

fn nothing_at_all() -> Result {
    let unit = KBox::new((), GFP_KERNEL)?;
    drop(unit);
    let drops = Cell::new(0);
    {
        struct Zero;
        impl Drop for Zero {
            fn drop(&mut self) {}
        }
        let mut zeroes = KVec::new();
        for _ in 0..1000 {
            zeroes.push(Zero, GFP_KERNEL)?;
        }
        check("a vector of nothings", zeroes.len() == 1000)?;
        check("it needs no room", zeroes.capacity() >= 1000)?;
        zeroes.truncate(10);
        check("fewer nothings", zeroes.len() == 10)?;
        let mut refs: KVec<Counted<'_>> = KVec::new();
        refs.push(Counted(&drops, 1), GFP_KERNEL)?;
        check("popped", refs.pop().is_some() && refs.pop().is_none())?;
    }
    check("each dropped once", drops.get() == 1)?;
    let none: KVec<u64> = KVec::with_capacity(0, GFP_KERNEL)?;
    check("an empty vector", none.is_empty() && none.capacity() == 0)
}

fn alignment() -> Result {
    for _ in 0..20 {
        let (line, page) = (
            KBox::new(Line(1), GFP_KERNEL)?,
            KBox::new(Page(1), GFP_KERNEL)?,
        );
        check("a box aligned to 64", address(&*line) % 64 == 0)?;
        check("a box aligned to a page", address(&*page) % 4096 == 0)?;
        let mut lines = KVec::new();
        let mut pages: KVVec<Page> = KVVec::new();
        for n in 0..7 {
            lines.push(Line(n), GFP_KERNEL)?;
            pages.push(Page(n), GFP_KERNEL)?;
            check("a vector aligned to 64", address(&lines[0]) % 64 == 0)?;
            check("a vector aligned to a page", address(&pages[0]) % 4096 == 0)?;
        }
        let kept = pages.iter().zip(0..).all(|(p, n)| p.0 == n);
        check("growing keeps what is there", kept)?;
    }
    Ok(())
}

fn growth() -> Result {
    let mut v = KVec::new();
    for n in 0..100_000u32 {
        v.push(n, GFP_KERNEL)?;
    }
    check("all pushed", v.len() == 100_000)?;
    check("all right", v.iter().zip(0..).all(|(a, b)| *a == b))?;
    let capacity = v.capacity();
    v.truncate(1000);
    check(
        "capacity stays",
        v.capacity() == capacity && v.len() == 1000,
    )?;
    check("push within capacity", v.push_within_capacity(5).is_ok())?;
    check("the last", v.pop() == Some(5))?;
    check("removed", matches!(v.remove(0), Ok(0)) && v[0] == 1)?;
    check("nothing to remove", v.remove(5000).is_err())?;
    v.retain(|n| *n % 2 == 0);
    check("retained", v.len() == 499 && v[0] == 2)?;
    v.resize(600, 9, GFP_KERNEL)?;
    check("resized", v[599] == 9 && v[499] == 9 && v[498] == 998)?;
    v.extend_from_slice(&[1, 2, 3], GFP_KERNEL)?;
    check("extended", v.ends_with(&[9, 1, 2, 3]))?;
    let mut exact: KVec<u8> = KVec::with_capacity(2, GFP_KERNEL)?;
    while exact.push_within_capacity(1).is_ok() {}
    check("no room is no room", exact.len() == exact.capacity())?;
    let list: KVec<u8> = kvec![1, 2, 3]?;
    check("kvec!", list == [1, 2, 3])?;
    let drops = Cell::new(0);
    let mut counted = KVec::new();
    for _ in 0..10 {
        counted.push(Counted(&drops, 1), GFP_KERNEL)?;
    }
    let mut iter = counted.into_iter();
    drop((iter.next(), iter.next()));
    check("two taken", drops.get() == 2)?;
    drop(iter);
    check("the rest dropped once", drops.get() == 10)
}

fn refused<T>(result: Result<T, AllocError>) -> bool {
    matches!(result.map_err(Error::from), Err(e) if e == ENOMEM)
}

fn failures() -> Result {
    let quiet: Flags = GFP_KERNEL | __GFP_NOWARN;
    for flags in [GFP_KERNEL, quiet] {
        check(
            "all bytes",
            refused(KVec::<u8>::with_capacity(usize::MAX, flags)),
        )?;
        let words = KVec::<u64>::with_capacity(usize::MAX, flags);
        check("all bytes, eight times", refused(words))?;
        let half = KVec::<u8>::with_capacity(isize::MAX as usize + 1, flags);
        check("more than isize::MAX", refused(half))?;
        check("2^50", refused(KVec::<u8>::with_capacity(1 << 50, flags)))?;
        check("2^30", refused(KVec::<u8>::with_capacity(1 << 30, flags)))?;
    }
    check("2^45", refused(KVVec::<u8>::with_capacity(1 << 45, quiet)))?;
    // The elements stay when there is no more memory.
    let mut v: KVec<u32> = kvec![1, 2, 3]?;
    check("no room", refused(v.reserve(1 << 40, quiet)))?;
    check("no room to count", refused(v.reserve(usize::MAX, quiet)))?;
    check("no room to resize", refused(v.resize(1 << 40, 0, quiet)))?;
    check("still there", v == [1, 2, 3])?;
    v.push(4, GFP_KERNEL)?;
    check("and works", v == [1, 2, 3, 4])
}

/// Allocates and frees memory of all sizes.
fn churn(turns: usize) -> Result {
    for turn in 0..turns {
        let mut v: KVec<KVec<u8>> = KVec::new();
        for n in 0..100 {
            v.push(
                KVec::from_elem(n as u8, n * 37 + turn % 50, GFP_KERNEL)?,
                GFP_KERNEL,
            )?;
        }
        check("churn", v[99].iter().all(|b| *b == 99))?;
    }
    Ok(())
}

impl kernel::Module for Alloc {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        boxes()?;
        pr_info!("boxes are right\n");
        nothing_at_all()?;
        pr_info!("nothing is right\n");
        alignment()?;
        pr_info!("alignment is right\n");
        growth()?;
        pr_info!("growth is right\n");
        failures()?;
        pr_info!("failures are right\n");
        churn(*module_parameters::turns.value())?;
        let mut kept = KVec::new();
        for _ in 0..*module_parameters::keep.value() {
            kept.push(KBox::new([1; 2048], GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Alloc { kept })
    }
}

impl Drop for Alloc {
    fn drop(&mut self) {
        if *module_parameters::leak.value() {
            for leaked in self.kept.drain_all() {
                KBox::leak(leaked);
            }
        }
    }
}
