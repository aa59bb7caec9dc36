// SPDX-License-Identifier: GPL-2.0-only

//! The functions of the C interface layer.
//!
//! `./koru dev bindings` generates this file from kernel/shim/shim.h.

mod types;

pub use types::*;

unsafe extern "C" {
    pub fn koru_print(
        format: *const crate::ffi::c_char,
        len: crate::ffi::c_int,
        text: *const crate::ffi::c_char,
    );
    pub fn koru_warn_no_errno(number: crate::ffi::c_int);
    pub fn koru_hash_pointer(
        text: *mut crate::ffi::c_char,
        size: crate::ffi::c_ulong,
        address: crate::ffi::c_ulong,
    ) -> crate::ffi::c_ulong;
    pub fn koru_bug() -> !;
    pub fn koru_module_name() -> *const crate::ffi::c_char;
    pub fn koru_fault_null();
    pub fn koru_fault_warn();
    pub fn koru_kmalloc(
        size: crate::ffi::c_ulong,
        flags: crate::ffi::c_uint,
    ) -> *mut crate::ffi::c_void;
    pub fn koru_kmalloc_cached(
        size: crate::ffi::c_ulong,
        index: crate::ffi::c_uint,
    ) -> *mut crate::ffi::c_void;
    pub fn koru_kmalloc_account_cached(
        size: crate::ffi::c_ulong,
        index: crate::ffi::c_uint,
    ) -> *mut crate::ffi::c_void;
    pub fn koru_krealloc(
        p: *const crate::ffi::c_void,
        size: crate::ffi::c_ulong,
        flags: crate::ffi::c_uint,
    ) -> *mut crate::ffi::c_void;
    pub fn koru_kfree(p: *const crate::ffi::c_void);
    pub fn koru_vmalloc(
        size: crate::ffi::c_ulong,
        flags: crate::ffi::c_uint,
    ) -> *mut crate::ffi::c_void;
    pub fn koru_vfree(p: *const crate::ffi::c_void);
    pub fn koru_kvmalloc(
        size: crate::ffi::c_ulong,
        flags: crate::ffi::c_uint,
    ) -> *mut crate::ffi::c_void;
    pub fn koru_kvfree(p: *const crate::ffi::c_void);
    pub fn koru_refcount_warn(refcount: *mut refcount_struct, kind: crate::ffi::c_int);
    pub fn koru_mutex_init(
        lock: *mut mutex,
        name: *const crate::ffi::c_char,
        key: *mut lock_class_key,
    );
    pub fn koru_mutex_lock(lock: *mut mutex);
    pub fn koru_mutex_trylock(lock: *mut mutex) -> crate::ffi::c_int;
    pub fn koru_mutex_unlock(lock: *mut mutex);
    pub fn koru_spin_init(
        lock: *mut spinlock,
        name: *const crate::ffi::c_char,
        key: *mut lock_class_key,
    );
    pub fn koru_spin_lock(lock: *mut spinlock);
    pub fn koru_spin_trylock(lock: *mut spinlock) -> crate::ffi::c_int;
    pub fn koru_spin_unlock(lock: *mut spinlock);
    pub fn koru_rcu_read_lock();
    pub fn koru_rcu_read_unlock();
    pub fn koru_copy_from_user(
        to: *mut crate::ffi::c_void,
        from: crate::ffi::c_ulong,
        len: crate::ffi::c_ulong,
    ) -> crate::ffi::c_ulong;
    pub fn koru_copy_to_user(
        to: crate::ffi::c_ulong,
        from: *const crate::ffi::c_void,
        len: crate::ffi::c_ulong,
    ) -> crate::ffi::c_ulong;
    pub fn koru_copy_value_from_user(
        to: *mut crate::ffi::c_void,
        from: crate::ffi::c_ulong,
        len: crate::ffi::c_ulong,
    ) -> crate::ffi::c_ulong;
    pub fn koru_copy_value_to_user(
        to: crate::ffi::c_ulong,
        from: *const crate::ffi::c_void,
        len: crate::ffi::c_ulong,
    ) -> crate::ffi::c_ulong;
    pub fn koru_strncpy_from_user(
        to: *mut crate::ffi::c_char,
        from: crate::ffi::c_ulong,
        len: crate::ffi::c_long,
    ) -> crate::ffi::c_long;
    pub fn koru_ktime_get() -> crate::ffi::c_longlong;
    pub fn koru_ktime_get_real() -> crate::ffi::c_longlong;
    pub fn koru_ktime_get_boottime() -> crate::ffi::c_longlong;
    pub fn koru_ktime_get_tai() -> crate::ffi::c_longlong;
    pub fn koru_ktime_get_mono_fast() -> crate::ffi::c_ulonglong;
    pub fn koru_jiffies() -> crate::ffi::c_ulong;
    pub fn koru_jiffies64() -> crate::ffi::c_ulonglong;
    pub fn koru_msecs_to_jiffies(ms: crate::ffi::c_uint) -> crate::ffi::c_ulong;
    pub fn koru_jiffies_to_msecs(j: crate::ffi::c_ulong) -> crate::ffi::c_uint;
    pub fn koru_fsleep(us: crate::ffi::c_ulong);
    pub fn koru_udelay(us: crate::ffi::c_ulong);
    pub fn koru_current() -> *mut task_struct;
    pub fn koru_smp_processor_id() -> crate::ffi::c_uint;
    pub fn koru_task_pid(task: *const task_struct) -> crate::ffi::c_int;
    pub fn koru_task_tgid(task: *const task_struct) -> crate::ffi::c_int;
    pub fn koru_signal_pending(task: *mut task_struct) -> crate::ffi::c_int;
    pub fn koru_cond_resched();
    pub fn koru_might_sleep(file: *const crate::ffi::c_char, line: crate::ffi::c_int);
    pub fn koru_get_task(task: *mut task_struct);
    pub fn koru_put_task(task: *mut task_struct);
    pub fn koru_task_group_leader(task: *mut task_struct) -> *mut task_struct;
    pub fn koru_wake_up_process(task: *mut task_struct) -> crate::ffi::c_int;
    pub fn koru_task_uid(task: *mut task_struct) -> crate::ffi::c_uint;
    pub fn koru_task_euid(task: *mut task_struct) -> crate::ffi::c_uint;
    pub fn koru_uid_in_current_ns(uid: crate::ffi::c_uint) -> crate::ffi::c_uint;
    pub fn koru_wait_queue_init(
        queue: *mut wait_queue_head,
        name: *const crate::ffi::c_char,
        key: *mut lock_class_key,
    );
    pub fn koru_wait_prepare(
        queue: *mut wait_queue_head,
        entry: *mut wait_queue_entry,
        state: crate::ffi::c_int,
    );
    pub fn koru_wait_sleep(timeout: crate::ffi::c_long) -> crate::ffi::c_long;
    pub fn koru_wait_finish(
        queue: *mut wait_queue_head,
        entry: *mut wait_queue_entry,
    ) -> crate::ffi::c_int;
    pub fn koru_wake_up(
        queue: *mut wait_queue_head,
        count: crate::ffi::c_int,
        sync: crate::ffi::c_int,
    );
    pub fn koru_completion_init(completion: *mut completion);
    pub fn koru_complete_all(completion: *mut completion);
    pub fn koru_wait_for_completion(completion: *mut completion);
    pub fn koru_poll_waits(table: *const poll_table_struct) -> crate::ffi::c_int;
    pub fn koru_poll_keep(
        file: *const file,
        owner: *const crate::ffi::c_void,
    ) -> crate::ffi::c_int;
    pub fn koru_poll_unkeep(file: *const file) -> *const crate::ffi::c_void;
    pub fn koru_poll_wait(
        file: *mut file,
        queue: *mut wait_queue_head,
        table: *mut poll_table_struct,
    );
    pub fn koru_kthread_run(
        run: ::core::option::Option<
            unsafe extern "C" fn(data: *mut crate::ffi::c_void) -> crate::ffi::c_int,
        >,
        data: *mut crate::ffi::c_void,
        name: *const crate::ffi::c_char,
    ) -> *mut task_struct;
    pub fn koru_kthread_stop(task: *mut task_struct);
    pub fn koru_kthread_should_stop() -> crate::ffi::c_int;
    pub fn koru_kthread_sleep(ticks: crate::ffi::c_ulong);
    pub fn koru_kthread_exit_detached() -> !;
    pub fn koru_report_wait_for_itself(what: *const crate::ffi::c_char) -> !;
    pub fn koru_wait_until_unregistered(errno: crate::ffi::c_int);
    pub fn koru_kprobe_register(
        probe: *mut koru_kprobe,
        symbol: *const crate::ffi::c_char,
        handler: ::core::option::Option<
            unsafe extern "C" fn(data: *mut crate::ffi::c_void, regs: *const pt_regs),
        >,
        data: *mut crate::ffi::c_void,
    ) -> crate::ffi::c_int;
    pub fn koru_kprobe_unregister(probe: *mut koru_kprobe);
    pub fn koru_kprobe_missed(probe: *const koru_kprobe) -> crate::ffi::c_ulong;
    pub fn koru_regs_argument(
        regs: *const pt_regs,
        n: crate::ffi::c_uint,
    ) -> crate::ffi::c_ulong;
    pub fn koru_task_process(task: *mut task_struct) -> *mut pid;
    pub fn koru_task_belongs_to(
        task: *mut task_struct,
        pid: *const pid,
    ) -> crate::ffi::c_int;
    pub fn koru_current_belongs_to(pid: *const pid) -> crate::ffi::c_int;
    pub fn koru_get_pid(pid: *mut pid);
    pub fn koru_put_pid(pid: *mut pid);
    pub fn koru_pid_nr(pid: *mut pid) -> crate::ffi::c_int;
    pub fn koru_pid_id(pid: *const pid) -> crate::ffi::c_ulong;
    pub fn koru_work_init(
        work: *mut work_struct,
        run: koru_work_t,
        name: *const crate::ffi::c_char,
        key: *mut lock_class_key,
    );
    pub fn koru_delayed_work_init(
        work: *mut delayed_work,
        run: koru_work_t,
        name: *const crate::ffi::c_char,
        key: *mut lock_class_key,
    );
    pub fn koru_system_queue(which: crate::ffi::c_int) -> *mut workqueue_struct;
    pub fn queue_work_on(
        cpu: crate::ffi::c_int,
        queue: *mut workqueue_struct,
        work: *mut work_struct,
    ) -> bool;
    pub fn queue_delayed_work_on(
        cpu: crate::ffi::c_int,
        queue: *mut workqueue_struct,
        work: *mut delayed_work,
        delay: crate::ffi::c_ulong,
    ) -> bool;
    pub fn koru_hrtimer_setup(
        timer: *mut hrtimer,
        run: koru_hrtimer_t,
        clock: crate::ffi::c_int,
        mode: hrtimer_mode,
    );
    pub fn koru_hrtimer_destroy(timer: *mut hrtimer);
    pub fn hrtimer_start_range_ns(
        timer: *mut hrtimer,
        tim: crate::ffi::c_longlong,
        range_ns: crate::ffi::c_ulonglong,
        mode: hrtimer_mode,
    );
    pub fn hrtimer_cancel(timer: *mut hrtimer) -> crate::ffi::c_int;
    pub fn hrtimer_forward(
        timer: *mut hrtimer,
        now: crate::ffi::c_longlong,
        interval: crate::ffi::c_longlong,
    ) -> crate::ffi::c_ulonglong;
    pub fn koru_gcd(
        a: crate::ffi::c_ulong,
        b: crate::ffi::c_ulong,
    ) -> crate::ffi::c_ulong;
    pub fn koru_file_flags(file: *const file) -> crate::ffi::c_uint;
    pub fn koru_file_pos(file: *const file) -> crate::ffi::c_longlong;
    pub fn koru_file_set_pos(
        file: *mut file,
        pos: crate::ffi::c_longlong,
    ) -> crate::ffi::c_longlong;
    pub fn koru_iov_len(iov: *const iov_iter) -> crate::ffi::c_ulong;
    pub fn koru_iov_advance(iov: *mut iov_iter, len: crate::ffi::c_ulong);
    pub fn koru_iov_revert(iov: *mut iov_iter, len: crate::ffi::c_ulong);
    pub fn koru_copy_to_iter(
        from: *const crate::ffi::c_void,
        len: crate::ffi::c_ulong,
        iov: *mut iov_iter,
    ) -> crate::ffi::c_ulong;
    pub fn koru_copy_to_iter_nofault(
        from: *const crate::ffi::c_void,
        len: crate::ffi::c_ulong,
        iov: *mut iov_iter,
    ) -> crate::ffi::c_ulong;
    pub fn koru_copy_from_iter(
        to: *mut crate::ffi::c_void,
        len: crate::ffi::c_ulong,
        iov: *mut iov_iter,
    ) -> crate::ffi::c_ulong;
    pub fn koru_dev_print(
        level: crate::ffi::c_int,
        dev: *const device,
        text: *const crate::ffi::c_char,
        len: crate::ffi::c_ulong,
    );
    pub fn koru_dev_name(dev: *const device) -> *const crate::ffi::c_char;
    pub fn koru_get_device(dev: *mut device);
    pub fn koru_put_device(dev: *mut device);
    pub fn koru_faux_create(
        name: *const crate::ffi::c_char,
        parent: *mut device,
    ) -> *mut device;
    pub fn koru_faux_destroy(dev: *mut device);
    pub fn koru_misc_register(
        misc: *mut miscdevice,
        name: *const crate::ffi::c_char,
        mode: crate::ffi::c_uint,
        fops: *const file_operations,
    ) -> crate::ffi::c_int;
    pub fn koru_misc_deregister(misc: *mut miscdevice);
    pub fn koru_misc_device(misc: *const miscdevice) -> *mut device;
    pub fn koru_misc_refuse_open_during_init(
        inode: *const inode,
        file: *mut file,
    ) -> crate::ffi::c_int;
    pub fn koru_misc_compat_ptr_ioctl(
        file: *mut file,
        cmd: crate::ffi::c_uint,
        arg: crate::ffi::c_ulong,
    ) -> crate::ffi::c_long;
    pub fn single_open(
        file: *mut file,
        show: koru_show_t,
        data: *mut crate::ffi::c_void,
    ) -> crate::ffi::c_int;
    pub fn single_open_size(
        file: *mut file,
        show: koru_show_t,
        data: *mut crate::ffi::c_void,
        size: crate::ffi::c_ulong,
    ) -> crate::ffi::c_int;
    pub fn single_release(inode: *mut inode, file: *mut file) -> crate::ffi::c_int;
    pub fn seq_read_iter(kiocb: *mut kiocb, iov: *mut iov_iter) -> crate::ffi::c_long;
    pub fn seq_lseek(
        file: *mut file,
        offset: crate::ffi::c_longlong,
        whence: crate::ffi::c_int,
    ) -> crate::ffi::c_longlong;
    pub fn seq_write(
        seq: *mut seq_file,
        data: *const crate::ffi::c_void,
        len: crate::ffi::c_ulong,
    ) -> crate::ffi::c_int;
    pub fn default_llseek(
        file: *mut file,
        offset: crate::ffi::c_longlong,
        whence: crate::ffi::c_int,
    ) -> crate::ffi::c_longlong;
    pub fn koru_proc_create(
        name: *const crate::ffi::c_char,
        mode: crate::ffi::c_uint,
        ops: *const proc_ops,
        data: *mut crate::ffi::c_void,
    ) -> *mut proc_dir_entry;
    pub fn koru_proc_remove(entry: *mut proc_dir_entry, name: *const crate::ffi::c_char);
    pub fn koru_proc_data(inode: *const inode) -> *mut crate::ffi::c_void;
}
