// SPDX-License-Identifier: GPL-2.0-only

//! Logs the clocks' readings when it is loaded, and results of arithmetic on them.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    time::{
        self,
        delay::{fsleep, udelay},
        BootTime, ClockSource, Delta, Instant, Monotonic, RealTime, Tai,
    },
};

module! {
    type: Time,
    name: "kt_time",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        sleep_us: i64 { default: 0, description: "How long to sleep" },
        busy_us: i64 { default: 0, description: "How long to wait" },
    },
}

struct Time;

fn check(what: &str, holds: bool) -> Result {
    if holds {
        return Ok(());
    }
    pr_err!("wrong: {what}\n");
    Err(EINVAL)
}

fn arithmetic() -> Result {
    let (most, least) = (Delta::from_nanos(i64::MAX), Delta::from_nanos(i64::MIN));
    check("seconds", Delta::from_secs(2) == Delta::from_millis(2000))?;
    check(
        "millis",
        Delta::from_millis(-3) == Delta::from_micros(-3000),
    )?;
    check("micros", Delta::from_micros(5).as_nanos() == 5000)?;
    check("large seconds", Delta::from_secs(i64::MAX) == most)?;
    check("small seconds", Delta::from_secs(i64::MIN) == least)?;
    check("large millis", Delta::from_millis(i64::MAX) == most)?;
    check(
        "sum",
        Delta::from_secs(1) + Delta::from_millis(5) == Delta::from_millis(1005),
    )?;
    check(
        "difference",
        Delta::from_secs(1) - Delta::from_secs(3) == Delta::from_secs(-2),
    )?;
    check("sum that is too large", most + Delta::from_nanos(1) == most)?;
    check(
        "difference that is too small",
        least - Delta::from_nanos(1) == least,
    )?;
    check("negated", -Delta::from_secs(1) == Delta::from_secs(-1))?;
    check("negated least", -least == most)?;
    check(
        "sign",
        Delta::from_nanos(-1).is_negative() && !Delta::ZERO.is_negative(),
    )?;
    check("zero", Delta::ZERO.is_zero() && !most.is_zero())?;
    check("order", least < Delta::ZERO && Delta::ZERO < most)?;
    check("rounded up", Delta::from_nanos(1001).as_micros_ceil() == 2)?;
    check("not rounded", Delta::from_nanos(1000).as_micros_ceil() == 1)?;
    check("negative", Delta::from_nanos(-1500).as_micros_ceil() == -1)?;
    check(
        "whole millis",
        Delta::from_nanos(1_999_999).as_millis() == 1,
    )?;
    check(
        "negative millis",
        Delta::from_nanos(-1_999_999).as_millis() == -1,
    )
}

fn monotonic<C: ClockSource + PartialOrd>() -> Result {
    let start = Instant::<C>::now();
    let mut last = start;
    for _ in 0..10_000 {
        let now = Instant::<C>::now();
        check("time goes on", !(now - last).is_negative() && now >= last)?;
        last = now;
    }
    let same = last;
    check("no time is no time", (same - last).is_zero())?;
    check(
        "time has passed",
        last > start && !start.elapsed().is_negative(),
    )?;
    check("back and forth", last - start == -(start - last))
}

fn ticks() -> Result {
    let hz = time::HZ as u32;
    check("a second", time::msecs_to_jiffies(1000) == time::HZ)?;
    check(
        "rounded up",
        time::msecs_to_jiffies(1) == 1 && time::msecs_to_jiffies(0) == 0,
    )?;
    check("and back", time::jiffies_to_msecs(time::HZ) == 1000)?;
    check("a tick", time::jiffies_to_msecs(1) == 1000 / hz)?;
    let (a, b) = (time::jiffies(), time::jiffies64());
    check("one count", b.wrapping_sub(a as u64) < 100)
}

impl kernel::Module for Time {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        arithmetic()?;
        monotonic::<Monotonic>()?;
        monotonic::<BootTime>()?;
        ticks()?;
        pr_info!("arithmetic is right\n");
        pr_info!("monotonic {}\n", Instant::<Monotonic>::now().as_nanos());
        pr_info!("real {}\n", Instant::<RealTime>::now().as_nanos());
        pr_info!("boot {}\n", Instant::<BootTime>::now().as_nanos());
        pr_info!("tai {}\n", Instant::<Tai>::now().as_nanos());
        pr_info!("ticks {} {}\n", time::jiffies(), time::HZ);
        let start = Instant::<Monotonic>::now();
        let ticks = time::jiffies();
        fsleep(Delta::from_micros(*module_parameters::sleep_us.value()));
        udelay(Delta::from_micros(*module_parameters::busy_us.value()));
        pr_info!(
            "waited {} {}\n",
            start.elapsed().as_nanos(),
            time::jiffies().wrapping_sub(ticks)
        );
        Ok(Time)
    }
}
