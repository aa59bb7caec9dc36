// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "shim.h"

/*
 * Whoever polls a file is on the wait queues that its poll has named, and looks at their
 * memory again when it leaves them. It leaves them before the file is released: poll and
 * select hold the file, and epoll gives up its entry first. So a queue has to stay until
 * then, and this is the list of which file keeps which.
 */
struct kept {
	struct hlist_node links;
	const struct file *file;
	/* What the queue is part of. */
	const void *owner;
};

static DEFINE_MUTEX(kept_lock);
static DEFINE_HASHTABLE(kept_queues, 6);

int koru_poll_waits(const struct poll_table_struct *table)
{
	return table && table->_qproc;
}

int koru_poll_keep(const struct file *file, const void *owner)
{
	unsigned long key = (unsigned long)file;
	struct kept *kept;
	int result = 0;

	mutex_lock(&kept_lock);
	hash_for_each_possible(kept_queues, kept, links, key)
		if (kept->file == file && kept->owner == owner)
			goto out;
	kept = kmalloc(sizeof(*kept), GFP_KERNEL_ACCOUNT);
	result = -ENOMEM;
	if (kept) {
		kept->file = file;
		kept->owner = owner;
		hash_add(kept_queues, &kept->links, key);
		result = 1;
	}
out:
	mutex_unlock(&kept_lock);
	return result;
}

const void *koru_poll_unkeep(const struct file *file)
{
	const void *owner = NULL;
	struct kept *kept;

	mutex_lock(&kept_lock);
	hash_for_each_possible(kept_queues, kept, links, (unsigned long)file) {
		if (kept->file == file) {
			owner = kept->owner;
			hash_del(&kept->links);
			kfree(kept);
			break;
		}
	}
	mutex_unlock(&kept_lock);
	return owner;
}

void koru_poll_wait(struct file *file, struct wait_queue_head *queue,
		    struct poll_table_struct *table)
{
	poll_wait(file, queue, table);
}
