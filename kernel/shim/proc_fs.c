// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>

#include "lookup.h"
#include "overdue.h"
#include "shim.h"

#ifndef KORU_HAS_PDE_DATA
#define pde_data(inode) PDE_DATA(inode)
#endif

/* Keeps this module's own threads from creating the same name at the same time. */
static DEFINE_MUTEX(names_lock);

void *koru_proc_data(const struct inode *inode)
{
	return pde_data(inode);
}

/*
 * The kernel WARNs if the name exists, so this checks it first. Two modules that create the
 * same name at the very same time still cause that WARN, as any two do.
 */
struct proc_dir_entry *koru_proc_create(const char *name, unsigned int mode,
					const struct proc_ops *ops, void *data)
{
	struct proc_dir_entry *entry = NULL;
	int exists;

	if (!IS_ENABLED(CONFIG_PROC_FS))
		return ERR_PTR(-ENODEV);
	mutex_lock(&names_lock);
	exists = koru_path_exists("proc", name);
	if (!exists) {
		entry = proc_create_data(name, mode, NULL, ops, data);
		if (!entry)
			exists = koru_path_exists("proc", name);
	}
	mutex_unlock(&names_lock);
	if (exists)
		return ERR_PTR(exists < 0 ? exists : -EEXIST);
	return entry ?: ERR_PTR(-ENOMEM);
}

void koru_proc_remove(struct proc_dir_entry *entry, const char *name)
{
	struct koru_overdue overdue;

	koru_overdue_begin(&overdue, "the end of all calls of /proc/", name,
			   "Either a call blocks, which the file's removing() should end; or a call "
			   "drops its own file, and waits for itself.");
	proc_remove(entry);
	koru_overdue_end(&overdue);
}
