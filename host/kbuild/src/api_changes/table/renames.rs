// SPDX-License-Identifier: MIT OR Apache-2.0

//! Names that changed while the meaning stayed.

use crate::api_changes::change::{Rename, Version, v};

/// Long ago: every kernel that is still built for has the name.
const LONG_AGO: Version = v(2, 6);

const fn rename(old: &'static str, new: &'static str, added: Version, removed: Version) -> Rename {
    Rename {
        old,
        new,
        added,
        removed,
        include: "",
        note: "",
    }
}

const fn with(rename: Rename, include: &'static str, note: &'static str) -> Rename {
    Rename {
        include,
        note,
        ..rename
    }
}

pub(crate) const RENAMES: &[Rename] = &[
    rename("PDE_DATA", "pde_data", v(5, 17), v(5, 17)),
    rename("del_timer", "timer_delete", v(6, 2), v(6, 15)),
    rename("del_timer_sync", "timer_delete_sync", v(6, 2), v(6, 15)),
    rename("from_timer", "timer_container_of", v(6, 16), v(6, 16)),
    rename(
        "try_to_del_timer_sync",
        "timer_delete_sync_try",
        v(6, 16),
        v(6, 16),
    ),
    with(
        rename("getnstimeofday", "ktime_get_real_ts64", v(3, 17), v(5, 6)),
        "linux/timekeeping.h",
        ", and takes a `struct timespec64`",
    ),
    with(
        rename("get_seconds", "ktime_get_real_seconds", v(3, 19), v(5, 11)),
        "linux/timekeeping.h",
        "",
    ),
    with(
        rename("strlcpy", "strscpy", v(4, 3), v(6, 8)),
        "",
        "; it returns -E2BIG if the text is too long",
    ),
    rename("ioremap_nocache", "ioremap", LONG_AGO, v(5, 6)),
    rename("devm_ioremap_nocache", "devm_ioremap", LONG_AGO, v(5, 6)),
    with(
        rename(
            "probe_kernel_read",
            "copy_from_kernel_nofault",
            v(5, 8),
            v(5, 8),
        ),
        "linux/uaccess.h",
        "",
    ),
    with(
        rename(
            "probe_kernel_write",
            "copy_to_kernel_nofault",
            v(5, 8),
            v(5, 8),
        ),
        "linux/uaccess.h",
        "",
    ),
    rename(
        "complete_and_exit",
        "kthread_complete_and_exit",
        v(5, 17),
        v(5, 17),
    ),
    rename(
        "module_put_and_exit",
        "module_put_and_kthread_exit",
        v(5, 17),
        v(5, 17),
    ),
    rename("random32", "get_random_u32", v(4, 11), v(3, 10)),
    with(
        rename("prandom_u32", "get_random_u32", v(4, 11), v(6, 1)),
        "linux/random.h",
        "",
    ),
    with(
        rename("prandom_bytes", "get_random_bytes", LONG_AGO, v(6, 1)),
        "linux/random.h",
        "",
    ),
    with(
        rename("get_random_int", "get_random_u32", v(4, 11), v(6, 1)),
        "linux/random.h",
        "",
    ),
    with(
        rename("prandom_u32_max", "get_random_u32_below", v(6, 2), v(6, 2)),
        "linux/random.h",
        "",
    ),
    rename("wait_queue_t", "wait_queue_entry_t", v(4, 13), v(4, 13)),
    rename("ACCESS_ONCE", "READ_ONCE", v(3, 19), v(4, 15)),
    with(
        rename("PAGE_CACHE_SIZE", "PAGE_SIZE", LONG_AGO, v(4, 6)),
        "linux/mm.h",
        "",
    ),
    with(
        rename("PAGE_CACHE_SHIFT", "PAGE_SHIFT", LONG_AGO, v(4, 6)),
        "linux/mm.h",
        "",
    ),
    with(
        rename("PAGE_CACHE_MASK", "PAGE_MASK", LONG_AGO, v(4, 6)),
        "linux/mm.h",
        "",
    ),
    with(
        rename("page_cache_release", "put_page", LONG_AGO, v(4, 6)),
        "linux/mm.h",
        "",
    ),
    with(
        rename("page_cache_get", "get_page", LONG_AGO, v(4, 6)),
        "linux/mm.h",
        "",
    ),
    rename("netif_rx_ni", "netif_rx", LONG_AGO, v(5, 18)),
    rename("blk_cleanup_disk", "put_disk", LONG_AGO, v(6, 0)),
    with(
        rename("strict_strtoul", "kstrtoul", Version(2, 6, 39), v(3, 18)),
        "linux/kstrtox.h",
        "",
    ),
    with(
        rename("strict_strtol", "kstrtol", Version(2, 6, 39), v(3, 18)),
        "linux/kstrtox.h",
        "",
    ),
    with(
        rename("strict_strtoull", "kstrtoull", Version(2, 6, 39), v(3, 18)),
        "linux/kstrtox.h",
        "",
    ),
    with(
        rename("strict_strtoll", "kstrtoll", Version(2, 6, 39), v(3, 18)),
        "linux/kstrtox.h",
        "",
    ),
    rename("strnicmp", "strncasecmp", LONG_AGO, v(4, 0)),
    rename("d_alloc_root", "d_make_root", v(3, 4), v(3, 4)),
];
