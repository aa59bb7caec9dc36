// SPDX-License-Identifier: MIT OR Apache-2.0

//! The headers of common functions, for files that forgot to include them.

/// Headers, and names that they declare in every kernel since 5.0.
const INCLUDES: &[(&str, &[&str])] = &[
    (
        "linux/slab.h",
        &[
            "kmalloc",
            "kzalloc",
            "kcalloc",
            "kmalloc_array",
            "krealloc",
            "kfree",
            "kmem_cache_create",
            "kmem_cache_alloc",
            "kmem_cache_free",
            "kmem_cache_destroy",
        ],
    ),
    ("linux/vmalloc.h", &["vmalloc", "vzalloc", "vfree"]),
    (
        "linux/uaccess.h",
        &[
            "copy_to_user",
            "copy_from_user",
            "get_user",
            "put_user",
            "clear_user",
            "access_ok",
            "strncpy_from_user",
        ],
    ),
    (
        "linux/delay.h",
        &[
            "msleep",
            "ssleep",
            "mdelay",
            "udelay",
            "usleep_range",
            "msleep_interruptible",
        ],
    ),
    (
        "linux/kthread.h",
        &[
            "kthread_run",
            "kthread_create",
            "kthread_stop",
            "kthread_should_stop",
        ],
    ),
    (
        "linux/proc_fs.h",
        &[
            "proc_create",
            "proc_mkdir",
            "proc_remove",
            "remove_proc_entry",
            "proc_create_data",
        ],
    ),
    (
        "linux/seq_file.h",
        &[
            "seq_printf",
            "seq_puts",
            "seq_putc",
            "seq_read",
            "seq_lseek",
            "single_open",
            "single_release",
            "seq_open",
            "seq_release",
        ],
    ),
    (
        "linux/fs.h",
        &[
            "register_chrdev",
            "unregister_chrdev",
            "alloc_chrdev_region",
            "register_chrdev_region",
            "unregister_chrdev_region",
            "filp_open",
            "filp_close",
            "kernel_read",
            "kernel_write",
            "simple_read_from_buffer",
            "file_inode",
        ],
    ),
    (
        "linux/cdev.h",
        &["cdev_init", "cdev_add", "cdev_del", "cdev_alloc"],
    ),
    (
        "linux/device.h",
        &[
            "class_create",
            "class_destroy",
            "device_create",
            "device_destroy",
            "dev_get_drvdata",
        ],
    ),
    (
        "linux/miscdevice.h",
        &["misc_register", "misc_deregister", "MISC_DYNAMIC_MINOR"],
    ),
    (
        "linux/interrupt.h",
        &[
            "request_irq",
            "free_irq",
            "tasklet_init",
            "tasklet_schedule",
            "tasklet_kill",
            "IRQF_SHARED",
        ],
    ),
    (
        "linux/timer.h",
        &[
            "timer_setup",
            "mod_timer",
            "add_timer",
            "del_timer",
            "del_timer_sync",
            "timer_delete_sync",
            "DEFINE_TIMER",
        ],
    ),
    (
        "linux/hrtimer.h",
        &[
            "hrtimer_init",
            "hrtimer_start",
            "hrtimer_cancel",
            "hrtimer_forward_now",
        ],
    ),
    (
        "linux/jiffies.h",
        &[
            "msecs_to_jiffies",
            "jiffies_to_msecs",
            "time_after",
            "time_before",
        ],
    ),
    (
        "linux/ktime.h",
        &[
            "ktime_get",
            "ktime_get_ns",
            "ktime_to_ns",
            "ktime_sub",
            "ktime_get_real_ts64",
        ],
    ),
    (
        "linux/mutex.h",
        &["mutex_lock", "mutex_unlock", "mutex_init", "mutex_trylock"],
    ),
    (
        "linux/spinlock.h",
        &[
            "spin_lock",
            "spin_unlock",
            "spin_lock_init",
            "spin_lock_irqsave",
        ],
    ),
    (
        "linux/semaphore.h",
        &["sema_init", "down_interruptible", "up", "down"],
    ),
    (
        "linux/wait.h",
        &[
            "wait_event",
            "wait_event_interruptible",
            "wake_up",
            "wake_up_interruptible",
            "init_waitqueue_head",
            "DECLARE_WAIT_QUEUE_HEAD",
        ],
    ),
    (
        "linux/completion.h",
        &[
            "init_completion",
            "complete",
            "wait_for_completion",
            "wait_for_completion_interruptible",
        ],
    ),
    (
        "linux/workqueue.h",
        &[
            "schedule_work",
            "queue_work",
            "flush_work",
            "cancel_work_sync",
            "INIT_WORK",
            "create_singlethread_workqueue",
            "alloc_workqueue",
            "destroy_workqueue",
            "schedule_delayed_work",
            "cancel_delayed_work_sync",
        ],
    ),
    (
        "linux/kfifo.h",
        &["kfifo_in", "kfifo_out", "kfifo_alloc", "kfifo_free"],
    ),
    (
        "linux/list.h",
        &["list_add", "list_add_tail", "list_del", "INIT_LIST_HEAD"],
    ),
    (
        "linux/rbtree.h",
        &["rb_insert_color", "rb_erase", "rb_first", "rb_next"],
    ),
    ("linux/random.h", &["get_random_bytes", "get_random_u32"]),
    (
        "linux/kprobes.h",
        &["register_kprobe", "unregister_kprobe", "register_kretprobe"],
    ),
    (
        "linux/kobject.h",
        &[
            "kobject_create_and_add",
            "kobject_put",
            "kobject_init_and_add",
        ],
    ),
    (
        "linux/sysfs.h",
        &[
            "sysfs_create_group",
            "sysfs_create_file",
            "sysfs_remove_group",
        ],
    ),
    (
        "linux/debugfs.h",
        &[
            "debugfs_create_dir",
            "debugfs_create_file",
            "debugfs_remove_recursive",
            "debugfs_create_u32",
        ],
    ),
    (
        "linux/sched/signal.h",
        &[
            "for_each_process",
            "signal_pending",
            "send_sig",
            "allow_signal",
            "next_task",
            "flush_signals",
            "kill_pid",
        ],
    ),
    (
        "linux/sched/task.h",
        &["get_task_struct", "put_task_struct"],
    ),
    ("linux/sched/mm.h", &["get_task_mm", "mmput"]),
    (
        "linux/pid.h",
        &[
            "find_vpid",
            "pid_task",
            "find_get_pid",
            "get_pid_task",
            "put_pid",
        ],
    ),
    (
        "linux/cred.h",
        &["current_uid", "current_cred", "current_euid"],
    ),
    ("linux/poll.h", &["poll_wait"]),
    (
        "linux/gpio.h",
        &[
            "gpio_request",
            "gpio_free",
            "gpio_set_value",
            "gpio_get_value",
            "gpio_direction_output",
            "gpio_direction_input",
        ],
    ),
    (
        "linux/io.h",
        &[
            "ioremap",
            "iounmap",
            "readl",
            "writel",
            "ioread32",
            "iowrite32",
        ],
    ),
    (
        "linux/ioport.h",
        &["request_region", "release_region", "request_mem_region"],
    ),
    (
        "linux/platform_device.h",
        &[
            "platform_driver_register",
            "platform_driver_unregister",
            "platform_device_register_simple",
        ],
    ),
    (
        "linux/netdevice.h",
        &[
            "alloc_netdev",
            "register_netdev",
            "unregister_netdev",
            "free_netdev",
        ],
    ),
    (
        "linux/etherdevice.h",
        &["alloc_etherdev", "ether_setup", "eth_type_trans"],
    ),
    (
        "linux/netfilter.h",
        &["nf_register_net_hook", "nf_unregister_net_hook"],
    ),
    ("linux/ip.h", &["ip_hdr"]),
    ("linux/tcp.h", &["tcp_hdr"]),
    ("linux/udp.h", &["udp_hdr"]),
    (
        "linux/string.h",
        &["strcmp", "strlen", "memcpy", "memset", "kstrdup", "strsep"],
    ),
    (
        "linux/kernel.h",
        &["sprintf", "snprintf", "sscanf", "scnprintf"],
    ),
    (
        "linux/mm.h",
        &["remap_pfn_range", "virt_to_page", "vm_insert_page"],
    ),
    (
        "linux/gfp.h",
        &[
            "alloc_pages",
            "__get_free_page",
            "__get_free_pages",
            "free_page",
            "free_pages",
        ],
    ),
    ("linux/moduleparam.h", &["module_param"]),
    ("linux/utsname.h", &["utsname", "init_utsname"]),
    ("linux/notifier.h", &["atomic_notifier_chain_register"]),
    (
        "linux/reboot.h",
        &["register_reboot_notifier", "unregister_reboot_notifier"],
    ),
    (
        "linux/keyboard.h",
        &["register_keyboard_notifier", "unregister_keyboard_notifier"],
    ),
    (
        "linux/sysctl.h",
        &["register_sysctl", "unregister_sysctl_table"],
    ),
    ("linux/crypto.h", &["crypto_has_alg"]),
    (
        "linux/idr.h",
        &["idr_alloc", "idr_remove", "ida_alloc", "ida_free"],
    ),
    (
        "linux/rwsem.h",
        &[
            "down_read",
            "up_read",
            "down_write",
            "up_write",
            "init_rwsem",
        ],
    ),
];

/// Returns the header that declares a function, macro or type.
pub(crate) fn header_of(name: &str) -> Option<&'static str> {
    let found = INCLUDES.iter().find(|(_, names)| names.contains(&name));
    found.map(|(header, _)| *header)
}
