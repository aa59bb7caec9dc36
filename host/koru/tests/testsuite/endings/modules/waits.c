// SPDX-License-Identifier: MIT OR Apache-2.0
/* Wrong: takes a mutex twice, in its init or in a read; or a read waits for what never comes. */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/wait.h>

static char *where = "init";
module_param(where, charp, 0444);

static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(queue);
static bool come;

static noinline void take_again(void)
{
	mutex_lock(&lock); /* the second time */
	mutex_unlock(&lock);
}

static int show(struct seq_file *m, void *v)
{
	if (!strcmp(where, "queue"))
		return wait_event_interruptible(queue, come); /* never */
	mutex_lock(&lock);
	take_again();
	mutex_unlock(&lock);
	return 0;
}

static int __init waits_init(void)
{
	if (!strcmp(where, "init"))
		show(NULL, NULL);
	return proc_create_single("waits", 0444, NULL, show) ? 0 : -ENOMEM;
}

static void __exit waits_exit(void)
{
	remove_proc_entry("waits", NULL);
}

module_init(waits_init);
module_exit(waits_exit);

MODULE_LICENSE("GPL");
