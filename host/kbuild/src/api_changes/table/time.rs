// SPDX-License-Identifier: MIT OR Apache-2.0

//! Timers, clocks and deferred work.

use crate::api_changes::{
    change::{
        Change, NONE, Rewrite,
        Sign::{Arguments, Incomplete, Member, Name, Types},
        Version,
        When::{Always, Before, Since},
        v,
    },
    rewrite::timers::{drop_data, init_timer, kernel_time, setup_timer, timer_handler},
};

pub(super) const CHANGES: &[Change] = &[
    Change {
        when: Since(v(4, 15)),
        signs: &[Name("setup_timer"), Name("setup_timer_on_stack")],
        what: "`setup_timer` is gone: `timer_setup` takes no data, and the handler gets the \
               timer, from which it finds the structure that the timer is in",
        rewrites: &[Rewrite::Custom(setup_timer)],
        ..NONE
    },
    Change {
        when: Since(v(4, 15)),
        signs: &[Name("init_timer")],
        what: "`init_timer` is gone: `timer_setup` takes the handler, which gets the timer \
               instead of data",
        rewrites: &[Rewrite::Custom(init_timer)],
        example: "timer_setup(&my_timer, my_handler, 0);",
        ..NONE
    },
    Change {
        when: Since(v(4, 15)),
        signs: &[Member("struct timer_list", "data")],
        what: "timers have no `data`: the handler gets the timer, from which it finds the \
               structure that the timer is in",
        rewrites: &[Rewrite::Custom(drop_data)],
        example: "static void my_handler(struct timer_list *t);",
        ..NONE
    },
    Change {
        when: Since(v(4, 15)),
        signs: &[Types("void (struct timer_list *)", "void (unsigned long)")],
        what: "the handler of a timer takes a `struct timer_list *` instead of an `unsigned long`",
        rewrites: &[Rewrite::Custom(timer_handler)],
        example: "static void my_handler(struct timer_list *t);",
        ..NONE
    },
    Change {
        when: Since(v(4, 15)),
        signs: &[Arguments("DEFINE_TIMER")],
        what: "`DEFINE_TIMER` takes the name and the handler only",
        rewrites: &[Rewrite::Call("DEFINE_TIMER", 4, "DEFINE_TIMER($1, $2)")],
        ..NONE
    },
    Change {
        when: Before(v(4, 15)),
        signs: &[Name("from_timer")],
        what: "the handler of a timer gets an `unsigned long`, which `setup_timer` takes",
        example: "setup_timer(&my->timer, my_handler, (unsigned long)my);",
        ..NONE
    },
    Change {
        when: Since(v(6, 15)),
        signs: &[Name("hrtimer_init")],
        what: "`hrtimer_init` is gone: `hrtimer_setup` takes the handler as well",
        example: "hrtimer_setup(&my_timer, my_handler, CLOCK_MONOTONIC, HRTIMER_MODE_REL);",
        ..NONE
    },
    Change {
        when: Before(v(6, 13)),
        signs: &[Name("hrtimer_setup")],
        what: "`hrtimer_init` takes no handler, which is assigned to `function`",
        example: "hrtimer_init(&my_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
my_timer.function = my_handler;",
        ..NONE
    },
    Change {
        when: Since(v(5, 0)),
        signs: &[Name("do_gettimeofday")],
        what: "`do_gettimeofday` is gone: `ktime_get_real_ts64` returns the time in seconds and \
               nanoseconds",
        example: "struct timespec64 now;
ktime_get_real_ts64(&now);\t/* now.tv_sec, now.tv_nsec / 1000 */",
        ..NONE
    },
    Change {
        when: Since(v(5, 6)),
        signs: &[Name("current_kernel_time")],
        what: "`current_kernel_time` is gone: `ktime_get_coarse_real_ts64` writes to a `struct \
               timespec64`",
        rewrites: &[Rewrite::Custom(kernel_time)],
        example: "ktime_get_coarse_real_ts64(&now);",
        ..NONE
    },
    Change {
        when: Since(v(5, 0)),
        signs: &[Name("current_kernel_time64")],
        what: "`current_kernel_time64` is gone: `ktime_get_coarse_real_ts64` writes to a `struct \
               timespec64`",
        rewrites: &[Rewrite::Custom(kernel_time)],
        example: "ktime_get_coarse_real_ts64(&now);",
        ..NONE
    },
    Change {
        when: Since(v(5, 6)),
        signs: &[Incomplete("struct timespec")],
        what: "the kernel has no `struct timespec`, which ends in 2038: there is `struct \
               timespec64`",
        rewrites: &[Rewrite::Words(&[("timespec", "timespec64")])],
        ..NONE
    },
    Change {
        when: Since(v(5, 6)),
        signs: &[Incomplete("struct timeval")],
        what: "the kernel has no `struct timeval`, which ends in 2038: there is `struct \
               timespec64`, with nanoseconds",
        example: "struct timespec64 now;\t/* now.tv_sec, now.tv_nsec / 1000 */",
        ..NONE
    },
    Change {
        when: Always,
        signs: &[Name("getnstimeofday64")],
        what: "`getnstimeofday64` is called `ktime_get_real_ts64`",
        rewrites: &[Rewrite::Words(&[(
            "getnstimeofday64",
            "ktime_get_real_ts64",
        )])],
        ..NONE
    },
    Change {
        when: Since(v(4, 12)),
        signs: &[Name("CURRENT_TIME"), Name("CURRENT_TIME_SEC")],
        what: "`CURRENT_TIME` is gone: `current_time` takes the inode whose time is set",
        example: "current_time(inode)",
        ..NONE
    },
    Change {
        when: Since(v(5, 9)),
        signs: &[Arguments("DECLARE_TASKLET")],
        what: "`DECLARE_TASKLET` takes no data, and a handler with a `struct tasklet_struct *`; \
               `DECLARE_TASKLET_OLD` takes a handler with an `unsigned long`",
        rewrites: &[Rewrite::Call(
            "DECLARE_TASKLET",
            3,
            "DECLARE_TASKLET_OLD($1, $2)",
        )],
        ..NONE
    },
    Change {
        when: Since(v(5, 9)),
        signs: &[Types(
            "void (struct tasklet_struct *)",
            "void (unsigned long)",
        )],
        what: "the handler of a `DECLARE_TASKLET` takes a `struct tasklet_struct *`",
        rewrites: &[Rewrite::Words(&[(
            "DECLARE_TASKLET",
            "DECLARE_TASKLET_OLD",
        )])],
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 20)),
        signs: &[Arguments("INIT_WORK"), Arguments("DECLARE_WORK")],
        what: "work has no data: the handler takes the `struct work_struct *`, from which \
               `container_of` finds the structure that it is in",
        rewrites: &[
            Rewrite::Call("INIT_WORK", 3, "INIT_WORK($1, $2)"),
            Rewrite::Call("DECLARE_WORK", 3, "DECLARE_WORK($1, $2)"),
        ],
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 20)),
        signs: &[Types("void (struct work_struct *)", "void (void *)")],
        what: "the handler of work takes a `struct work_struct *`, from which `container_of` \
               finds the structure that it is in",
        example: "static void my_handler(struct work_struct *work);",
        ..NONE
    },
    Change {
        when: Since(v(3, 13)),
        signs: &[Name("INIT_COMPLETION")],
        what: "`INIT_COMPLETION` is gone: `reinit_completion` takes a pointer",
        rewrites: &[Rewrite::Call(
            "INIT_COMPLETION",
            1,
            "reinit_completion(&$1)",
        )],
        ..NONE
    },
];
