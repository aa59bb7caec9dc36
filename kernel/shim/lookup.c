// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/workqueue.h>

#include "lookup.h"

/* This is exported, but up to 6.1 only the kernel's own headers declare it. */
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt, const char *name,
		    unsigned int flags, struct path *path);

struct lookup {
	struct work_struct work;
	const char *fs;
	const char *path;
	int result;
};

static int path_exists(const char *fs, const char *name)
{
	struct file_system_type *type = get_fs_type(fs);
	struct vfsmount *mnt;
	struct path path;
	int err;

	/* Without the file system there is nothing in it. */
	if (!type)
		return 0;
	mnt = vfs_kern_mount(type, SB_KERNMOUNT, fs, NULL);
	module_put(type->owner);
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	err = vfs_path_lookup(mnt->mnt_root, mnt, name, 0, &path);
	if (!err)
		path_put(&path);
	mntput(mnt);
	return err == -ENOENT ? 0 : err ?: 1;
}

static void work(struct work_struct *work)
{
	struct lookup *lookup = container_of(work, struct lookup, work);

	lookup->result = path_exists(lookup->fs, lookup->path);
}

/*
 * The file system is mounted anew, where nobody else sees the mount, so neither existing
 * mounts, nor their options, nor anybody's root directory matter. A worker does that,
 * because the mount takes credentials and namespaces from `current`: a process that is
 * about to exit has no root directory and no namespaces any more, and other processes have
 * namespaces and security labels on which the answer must not depend.
 */
int koru_path_exists(const char *fs, const char *path)
{
	struct lookup lookup = { .fs = fs, .path = path };

	INIT_WORK_ONSTACK(&lookup.work, work);
	queue_work(system_unbound_wq, &lookup.work);
	flush_work(&lookup.work);
	destroy_work_on_stack(&lookup.work);
	return lookup.result;
}
