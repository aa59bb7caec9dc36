// SPDX-License-Identifier: MIT OR Apache-2.0

//! Functions of the C library, which a module does not have.

use crate::api_changes::change::{Change, NONE, Rewrite, Sign::Name};

const fn no_library(
    signs: &'static [crate::api_changes::change::Sign],
    what: &'static str,
    example: &'static str,
) -> Change {
    Change {
        signs,
        what,
        example,
        ..NONE
    }
}

pub(super) const CHANGES: &[Change] = &[
    Change {
        signs: &[Name("printf")],
        what: "a module has no C library: `pr_info` writes to the kernel log",
        rewrites: &[Rewrite::Words(&[("printf", "pr_info")])],
        ..NONE
    },
    no_library(
        &[Name("malloc"), Name("calloc"), Name("realloc")],
        "a module has no C library: `kmalloc` and `kzalloc` allocate memory, and the flags say \
         whether the caller may sleep",
        "p = kzalloc(size, GFP_KERNEL);",
    ),
    Change {
        signs: &[Name("free")],
        what: "a module has no C library: `kfree` frees what `kmalloc` allocated",
        rewrites: &[Rewrite::Words(&[("free", "kfree")])],
        include: "linux/slab.h",
        ..NONE
    },
    no_library(
        &[Name("sleep"), Name("usleep"), Name("nanosleep")],
        "a module has no C library: `msleep` sleeps for milliseconds, and `usleep_range` for \
         microseconds",
        "msleep(1000);",
    ),
    no_library(
        &[
            Name("atoi"),
            Name("atol"),
            Name("strtol"),
            Name("strtoul"),
            Name("sscanf_s"),
        ],
        "a module has no C library: `kstrtoint` and the like read a number, and return an errno",
        "error = kstrtoint(text, 10, &number);",
    ),
    no_library(
        &[Name("fopen"), Name("fread"), Name("fwrite"), Name("fclose")],
        "a module has no C library. `filp_open` and `kernel_read` read a file, but a module \
         rarely should",
        "struct file *file = filp_open(\"/path\", O_RDONLY, 0);",
    ),
    no_library(
        &[Name("rand"), Name("srand"), Name("random")],
        "a module has no C library: `get_random_u32` returns a random number",
        "u32 number = get_random_u32();",
    ),
    no_library(
        &[Name("assert")],
        "a module has no C library: `WARN_ON` reports what must not be, and goes on",
        "if (WARN_ON(!condition))\n\treturn -EINVAL;",
    ),
    no_library(
        &[Name("exit"), Name("abort")],
        "a module has no C library, and no process to exit from: return an errno",
        "return -EINVAL;",
    ),
    no_library(
        &[Name("getpid")],
        "a module has no C library: `current` is the task that called",
        "pid_t pid = task_tgid_vnr(current);",
    ),
    no_library(
        &[Name("strdup")],
        "a module has no C library: `kstrdup` copies a text",
        "char *copy = kstrdup(text, GFP_KERNEL);",
    ),
    no_library(
        &[
            Name("pthread_create"),
            Name("pthread_mutex_lock"),
            Name("pthread_t"),
        ],
        "a module has no C library: `kthread_run` starts a thread, and `struct mutex` is a lock",
        "struct task_struct *task = kthread_run(my_function, data, \"my-thread\");",
    ),
];
