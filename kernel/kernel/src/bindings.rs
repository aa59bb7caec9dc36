// SPDX-License-Identifier: GPL-2.0-only
//
// Made from kernel/shim/shim.h by `./koru bindings`.

pub const KORU_PRINT_CONT: i32 = 8;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct koru_proc_calls {
    pub show: ::core::option::Option<
        unsafe extern "C" fn(
            seq: *mut crate::ffi::c_void,
            entry_data: *mut crate::ffi::c_void,
        ) -> crate::ffi::c_int,
    >,
    pub open: ::core::option::Option<
        unsafe extern "C" fn(
            file: *mut crate::ffi::c_void,
            entry_data: *mut crate::ffi::c_void,
            open_data: *mut *mut crate::ffi::c_void,
        ) -> crate::ffi::c_int,
    >,
    pub release: ::core::option::Option<
        unsafe extern "C" fn(
            file: *mut crate::ffi::c_void,
            entry_data: *mut crate::ffi::c_void,
            open_data: *mut crate::ffi::c_void,
        ),
    >,
    pub read: ::core::option::Option<
        unsafe extern "C" fn(
            file: *mut crate::ffi::c_void,
            entry_data: *mut crate::ffi::c_void,
            open_data: *mut crate::ffi::c_void,
            buf: crate::ffi::c_ulong,
            len: crate::ffi::c_ulong,
            pos: *mut crate::ffi::c_longlong,
        ) -> crate::ffi::c_long,
    >,
    pub write: ::core::option::Option<
        unsafe extern "C" fn(
            file: *mut crate::ffi::c_void,
            entry_data: *mut crate::ffi::c_void,
            open_data: *mut crate::ffi::c_void,
            buf: crate::ffi::c_ulong,
            len: crate::ffi::c_ulong,
            pos: *mut crate::ffi::c_longlong,
        ) -> crate::ffi::c_long,
    >,
    pub lseek: ::core::option::Option<
        unsafe extern "C" fn(
            file: *mut crate::ffi::c_void,
            entry_data: *mut crate::ffi::c_void,
            open_data: *mut crate::ffi::c_void,
            offset: crate::ffi::c_longlong,
            whence: crate::ffi::c_int,
        ) -> crate::ffi::c_longlong,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of koru_proc_calls"][::core::mem::size_of::<koru_proc_calls>() - 48usize];
    [
        "Alignment of koru_proc_calls",
    ][::core::mem::align_of::<koru_proc_calls>() - 8usize];
    [
        "Offset of field: koru_proc_calls::show",
    ][::core::mem::offset_of!(koru_proc_calls, show) - 0usize];
    [
        "Offset of field: koru_proc_calls::open",
    ][::core::mem::offset_of!(koru_proc_calls, open) - 8usize];
    [
        "Offset of field: koru_proc_calls::release",
    ][::core::mem::offset_of!(koru_proc_calls, release) - 16usize];
    [
        "Offset of field: koru_proc_calls::read",
    ][::core::mem::offset_of!(koru_proc_calls, read) - 24usize];
    [
        "Offset of field: koru_proc_calls::write",
    ][::core::mem::offset_of!(koru_proc_calls, write) - 32usize];
    [
        "Offset of field: koru_proc_calls::lseek",
    ][::core::mem::offset_of!(koru_proc_calls, lseek) - 40usize];
};
unsafe extern "C" {
    pub fn koru_print(
        level: crate::ffi::c_int,
        text: *const crate::ffi::c_char,
        len: crate::ffi::c_ulong,
    );
    pub fn koru_bug() -> !;
    pub fn koru_module_name() -> *const crate::ffi::c_char;
    pub fn koru_fault_null();
    pub fn koru_fault_warn();
    pub fn koru_kmalloc(
        size: crate::ffi::c_ulong,
        flags: crate::ffi::c_uint,
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
    pub fn koru_refcount_warn(
        refcount: *mut crate::ffi::c_void,
        kind: crate::ffi::c_int,
    );
    pub fn koru_mutex_init(
        lock: *mut crate::ffi::c_void,
        name: *const crate::ffi::c_char,
        key: *mut crate::ffi::c_void,
    );
    pub fn koru_mutex_lock(lock: *mut crate::ffi::c_void);
    pub fn koru_mutex_trylock(lock: *mut crate::ffi::c_void) -> crate::ffi::c_int;
    pub fn koru_mutex_unlock(lock: *mut crate::ffi::c_void);
    pub fn koru_spin_init(
        lock: *mut crate::ffi::c_void,
        name: *const crate::ffi::c_char,
        key: *mut crate::ffi::c_void,
    );
    pub fn koru_spin_lock(lock: *mut crate::ffi::c_void);
    pub fn koru_spin_trylock(lock: *mut crate::ffi::c_void) -> crate::ffi::c_int;
    pub fn koru_spin_unlock(lock: *mut crate::ffi::c_void);
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
    pub fn koru_strncpy_from_user(
        to: *mut crate::ffi::c_char,
        from: crate::ffi::c_ulong,
        len: crate::ffi::c_long,
    ) -> crate::ffi::c_long;
    pub fn koru_ktime_get() -> crate::ffi::c_longlong;
    pub fn koru_ktime_get_real() -> crate::ffi::c_longlong;
    pub fn koru_ktime_get_boottime() -> crate::ffi::c_longlong;
    pub fn koru_ktime_get_tai() -> crate::ffi::c_longlong;
    pub fn koru_jiffies() -> crate::ffi::c_ulong;
    pub fn koru_jiffies64() -> crate::ffi::c_ulonglong;
    pub fn koru_msecs_to_jiffies(ms: crate::ffi::c_uint) -> crate::ffi::c_ulong;
    pub fn koru_jiffies_to_msecs(j: crate::ffi::c_ulong) -> crate::ffi::c_uint;
    pub fn koru_fsleep(us: crate::ffi::c_ulong);
    pub fn koru_udelay(us: crate::ffi::c_ulong);
    pub fn koru_current() -> *mut crate::ffi::c_void;
    pub fn koru_task_pid(task: *const crate::ffi::c_void) -> crate::ffi::c_int;
    pub fn koru_task_tgid(task: *const crate::ffi::c_void) -> crate::ffi::c_int;
    pub fn koru_signal_pending(task: *mut crate::ffi::c_void) -> crate::ffi::c_int;
    pub fn koru_might_sleep(file: *const crate::ffi::c_char, line: crate::ffi::c_int);
    pub fn koru_wait_queue_init(
        queue: *mut crate::ffi::c_void,
        name: *const crate::ffi::c_char,
        key: *mut crate::ffi::c_void,
    );
    pub fn koru_wait_prepare(
        queue: *mut crate::ffi::c_void,
        entry: *mut crate::ffi::c_void,
        state: crate::ffi::c_int,
    );
    pub fn koru_wait_sleep(
        timeout: crate::ffi::c_long,
        kthread: crate::ffi::c_int,
    ) -> crate::ffi::c_long;
    pub fn koru_wait_finish(
        queue: *mut crate::ffi::c_void,
        entry: *mut crate::ffi::c_void,
    );
    pub fn koru_wake_up(
        queue: *mut crate::ffi::c_void,
        count: crate::ffi::c_int,
        sync: crate::ffi::c_int,
    );
    pub fn koru_completion_init(completion: *mut crate::ffi::c_void);
    pub fn koru_complete_all(completion: *mut crate::ffi::c_void);
    pub fn koru_wait_for_completion(completion: *mut crate::ffi::c_void);
    pub fn koru_kthread_spawn(
        run: ::core::option::Option<
            unsafe extern "C" fn(data: *mut crate::ffi::c_void) -> crate::ffi::c_int,
        >,
        data: *mut crate::ffi::c_void,
        name: *const crate::ffi::c_char,
    ) -> *mut crate::ffi::c_void;
    pub fn koru_kthread_stop(task: *mut crate::ffi::c_void);
    pub fn koru_kthread_should_stop() -> crate::ffi::c_int;
    pub fn koru_kthread_sleep(ticks: crate::ffi::c_ulong);
    pub fn koru_kprobe_register(
        probe: *mut crate::ffi::c_void,
        symbol: *const crate::ffi::c_char,
        hit: ::core::option::Option<
            unsafe extern "C" fn(
                data: *mut crate::ffi::c_void,
                regs: *const crate::ffi::c_void,
            ),
        >,
        data: *mut crate::ffi::c_void,
    ) -> crate::ffi::c_int;
    pub fn koru_kprobe_unregister(probe: *mut crate::ffi::c_void);
    pub fn koru_kprobe_missed(probe: *const crate::ffi::c_void) -> crate::ffi::c_ulong;
    pub fn koru_regs_argument(
        regs: *const crate::ffi::c_void,
        n: crate::ffi::c_uint,
    ) -> crate::ffi::c_ulong;
    pub fn koru_task_process(task: *mut crate::ffi::c_void) -> *mut crate::ffi::c_void;
    pub fn koru_task_belongs_to(
        task: *mut crate::ffi::c_void,
        pid: *const crate::ffi::c_void,
    ) -> crate::ffi::c_int;
    pub fn koru_get_pid(pid: *mut crate::ffi::c_void);
    pub fn koru_put_pid(pid: *mut crate::ffi::c_void);
    pub fn koru_pid_nr(pid: *mut crate::ffi::c_void) -> crate::ffi::c_int;
    pub fn koru_gcd(
        a: crate::ffi::c_ulong,
        b: crate::ffi::c_ulong,
    ) -> crate::ffi::c_ulong;
    pub fn koru_file_flags(file: *const crate::ffi::c_void) -> crate::ffi::c_uint;
    pub fn koru_file_pos(file: *const crate::ffi::c_void) -> crate::ffi::c_longlong;
    pub fn koru_file_set_pos(
        file: *mut crate::ffi::c_void,
        pos: crate::ffi::c_longlong,
    ) -> crate::ffi::c_longlong;
    pub fn koru_file_private(file: *const crate::ffi::c_void) -> *mut crate::ffi::c_void;
    pub fn koru_file_set_private(
        file: *mut crate::ffi::c_void,
        data: *mut crate::ffi::c_void,
    );
    pub fn koru_kiocb_file(kiocb: *const crate::ffi::c_void) -> *mut crate::ffi::c_void;
    pub fn koru_kiocb_pos(kiocb: *mut crate::ffi::c_void) -> *mut crate::ffi::c_longlong;
    pub fn koru_iov_len(iov: *const crate::ffi::c_void) -> crate::ffi::c_ulong;
    pub fn koru_iov_advance(iov: *mut crate::ffi::c_void, len: crate::ffi::c_ulong);
    pub fn koru_iov_revert(iov: *mut crate::ffi::c_void, len: crate::ffi::c_ulong);
    pub fn koru_copy_to_iter(
        from: *const crate::ffi::c_void,
        len: crate::ffi::c_ulong,
        iov: *mut crate::ffi::c_void,
    ) -> crate::ffi::c_ulong;
    pub fn koru_copy_from_iter(
        to: *mut crate::ffi::c_void,
        len: crate::ffi::c_ulong,
        iov: *mut crate::ffi::c_void,
    ) -> crate::ffi::c_ulong;
    pub fn koru_dev_print(
        level: crate::ffi::c_int,
        dev: *const crate::ffi::c_void,
        text: *const crate::ffi::c_char,
        len: crate::ffi::c_ulong,
    );
    pub fn koru_dev_name(dev: *const crate::ffi::c_void) -> *const crate::ffi::c_char;
    pub fn koru_get_device(dev: *mut crate::ffi::c_void);
    pub fn koru_put_device(dev: *mut crate::ffi::c_void);
    pub fn koru_misc_register(
        misc: *mut crate::ffi::c_void,
        name: *const crate::ffi::c_char,
        mode: crate::ffi::c_uint,
        fops: *const crate::ffi::c_void,
    ) -> crate::ffi::c_int;
    pub fn koru_misc_deregister(misc: *mut crate::ffi::c_void);
    pub fn koru_misc_device(misc: *const crate::ffi::c_void) -> *mut crate::ffi::c_void;
    pub fn koru_misc_may_open(
        inode: *const crate::ffi::c_void,
        file: *mut crate::ffi::c_void,
    ) -> crate::ffi::c_int;
    pub fn koru_misc_compat_ptr_ioctl(
        file: *mut crate::ffi::c_void,
        cmd: crate::ffi::c_uint,
        arg: crate::ffi::c_ulong,
    ) -> crate::ffi::c_long;
    pub fn koru_seq_write(
        seq: *mut crate::ffi::c_void,
        text: *const crate::ffi::c_char,
        len: crate::ffi::c_ulong,
    ) -> crate::ffi::c_int;
    pub fn koru_proc_create(
        name: *const crate::ffi::c_char,
        mode: crate::ffi::c_uint,
        size_hint: crate::ffi::c_ulong,
        calls: *const koru_proc_calls,
        entry_data: *mut crate::ffi::c_void,
    ) -> *mut crate::ffi::c_void;
    pub fn koru_proc_remove(entry: *mut crate::ffi::c_void);
}
