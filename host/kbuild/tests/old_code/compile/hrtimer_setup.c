// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: before Linux 6.13, `hrtimer_init` takes no handler

#include <linux/module.h>
#include <linux/hrtimer.h>

static enum hrtimer_restart my_handler(struct hrtimer *t) { return HRTIMER_NORESTART; }
static struct hrtimer my_timer;

void start(void)
{
	hrtimer_setup(&my_timer, my_handler, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
}

static int __init old_init(void)
{
	return 0;
}

static void __exit old_exit(void)
{
}

module_init(old_init);
module_exit(old_exit);
MODULE_LICENSE("GPL");
