// SPDX-License-Identifier: GPL-2.0-only

//! The types of the C interface layer.
//!
//! `./koru dev bindings` generates this file from kernel/shim/shim.h.

#[repr(C)]
pub struct completion {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct delayed_work {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct device {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct file {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct file_operations {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct hrtimer {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct inode {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct iov_iter {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct kiocb {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct koru_kprobe {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct lock_class_key {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct miscdevice {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct mutex {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct pid {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct poll_table_struct {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct proc_dir_entry {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct proc_ops {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct pt_regs {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct refcount_struct {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct seq_file {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct spinlock {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct task_struct {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct wait_queue_entry {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct wait_queue_head {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct work_struct {
    _unused: [u8; 0],
}
#[repr(C)]
pub struct workqueue_struct {
    _unused: [u8; 0],
}
pub type koru_open_t = ::core::option::Option<
    unsafe extern "C" fn(inode: *mut inode, file: *mut file) -> crate::ffi::c_int,
>;
pub type koru_read_t = ::core::option::Option<
    unsafe extern "C" fn(
        file: *mut file,
        buf: *mut crate::ffi::c_char,
        len: crate::ffi::c_ulong,
        pos: *mut crate::ffi::c_longlong,
    ) -> crate::ffi::c_long,
>;
pub type koru_write_t = ::core::option::Option<
    unsafe extern "C" fn(
        file: *mut file,
        buf: *const crate::ffi::c_char,
        len: crate::ffi::c_ulong,
        pos: *mut crate::ffi::c_longlong,
    ) -> crate::ffi::c_long,
>;
pub type koru_transfer_t = ::core::option::Option<
    unsafe extern "C" fn(kiocb: *mut kiocb, iov: *mut iov_iter) -> crate::ffi::c_long,
>;
pub type koru_llseek_t = ::core::option::Option<
    unsafe extern "C" fn(
        file: *mut file,
        offset: crate::ffi::c_longlong,
        whence: crate::ffi::c_int,
    ) -> crate::ffi::c_longlong,
>;
pub type koru_ioctl_t = ::core::option::Option<
    unsafe extern "C" fn(
        file: *mut file,
        cmd: crate::ffi::c_uint,
        arg: crate::ffi::c_ulong,
    ) -> crate::ffi::c_long,
>;
pub type koru_show_t = ::core::option::Option<
    unsafe extern "C" fn(
        seq: *mut seq_file,
        v: *mut crate::ffi::c_void,
    ) -> crate::ffi::c_int,
>;
pub type koru_show_fdinfo_t = ::core::option::Option<
    unsafe extern "C" fn(seq: *mut seq_file, file: *mut file),
>;
pub type koru_poll_t = ::core::option::Option<
    unsafe extern "C" fn(
        file: *mut file,
        table: *mut poll_table_struct,
    ) -> crate::ffi::c_uint,
>;
pub type koru_work_t = ::core::option::Option<
    unsafe extern "C" fn(work: *mut work_struct),
>;
pub const HRTIMER_MODE_ABS: hrtimer_mode = 0;
pub const HRTIMER_MODE_REL: hrtimer_mode = 1;
pub const HRTIMER_MODE_PINNED: hrtimer_mode = 2;
pub const HRTIMER_MODE_SOFT: hrtimer_mode = 4;
pub const HRTIMER_MODE_HARD: hrtimer_mode = 8;
pub type hrtimer_mode = crate::ffi::c_uint;
pub const HRTIMER_NORESTART: hrtimer_restart = 0;
pub type hrtimer_restart = crate::ffi::c_uint;
pub type koru_hrtimer_t = ::core::option::Option<
    unsafe extern "C" fn(timer: *mut hrtimer) -> hrtimer_restart,
>;
