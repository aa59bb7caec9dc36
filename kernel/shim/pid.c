// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/siphash.h>

#include "shim.h"

struct pid *koru_task_process(struct task_struct *task)
{
	return get_task_pid(task, PIDTYPE_TGID);
}

/*
 * A pid that somebody holds is not reused, so it is enough to compare addresses, and
 * nothing is read through the task's pointer.
 */
int koru_task_belongs_to(struct task_struct *task, const struct pid *pid)
{
	int same;

	rcu_read_lock();
	same = task_tgid(task) == pid;
	rcu_read_unlock();
	return same;
}

/* A task does not exit while it runs this, so its own pid needs no RCU. */
int koru_current_belongs_to(const struct pid *pid)
{
	return task_tgid(current) == pid;
}

void koru_get_pid(struct pid *pid)
{
	get_pid(pid);
}

void koru_put_pid(struct pid *pid)
{
	put_pid(pid);
}

int koru_pid_nr(struct pid *pid)
{
	return pid_nr(pid);
}

/*
 * Returns a number that stands for the address. Four rounds of a Feistel network map
 * different addresses to different numbers, with a secret of each load, so that a number
 * reveals no address.
 */
unsigned long koru_pid_id(const struct pid *pid)
{
	static atomic64_t secret;
	u64 given = (unsigned long)pid, seed = atomic64_read(&secret);
	u32 left = given >> 32, right = given;
	siphash_key_t key;
	int round;

	if (!seed) {
		u64 fresh = get_random_u64() | 1;

		seed = atomic64_cmpxchg(&secret, 0, fresh);
		if (!seed)
			seed = fresh;
	}
	key.key[0] = seed;
	key.key[1] = ~seed;
	for (round = 0; round < 4; round++) {
		u32 next = left ^ (u32)siphash_1u64((u64)round << 32 | right, &key);

		left = right;
		right = next;
	}
	return (u64)left << 32 | right;
}
