// SPDX-License-Identifier: MIT OR Apache-2.0

//! Headers that moved or are gone.

use crate::api_changes::change::{
    Version,
    When::{self, Always, Before, Since},
    v,
};

/// A header that moved, or that is gone.
pub(crate) struct Header {
    pub when: When,
    pub old: &'static str,
    /// The header to include instead, or nothing.
    pub new: &'static str,
    /// Whether the header belongs to the C library.
    pub is_library: bool,
}

const fn moved(when: When, old: &'static str, new: &'static str) -> Header {
    Header {
        when,
        old,
        new,
        is_library: false,
    }
}

const fn library(old: &'static str, new: &'static str) -> Header {
    Header {
        when: Always,
        old,
        new,
        is_library: true,
    }
}

pub(crate) const HEADERS: &[Header] = &[
    moved(Since(v(6, 12)), "asm/unaligned.h", "linux/unaligned.h"),
    moved(Before(v(6, 12)), "linux/unaligned.h", "asm/unaligned.h"),
    moved(Since(v(5, 18)), "linux/genhd.h", "linux/blkdev.h"),
    moved(Since(v(5, 15)), "stdarg.h", "linux/stdarg.h"),
    moved(Before(v(5, 15)), "linux/stdarg.h", "stdarg.h"),
    moved(Since(v(5, 14)), "linux/ide.h", ""),
    moved(Before(v(4, 11)), "linux/sched/signal.h", "linux/sched.h"),
    moved(Before(v(4, 11)), "linux/sched/task.h", "linux/sched.h"),
    moved(Before(v(4, 11)), "linux/sched/mm.h", "linux/sched.h"),
    moved(Before(v(4, 11)), "linux/sched/clock.h", "linux/sched.h"),
    moved(Since(v(3, 4)), "asm/system.h", ""),
    moved(Since(Version(2, 6, 33)), "linux/autoconf.h", ""),
    moved(
        Since(Version(2, 6, 33)),
        "linux/utsrelease.h",
        "generated/utsrelease.h",
    ),
    moved(Since(Version(2, 6, 19)), "linux/config.h", ""),
    moved(Since(Version(2, 6, 18)), "linux/devfs_fs_kernel.h", ""),
    moved(Always, "asm/semaphore.h", "linux/semaphore.h"),
    moved(Always, "linux/malloc.h", "linux/slab.h"),
    library("stdio.h", "linux/printk.h"),
    library("stdlib.h", "linux/slab.h"),
    library("string.h", "linux/string.h"),
    library("strings.h", "linux/string.h"),
    library("unistd.h", ""),
    library("stdint.h", "linux/types.h"),
    library("inttypes.h", "linux/types.h"),
    library("stdbool.h", "linux/types.h"),
    library("stddef.h", "linux/stddef.h"),
    library("sys/types.h", "linux/types.h"),
    library("errno.h", "linux/errno.h"),
    library("limits.h", "linux/limits.h"),
    library("ctype.h", "linux/ctype.h"),
    library("math.h", ""),
    library("assert.h", "linux/bug.h"),
    library("time.h", "linux/ktime.h"),
    library("sys/time.h", "linux/ktime.h"),
    library("fcntl.h", "linux/fcntl.h"),
    library("poll.h", "linux/poll.h"),
    library("sys/ioctl.h", "linux/ioctl.h"),
    library("sys/stat.h", "linux/stat.h"),
    library("pthread.h", "linux/kthread.h"),
    library("stdatomic.h", "linux/atomic.h"),
];
