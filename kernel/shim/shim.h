/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that Rust may call. There are only plain C types, because both the kernel's
 * compiler (through the .c files in this folder) and bindgen read this file, and it must
 * mean the same on every kernel.
 *
 * Kernel objects have the kernel's own tags and no body here, so that both compilers
 * distinguish a mutex from a spinlock. Addresses in user space are numbers. A function that
 * may fail returns a negative errno or an ERR_PTR(), unless its comment says otherwise.
 */
#ifndef KORU_SHIM_H
#define KORU_SHIM_H

/*
 * The context that a function needs: each prototype begins with exactly one of these
 * macros. They expand to nothing; the build reads them when it checks for functions that
 * sleep in a context which must not. If a function can detect a wrong context at run time
 * it returns an error; the caller must ensure the rest.
 */

/* Any context, including interrupts, NMIs and the handlers of kprobes. */
#define KORU_ANY
/*
 * Any context but NMIs and the handlers of kprobes: the function takes no locks but raw
 * spinlocks, which never sleep.
 */
#define KORU_RAW
/*
 * As KORU_RAW, but the function may take spinlocks. On PREEMPT_RT these sleep, and no code
 * that runs in an interrupt there may take one.
 */
#define KORU_ATOMIC
/* A process or a kernel thread that holds no spinlock; the function may sleep. */
#define KORU_SLEEPS
/*
 * A system call: the function may sleep, and accesses the memory of the calling process. If
 * `current` has no `mm` (kernel threads, late in an exit) it accesses nothing, and its
 * result says so.
 */
#define KORU_PROCESS

struct completion;
struct delayed_work;
struct device;
struct file;
struct file_operations;
struct hrtimer;
struct inode;
struct iov_iter;
struct kiocb;
struct koru_kprobe;
struct lock_class_key;
struct miscdevice;
struct mutex;
struct pid;
struct poll_table_struct;
struct proc_dir_entry;
struct proc_ops;
struct pt_regs;
struct refcount_struct;
struct seq_file;
struct spinlock;
struct task_struct;
struct wait_queue_entry;
struct wait_queue_head;
struct work_struct;
struct workqueue_struct;

/*
 * The functions that the kernel calls for a file. layout.c checks that these are the types
 * of the members that point to them.
 */
typedef int (*koru_open_t)(struct inode *inode, struct file *file);
typedef long (*koru_read_t)(struct file *file, char *buf, unsigned long len, long long *pos);
typedef long (*koru_write_t)(struct file *file, const char *buf, unsigned long len,
			     long long *pos);
typedef long (*koru_transfer_t)(struct kiocb *kiocb, struct iov_iter *iov);
typedef long long (*koru_llseek_t)(struct file *file, long long offset, int whence);
typedef long (*koru_ioctl_t)(struct file *file, unsigned int cmd, unsigned long arg);
typedef int (*koru_show_t)(struct seq_file *seq, void *v);
typedef void (*koru_show_fdinfo_t)(struct seq_file *seq, struct file *file);
typedef unsigned int (*koru_poll_t)(struct file *file, struct poll_table_struct *table);

/* print.c: each call makes one record. `format` has the level, and "%.*s" or no conversion. */
KORU_ANY void koru_print(const char *format, int len, const char *text);
KORU_ANY void koru_warn_no_errno(int number);
KORU_ANY unsigned long koru_hash_pointer(char *text, unsigned long size, unsigned long address);

/* bug.c */
KORU_ANY void koru_bug(void) __attribute__((noreturn));
KORU_ANY const char *koru_module_name(void);

/* fault.c: faults on purpose */
KORU_ANY void koru_fault_null(void);
KORU_ANY void koru_fault_warn(void);

/* alloc.c: the result is NULL on failure, without a WARN for absurd sizes. */
KORU_SLEEPS void *koru_kmalloc(unsigned long size, unsigned int flags);
/* The same for up to a page with GFP_KERNEL or GFP_KERNEL_ACCOUNT; `index` is kmalloc_index(size). */
KORU_SLEEPS void *koru_kmalloc_cached(unsigned long size, unsigned int index);
KORU_SLEEPS void *koru_kmalloc_account_cached(unsigned long size, unsigned int index);
KORU_SLEEPS void *koru_krealloc(const void *p, unsigned long size, unsigned int flags);
KORU_ATOMIC void koru_kfree(const void *p);
KORU_SLEEPS void *koru_vmalloc(unsigned long size, unsigned int flags);
KORU_SLEEPS void koru_vfree(const void *p);
KORU_SLEEPS void *koru_kvmalloc(unsigned long size, unsigned int flags);
KORU_SLEEPS void koru_kvfree(const void *p);

/* sync.c */
KORU_ANY void koru_refcount_warn(struct refcount_struct *refcount, int kind);
KORU_ATOMIC void koru_mutex_init(struct mutex *lock, const char *name,
			struct lock_class_key *key);
KORU_SLEEPS void koru_mutex_lock(struct mutex *lock);
KORU_ATOMIC int koru_mutex_trylock(struct mutex *lock);
KORU_ATOMIC void koru_mutex_unlock(struct mutex *lock);
KORU_ATOMIC void koru_spin_init(struct spinlock *lock, const char *name,
			struct lock_class_key *key);
KORU_ATOMIC void koru_spin_lock(struct spinlock *lock);
KORU_ATOMIC int koru_spin_trylock(struct spinlock *lock);
KORU_ATOMIC void koru_spin_unlock(struct spinlock *lock);

KORU_ANY void koru_rcu_read_lock(void);
KORU_ANY void koru_rcu_read_unlock(void);

/* uaccess.c: the result is the number of bytes that could NOT be copied. */
KORU_PROCESS unsigned long koru_copy_from_user(void *to, unsigned long from, unsigned long len);
KORU_PROCESS unsigned long koru_copy_to_user(unsigned long to, const void *from,
			unsigned long len);
/* The same for memory of a constant size, which the kernel does not check again. */
KORU_PROCESS unsigned long koru_copy_value_from_user(void *to, unsigned long from,
			unsigned long len);
KORU_PROCESS unsigned long koru_copy_value_to_user(unsigned long to, const void *from,
			unsigned long len);
KORU_PROCESS long koru_strncpy_from_user(char *to, unsigned long from, long len);

/* time.c: times are in nanoseconds. */
KORU_RAW long long koru_ktime_get(void);
KORU_RAW long long koru_ktime_get_real(void);
KORU_RAW long long koru_ktime_get_boottime(void);
KORU_RAW long long koru_ktime_get_tai(void);
KORU_ANY unsigned long long koru_ktime_get_mono_fast(void);
KORU_ANY unsigned long koru_jiffies(void);
KORU_ANY unsigned long long koru_jiffies64(void);
KORU_ANY unsigned long koru_msecs_to_jiffies(unsigned int ms);
KORU_ANY unsigned int koru_jiffies_to_msecs(unsigned long j);
KORU_SLEEPS void koru_fsleep(unsigned long us);
KORU_ANY void koru_udelay(unsigned long us);

/* task.c */
KORU_ANY struct task_struct *koru_current(void);
KORU_ANY unsigned int koru_smp_processor_id(void);
KORU_ANY int koru_task_pid(const struct task_struct *task);
KORU_ANY int koru_task_tgid(const struct task_struct *task);
KORU_ANY int koru_signal_pending(struct task_struct *task);
KORU_SLEEPS void koru_cond_resched(void);
KORU_SLEEPS void koru_might_sleep(const char *file, int line);
KORU_ATOMIC void koru_get_task(struct task_struct *task);
KORU_ATOMIC void koru_put_task(struct task_struct *task);
KORU_ATOMIC struct task_struct *koru_task_group_leader(struct task_struct *task);
KORU_RAW int koru_wake_up_process(struct task_struct *task);
KORU_ATOMIC unsigned int koru_task_uid(struct task_struct *task);
KORU_ATOMIC unsigned int koru_task_euid(struct task_struct *task);
KORU_ATOMIC unsigned int koru_uid_in_current_ns(unsigned int uid);

/* wait.c: timeouts and results are in ticks; a `count` of 0 wakes all waiters. */
KORU_ATOMIC void koru_wait_queue_init(struct wait_queue_head *queue, const char *name,
			struct lock_class_key *key);
KORU_ATOMIC void koru_wait_prepare(struct wait_queue_head *queue,
			struct wait_queue_entry *entry, int state);
KORU_SLEEPS long koru_wait_sleep(long timeout);
/* Returns whether a wake-up chose this waiter. */
KORU_ATOMIC int koru_wait_finish(struct wait_queue_head *queue,
			struct wait_queue_entry *entry);
KORU_ATOMIC void koru_wake_up(struct wait_queue_head *queue, int count, int sync);
KORU_ATOMIC void koru_completion_init(struct completion *completion);
KORU_ATOMIC void koru_complete_all(struct completion *completion);
KORU_SLEEPS void koru_wait_for_completion(struct completion *completion);

/* poll.c */
/* Returns whether the caller is going to wait. */
KORU_ANY int koru_poll_waits(const struct poll_table_struct *table);
/*
 * Notes that the file keeps the owner of a queue until koru_poll_unkeep(). Returns 1, 0 if it
 * does so already, or -ENOMEM.
 */
KORU_SLEEPS int koru_poll_keep(const struct file *file, const void *owner);
/* Returns the owner of a queue that the file has kept until now, or NULL. */
KORU_SLEEPS const void *koru_poll_unkeep(const struct file *file);
KORU_SLEEPS void koru_poll_wait(struct file *file, struct wait_queue_head *queue,
			struct poll_table_struct *table);

/* kthread.c */
KORU_SLEEPS struct task_struct *koru_kthread_run(int (*run)(void *data), void *data,
			const char *name);
KORU_SLEEPS void koru_kthread_stop(struct task_struct *task);
KORU_ATOMIC int koru_kthread_should_stop(void);
KORU_SLEEPS void koru_kthread_sleep(unsigned long ticks);

/* live.c: the first function is for a thread of koru_kthread_run(). */
KORU_SLEEPS void koru_kthread_exit_detached(void) __attribute__((noreturn));
/* Says that the current task would wait for its own end, and never returns. */
KORU_SLEEPS void koru_report_wait_for_itself(const char *what) __attribute__((noreturn));
/*
 * Waits until nothing of the module is registered. `errno` is that of a failed init, or 0 for an
 * exit.
 */
KORU_SLEEPS void koru_wait_until_unregistered(int errno);

/* kprobe.c: the functions fail with -EOPNOTSUPP on kernels without kprobes. */
KORU_SLEEPS int koru_kprobe_register(struct koru_kprobe *probe, const char *symbol,
			void (*handler)(void *data, const struct pt_regs *regs), void *data);
KORU_SLEEPS void koru_kprobe_unregister(struct koru_kprobe *probe);
KORU_ANY unsigned long koru_kprobe_missed(const struct koru_kprobe *probe);
KORU_ANY unsigned long koru_regs_argument(const struct pt_regs *regs, unsigned int n);

/* pid.c: the process of a task that is gone is NULL. */
KORU_ANY struct pid *koru_task_process(struct task_struct *task);
KORU_ANY int koru_task_belongs_to(struct task_struct *task, const struct pid *pid);
KORU_ANY int koru_current_belongs_to(const struct pid *pid);
KORU_ANY void koru_get_pid(struct pid *pid);
KORU_ATOMIC void koru_put_pid(struct pid *pid);
KORU_ANY int koru_pid_nr(struct pid *pid);
KORU_ATOMIC unsigned long koru_pid_id(const struct pid *pid);

/*
 * workqueue.c: the functions in the second part are the kernel's own. They return whether
 * the work was queued, which it is not if it is queued already.
 */
typedef void (*koru_work_t)(struct work_struct *work);
KORU_ATOMIC void koru_work_init(struct work_struct *work, koru_work_t run, const char *name,
			struct lock_class_key *key);
KORU_ATOMIC void koru_delayed_work_init(struct delayed_work *work, koru_work_t run,
			const char *name, struct lock_class_key *key);
KORU_ANY struct workqueue_struct *koru_system_queue(int which);
KORU_RAW _Bool queue_work_on(int cpu, struct workqueue_struct *queue,
			struct work_struct *work);
KORU_RAW _Bool queue_delayed_work_on(int cpu, struct workqueue_struct *queue,
			struct delayed_work *work, unsigned long delay);

/*
 * hrtimer.c: the kernel calls the functions in an interrupt, or in a soft interrupt if the mode
 * says so. Those in the second part are the kernel's own. hrtimer_cancel() waits until the
 * timer's function has returned; it must not be called by that, nor (for a timer of a soft
 * interrupt) by an interrupt.
 */
#ifdef __KERNEL__
#include <linux/hrtimer.h>
#else
enum hrtimer_mode {
	HRTIMER_MODE_ABS = 0,
	HRTIMER_MODE_REL = 1,
	HRTIMER_MODE_PINNED = 2,
	HRTIMER_MODE_SOFT = 4,
	HRTIMER_MODE_HARD = 8,
};
enum hrtimer_restart { HRTIMER_NORESTART };
#endif
typedef enum hrtimer_restart (*koru_hrtimer_t)(struct hrtimer *timer);
KORU_ATOMIC void koru_hrtimer_setup(struct hrtimer *timer, koru_hrtimer_t run, int clock,
			enum hrtimer_mode mode);
KORU_ATOMIC void koru_hrtimer_destroy(struct hrtimer *timer);
KORU_RAW void hrtimer_start_range_ns(struct hrtimer *timer, long long tim,
			unsigned long long range_ns, const enum hrtimer_mode mode);
KORU_ATOMIC int hrtimer_cancel(struct hrtimer *timer);
KORU_RAW unsigned long long hrtimer_forward(struct hrtimer *timer, long long now,
			long long interval);

/* math.c */
KORU_ANY unsigned long koru_gcd(unsigned long a, unsigned long b);

/* fs.c */
KORU_ANY unsigned int koru_file_flags(const struct file *file);
KORU_ANY long long koru_file_pos(const struct file *file);
KORU_ATOMIC long long koru_file_set_pos(struct file *file, long long pos);

/* iov.c: the result is the number of bytes that were copied. */
KORU_ANY unsigned long koru_iov_len(const struct iov_iter *iov);
KORU_ANY void koru_iov_advance(struct iov_iter *iov, unsigned long len);
KORU_ANY void koru_iov_revert(struct iov_iter *iov, unsigned long len);
KORU_PROCESS unsigned long koru_copy_to_iter(const void *from, unsigned long len,
			struct iov_iter *iov);
KORU_PROCESS unsigned long koru_copy_to_iter_nofault(const void *from, unsigned long len,
			struct iov_iter *iov);
KORU_PROCESS unsigned long koru_copy_from_iter(void *to, unsigned long len,
			struct iov_iter *iov);

/* device.c: `level` is 0..=7. */
KORU_RAW void koru_dev_print(int level, const struct device *dev, const char *text,
			unsigned long len);
KORU_ANY const char *koru_dev_name(const struct device *dev);
KORU_ANY void koru_get_device(struct device *dev);
KORU_SLEEPS void koru_put_device(struct device *dev);

/*
 * faux.c: the first function takes a name that is neither empty nor `.` or `..`, which it
 * copies, and a parent or NULL.
 */
KORU_SLEEPS struct device *koru_faux_create(const char *name, struct device *parent);
KORU_SLEEPS void koru_faux_destroy(struct device *dev);

/* miscdevice.c */
KORU_SLEEPS int koru_misc_register(struct miscdevice *misc, const char *name,
			unsigned int mode, const struct file_operations *fops);
KORU_SLEEPS void koru_misc_deregister(struct miscdevice *misc);
KORU_ANY struct device *koru_misc_device(const struct miscdevice *misc);
KORU_ATOMIC int koru_misc_refuse_open_during_init(const struct inode *inode, struct file *file);
KORU_PROCESS long koru_misc_compat_ptr_ioctl(struct file *file, unsigned int cmd,
			unsigned long arg);

/* Functions of the kernel itself, for a file that is printed. */
KORU_SLEEPS int single_open(struct file *file, koru_show_t show, void *data);
KORU_SLEEPS int single_open_size(struct file *file, koru_show_t show, void *data,
			unsigned long size);
KORU_SLEEPS int single_release(struct inode *inode, struct file *file);
KORU_PROCESS long seq_read_iter(struct kiocb *kiocb, struct iov_iter *iov);
KORU_SLEEPS long long seq_lseek(struct file *file, long long offset, int whence);
KORU_ANY int seq_write(struct seq_file *seq, const void *data, unsigned long len);
KORU_SLEEPS long long default_llseek(struct file *file, long long offset, int whence);

/*
 * proc_fs.c: koru_proc_create() takes a name that is no path, is no number and has at most
 * 255 bytes, and `ops` that stay as long as a file of the entry may be open.
 * koru_proc_remove() waits until the functions in `ops` have returned, and releases what is
 * open; `name` is for its message if that takes long.
 */
KORU_SLEEPS struct proc_dir_entry *koru_proc_create(const char *name, unsigned int mode,
			const struct proc_ops *ops, void *data);
KORU_SLEEPS void koru_proc_remove(struct proc_dir_entry *entry, const char *name);
KORU_ANY void *koru_proc_data(const struct inode *inode);

#endif
