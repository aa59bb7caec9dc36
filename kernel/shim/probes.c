// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only some kernels have. The kernel's own build compiles this file once, before the others,
 * and a kernel has what it compiles without an error. The other files then see KORU_HAS_NAME, and
 * Rust code sees cfg(koru_has = "NAME").
 *
 *	KORU_PROBE(name, since, change, apis)
 *
 * `since` is the first release that has it, or the option of the config that brings it; `change`
 * says what is there since; `apis` are the paths of the kernel crate that need it, with blanks
 * between them.
 */
#include <linux/device.h>
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#if __has_include(<linux/device/faux.h>)
#include <linux/device/faux.h>
#endif

#define KORU_PROBE(name, since, change, apis)	\
	void koru_probe_##name(void);		\
	void koru_probe_##name(void)

KORU_PROBE(KPROBES, "CONFIG_KPROBES", "functions of the kernel can be probed",
	   "kernel::kprobe")
{
	_Static_assert(IS_ENABLED(CONFIG_KPROBES), "");
}

KORU_PROBE(PROC_FS, "CONFIG_PROC_FS", "the kernel has /proc", "kernel::proc_fs")
{
	_Static_assert(IS_ENABLED(CONFIG_PROC_FS), "");
}

KORU_PROBE(PDE_DATA, "5.17", "PDE_DATA() is called pde_data(), and reads i_private", "")
{
	pde_data(NULL);
}

KORU_PROBE(KTHREAD_EXIT, "5.17", "complete_and_exit() is called kthread_complete_and_exit()", "")
{
	kthread_complete_and_exit(NULL, 0);
}

KORU_PROBE(TASK_FREEZABLE, "6.1", "the state of a task says whether it may be frozen",
	   "kernel::sync::CondVar::wait_interruptible_freezable")
{
	set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
}

KORU_PROBE(KMALLOC_TRACE, "6.1", "kmalloc() of a constant size calls kmalloc_trace(), until 6.9", "")
{
	_Static_assert(!IS_ENABLED(CONFIG_RANDOM_KMALLOC_CACHES), "");
	kmalloc_trace(kmalloc_caches[KMALLOC_CGROUP][1], GFP_KERNEL, 96);
}

KORU_PROBE(KMALLOC_CACHE, "6.11", "kmalloc() of a constant size calls __kmalloc_cache_noprof()", "")
{
	_Static_assert(!IS_ENABLED(CONFIG_RANDOM_KMALLOC_CACHES), "");
	_Static_assert(!IS_ENABLED(CONFIG_KMALLOC_PARTITION_CACHES), "");
	alloc_hooks(__kmalloc_cache_noprof(kmalloc_caches[KMALLOC_CGROUP][1], GFP_KERNEL, 96));
}

KORU_PROBE(SYSTEM_PERCPU_WQ, "6.17",
	   "system_wq is called system_percpu_wq, and system_unbound_wq system_dfl_wq", "")
{
	queue_work(system_percpu_wq, NULL);
	queue_work(system_dfl_wq, NULL);
}

KORU_PROBE(FAUX_DEVICE, "6.14", "there is a bus for devices without hardware", "")
{
	faux_device_destroy(faux_device_create("", NULL, NULL));
}

KORU_PROBE(DEVICE_DRIVER_OVERRIDE, "7.1",
	   "a device of any bus says which driver it is for; also in later releases of 6.12", "")
{
	device_set_driver_override(NULL, "");
}

KORU_PROBE(HRTIMER_SETUP, "6.13", "hrtimer_init() is called hrtimer_setup(), and takes the function",
	   "")
{
	hrtimer_setup(NULL, NULL, 0, HRTIMER_MODE_ABS);
	hrtimer_setup_on_stack(NULL, NULL, 0, HRTIMER_MODE_ABS);
}
