// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tasks, threads, locks, waiting, and the module itself.

use crate::api_changes::change::{
    Change, NONE, Rewrite,
    Sign::{Arguments, Header, Incomplete, Member, Name, Statement, Symbol, Types},
    Version,
    When::{Always, Before, Since},
    v,
};

pub(super) const CHANGES: &[Change] = &[
    Change {
        when: Since(v(5, 7)),
        signs: &[
            Symbol("kallsyms_lookup_name"),
            Symbol("kallsyms_on_each_symbol"),
        ],
        what: "modules cannot use `kallsyms_lookup_name`: a kprobe on a function gives its \
               address",
        example: "struct kprobe kp = { .symbol_name = \"function\" };
if (!register_kprobe(&kp)) {
\taddress = kp.addr;
\tunregister_kprobe(&kp);
}",
        ..NONE
    },
    Change {
        when: Always,
        signs: &[Symbol("kernel_thread")],
        what: "modules cannot use `kernel_thread`: `kthread_run` starts a thread, and \
               `kthread_stop` ends it",
        include: "linux/kthread.h",
        example: "task = kthread_run(my_function, data, \"my-thread\");",
        ..NONE
    },
    Change {
        when: Since(v(3, 8)),
        signs: &[Name("daemonize")],
        what: "`daemonize` is gone: a thread that `kthread_run` started needs nothing of the \
               kind",
        example: "task = kthread_run(my_function, data, \"my-thread\");",
        ..NONE
    },
    Change {
        when: Since(v(5, 17)),
        signs: &[Symbol("do_exit")],
        what: "modules cannot use `do_exit`: a kernel thread ends when its function returns",
        example: "return 0;",
        ..NONE
    },
    Change {
        when: Since(v(5, 9)),
        signs: &[Symbol("sched_setscheduler")],
        what: "modules cannot use `sched_setscheduler`: `sched_set_fifo` makes a task a real-time \
               one",
        example: "sched_set_fifo(task);",
        ..NONE
    },
    Change {
        when: Always,
        signs: &[
            Symbol("find_task_by_vpid"),
            Name("find_task_by_pid"),
            Symbol("find_task_by_pid_ns"),
        ],
        what: "modules find a task by `pid_task`, in a section of `rcu_read_lock`",
        example: "task = pid_task(find_vpid(pid), PIDTYPE_PID);",
        ..NONE
    },
    Change {
        when: Always,
        signs: &[Symbol("tasklist_lock")],
        what: "modules cannot use `tasklist_lock`: tasks are walked in a section of \
               `rcu_read_lock`",
        example: "rcu_read_lock();
for_each_process(task) { .. }
rcu_read_unlock();",
        ..NONE
    },
    Change {
        when: Always,
        signs: &[Symbol("sys_call_table")],
        what: "modules cannot use `sys_call_table`: a kprobe or ftrace observes a system call",
        example: "struct kprobe kp = { .symbol_name = \"__x64_sys_openat\" };",
        ..NONE
    },
    Change {
        when: Since(v(4, 19)),
        signs: &[
            Incomplete("struct jprobe"),
            Name("register_jprobe"),
            Name("jprobe_return"),
        ],
        what: "jprobes are gone: a kprobe's `pre_handler` finds the arguments in the registers",
        example: "static int my_handler(struct kprobe *p, struct pt_regs *regs);\t/* regs->di */",
        ..NONE
    },
    Change {
        when: Since(v(5, 14)),
        signs: &[Member("struct task_struct", "state")],
        what: "a task's `state` is called `__state`; `task_state_to_char` gives the letter that \
               `ps` prints",
        rewrites: &[Rewrite::Member("state", "__state")],
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 29)),
        signs: &[
            Member("struct task_struct", "uid"),
            Member("struct task_struct", "euid"),
            Member("struct task_struct", "gid"),
            Member("struct task_struct", "egid"),
        ],
        what: "a task's ids are in its credentials",
        example: "uid_t uid = from_kuid(&init_user_ns, task_uid(task));",
        ..NONE
    },
    Change {
        when: Always,
        signs: &[
            Statement("current_uid"),
            Statement("current_euid"),
            Statement("task_uid"),
        ],
        what: "a user id is a `kuid_t`, which `from_kuid` turns into a number",
        include: "linux/uidgid.h",
        example: "uid_t uid = from_kuid(&init_user_ns, current_uid());",
        ..NONE
    },
    Change {
        when: Since(v(4, 20)),
        signs: &[Types("struct kernel_siginfo *", "struct siginfo *")],
        what: "functions that send signals take a `struct kernel_siginfo`",
        example: "struct kernel_siginfo info;",
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 39)),
        signs: &[
            Header("linux/smp_lock.h"),
            Name("lock_kernel"),
            Name("unlock_kernel"),
        ],
        what: "the big kernel lock is gone: a module protects its data by a mutex of its own",
        example: "static DEFINE_MUTEX(my_mutex);\t/* mutex_lock(&my_mutex); */",
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 39)),
        signs: &[Name("SPIN_LOCK_UNLOCKED"), Name("RW_LOCK_UNLOCKED")],
        what: "`SPIN_LOCK_UNLOCKED` is gone: a macro defines a lock, or `spin_lock_init` \
               initialises it",
        example: "static DEFINE_SPINLOCK(my_lock);",
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 37)),
        signs: &[Name("init_MUTEX")],
        what: "`init_MUTEX` is gone: `sema_init` takes the count",
        rewrites: &[Rewrite::Call("init_MUTEX", 1, "sema_init($1, 1)")],
        include: "linux/semaphore.h",
        ..NONE
    },
    Change {
        when: Since(v(6, 4)),
        signs: &[Statement("DECLARE_MUTEX")],
        what: "`DECLARE_MUTEX` is gone: `DEFINE_SEMAPHORE` takes the count",
        rewrites: &[Rewrite::Call("DECLARE_MUTEX", 1, "DEFINE_SEMAPHORE($1, 1)")],
        include: "linux/semaphore.h",
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 37)),
        signs: &[Statement("DECLARE_MUTEX")],
        what: "`DECLARE_MUTEX` is called `DEFINE_SEMAPHORE`",
        rewrites: &[Rewrite::Words(&[("DECLARE_MUTEX", "DEFINE_SEMAPHORE")])],
        include: "linux/semaphore.h",
        ..NONE
    },
    Change {
        when: Since(v(6, 4)),
        signs: &[Arguments("DEFINE_SEMAPHORE")],
        what: "`DEFINE_SEMAPHORE` takes the count",
        rewrites: &[Rewrite::Call(
            "DEFINE_SEMAPHORE",
            1,
            "DEFINE_SEMAPHORE($1, 1)",
        )],
        ..NONE
    },
    Change {
        when: Before(v(6, 4)),
        signs: &[Arguments("DEFINE_SEMAPHORE")],
        what: "`DEFINE_SEMAPHORE` takes the name only; the count is 1",
        rewrites: &[Rewrite::Call("DEFINE_SEMAPHORE", 2, "DEFINE_SEMAPHORE($1)")],
        ..NONE
    },
    Change {
        when: Since(v(3, 15)),
        signs: &[
            Name("sleep_on"),
            Name("interruptible_sleep_on"),
            Name("sleep_on_timeout"),
            Name("interruptible_sleep_on_timeout"),
        ],
        what: "`interruptible_sleep_on` is gone, because it could miss a wake-up: \
               `wait_event_interruptible` takes the condition",
        example: "if (wait_event_interruptible(my_queue, my_condition))
\treturn -ERESTARTSYS;",
        ..NONE
    },
    Change {
        when: Since(v(3, 9)),
        signs: &[
            Arguments("hlist_for_each_entry"),
            Arguments("hlist_for_each_entry_safe"),
        ],
        what: "`hlist_for_each_entry` needs no variable for the node",
        rewrites: &[
            Rewrite::Call(
                "hlist_for_each_entry",
                4,
                "hlist_for_each_entry($1, $3, $4)",
            ),
            Rewrite::Call(
                "hlist_for_each_entry_safe",
                5,
                "hlist_for_each_entry_safe($1, $3, $4, $5)",
            ),
        ],
        ..NONE
    },
    Change {
        when: Since(v(4, 10)),
        signs: &[
            Name("register_cpu_notifier"),
            Name("register_hotcpu_notifier"),
        ],
        what: "notifiers of processors are gone: `cpuhp_setup_state` takes a function for each \
               direction",
        example: "cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, \"my:online\", my_online, my_offline);",
        ..NONE
    },
    Change {
        when: Always,
        signs: &[Name("MOD_INC_USE_COUNT"), Name("MOD_DEC_USE_COUNT")],
        what: "the kernel counts the users of a module, if `owner` is set",
        example: ".owner = THIS_MODULE,",
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 17)),
        signs: &[Statement("MODULE_PARM")],
        what: "`MODULE_PARM` is gone: `module_param` takes the type and the mode of the file in \
               /sys",
        example: "module_param(my_number, int, 0444);",
        ..NONE
    },
    Change {
        when: Since(v(3, 8)),
        signs: &[
            Statement("__devinit"),
            Statement("__devexit"),
            Statement("__devinitdata"),
            Name("__devexit_p"),
        ],
        what: "`__devinit`, `__devexit` and `__devexit_p` are gone",
        rewrites: &[
            Rewrite::Call("__devexit_p", 1, "$1"),
            Rewrite::Words(&[("__devinit", ""), ("__devexit", ""), ("__devinitdata", "")]),
        ],
        ..NONE
    },
];
