/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the Rust side may call. Plain C types only: this file is read by the
 * kernel's compiler (through the .c files beside it) and by bindgen, and must
 * mean the same on every kernel.
 *
 * Kernel objects are `void *` here; the Rust side gives each its own type.
 * Every function that may fail returns a negative errno or an ERR_PTR().
 */
#ifndef KORU_SHIM_H
#define KORU_SHIM_H

/* print.c: one call, one record. `level` is 0..=7, or KORU_PRINT_CONT. */
#define KORU_PRINT_CONT 8
void koru_print(int level, const char *text, unsigned long len);

/* bug.c */
void koru_bug(void) __attribute__((noreturn));
const char *koru_module_name(void);

/* fault.c: on purpose */
void koru_fault_null(void);
void koru_fault_warn(void);

/* alloc.c: NULL on failure, and no WARN for absurd sizes. */
void *koru_kmalloc(unsigned long size, unsigned int flags);
void *koru_krealloc(const void *p, unsigned long size, unsigned int flags);
void koru_kfree(const void *p);
void *koru_vmalloc(unsigned long size, unsigned int flags);
void koru_vfree(const void *p);
void *koru_kvmalloc(unsigned long size, unsigned int flags);
void koru_kvfree(const void *p);

/* sync.c */
void koru_refcount_warn(void *refcount, int kind);
void koru_mutex_init(void *lock, const char *name, void *key);
void koru_mutex_lock(void *lock);
int koru_mutex_trylock(void *lock);
void koru_mutex_unlock(void *lock);
void koru_spin_init(void *lock, const char *name, void *key);
void koru_spin_lock(void *lock);
int koru_spin_trylock(void *lock);
void koru_spin_unlock(void *lock);

/* uaccess.c: the number of bytes that could NOT be copied. */
unsigned long koru_copy_from_user(void *to, unsigned long from, unsigned long len);
unsigned long koru_copy_to_user(unsigned long to, const void *from, unsigned long len);
long koru_strncpy_from_user(char *to, unsigned long from, long len);

/* time.c: nanoseconds. */
long long koru_ktime_get(void);
long long koru_ktime_get_real(void);
long long koru_ktime_get_boottime(void);
long long koru_ktime_get_tai(void);
unsigned long koru_jiffies(void);
unsigned long long koru_jiffies64(void);
unsigned long koru_msecs_to_jiffies(unsigned int ms);
unsigned int koru_jiffies_to_msecs(unsigned long j);
void koru_fsleep(unsigned long us);
void koru_udelay(unsigned long us);

/* task.c */
void *koru_current(void);
int koru_task_pid(const void *task);
int koru_task_tgid(const void *task);
int koru_signal_pending(void *task);
void koru_might_sleep(const char *file, int line);

/* wait.c: timeouts and results in ticks; `count` 0 wakes all. */
void koru_wait_queue_init(void *queue, const char *name, void *key);
void koru_wait_prepare(void *queue, void *entry, int state);
long koru_wait_sleep(long timeout, int kthread);
void koru_wait_finish(void *queue, void *entry);
void koru_wake_up(void *queue, int count, int sync);
void koru_completion_init(void *completion);
void koru_complete_all(void *completion);
void koru_wait_for_completion(void *completion);

/* kthread.c */
void *koru_kthread_spawn(int (*run)(void *data), void *data, const char *name);
void koru_kthread_stop(void *task);
int koru_kthread_should_stop(void);
void koru_kthread_sleep(unsigned long ticks);

/* kprobe.c */
int koru_kprobe_register(void *probe, const char *symbol,
			 void (*hit)(void *data, const void *regs), void *data);
void koru_kprobe_unregister(void *probe);
unsigned long koru_kprobe_missed(const void *probe);
unsigned long koru_regs_argument(const void *regs, unsigned int n);

/* pid.c: NULL for the process of a task that is gone. */
void *koru_task_process(void *task);
int koru_task_belongs_to(void *task, const void *pid);
void koru_get_pid(void *pid);
void koru_put_pid(void *pid);
int koru_pid_nr(void *pid);

/* math.c */
unsigned long koru_gcd(unsigned long a, unsigned long b);

/* fs.c */
unsigned int koru_file_flags(const void *file);
long long koru_file_pos(const void *file);
long long koru_file_set_pos(void *file, long long pos);
void *koru_file_private(const void *file);
void koru_file_set_private(void *file, void *data);
void *koru_kiocb_file(const void *kiocb);
long long *koru_kiocb_pos(void *kiocb);

/* iov.c: the number of bytes that were copied. */
unsigned long koru_iov_len(const void *iov);
void koru_iov_advance(void *iov, unsigned long len);
void koru_iov_revert(void *iov, unsigned long len);
unsigned long koru_copy_to_iter(const void *from, unsigned long len, void *iov);
unsigned long koru_copy_from_iter(void *to, unsigned long len, void *iov);

/* device.c: `level` as in print.c, without KORU_PRINT_CONT. */
void koru_dev_print(int level, const void *dev, const char *text, unsigned long len);
const char *koru_dev_name(const void *dev);
void koru_get_device(void *dev);
void koru_put_device(void *dev);

/* miscdevice.c */
int koru_misc_register(void *misc, const char *name, unsigned int mode, const void *fops);
void koru_misc_deregister(void *misc);
void *koru_misc_device(const void *misc);
int koru_misc_may_open(const void *inode, void *file);
long koru_misc_compat_ptr_ioctl(void *file, unsigned int cmd, unsigned long arg);

/* seq_file.c */
int koru_seq_write(void *seq, const char *text, unsigned long len);

/* proc_fs.c */
struct koru_proc_calls {
	/* A show-style file has `show` only. */
	int (*show)(void *seq, void *entry_data);
	/* The others; NULL where the file has no such operation. */
	int (*open)(void *file, void *entry_data, void **open_data);
	void (*release)(void *file, void *entry_data, void *open_data);
	long (*read)(void *file, void *entry_data, void *open_data,
		     unsigned long buf, unsigned long len, long long *pos);
	long (*write)(void *file, void *entry_data, void *open_data,
		      unsigned long buf, unsigned long len, long long *pos);
	long long (*lseek)(void *file, void *entry_data, void *open_data,
			   long long offset, int whence);
};
void *koru_proc_create(const char *name, unsigned int mode, unsigned long size_hint,
		       const struct koru_proc_calls *calls, void *entry_data);
void koru_proc_remove(void *entry);

#endif
