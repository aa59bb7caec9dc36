// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "shim.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 17, 0)
#define pde_data(inode) PDE_DATA(inode)
#endif

/*
 * proc_remove() waits for every call below that is running, closes every file
 * that is still open (our release is called), and lets none in again: so
 * neither the module's code nor an entry's data is ever used after it returns.
 */
struct koru_proc_entry {
	struct proc_dir_entry *pde;
	struct proc_ops ops;
	struct koru_proc_calls calls;
	unsigned long size_hint;
	void *data;
};

static struct koru_proc_entry *entry_of(struct file *file)
{
	return pde_data(file_inode(file));
}

static int show(struct seq_file *m, void *v)
{
	struct koru_proc_entry *e = m->private;

	return e->calls.show(m, e->data);
}

static int show_open(struct inode *inode, struct file *file)
{
	struct koru_proc_entry *e = pde_data(inode);

	if (e->size_hint)
		return single_open_size(file, show, e, e->size_hint);
	return single_open(file, show, e);
}

static int file_open(struct inode *inode, struct file *file)
{
	struct koru_proc_entry *e = pde_data(inode);

	file->private_data = NULL;
	if (!e->calls.open)
		return 0;
	return e->calls.open(file, e->data, &file->private_data);
}

static int file_release(struct inode *inode, struct file *file)
{
	struct koru_proc_entry *e = pde_data(inode);

	if (e->calls.release)
		e->calls.release(file, e->data, file->private_data);
	return 0;
}

static ssize_t file_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	struct koru_proc_entry *e = entry_of(file);

	return e->calls.read(file, e->data, file->private_data, (unsigned long)buf, len, ppos);
}

static ssize_t file_write(struct file *file, const char __user *buf, size_t len, loff_t *ppos)
{
	struct koru_proc_entry *e = entry_of(file);

	return e->calls.write(file, e->data, file->private_data, (unsigned long)buf, len, ppos);
}

static loff_t file_lseek(struct file *file, loff_t offset, int whence)
{
	struct koru_proc_entry *e = entry_of(file);
	loff_t pos = e->calls.lseek(file, e->data, file->private_data, offset, whence);

	return pos < 0 ? pos : vfs_setpos(file, pos, LLONG_MAX);
}

/*
 * proc_create() WARNs about a name that is taken. The kernel exports no look-up
 * of its own entries, so ask the mounted /proc, if there is one.
 */
static bool name_is_taken(const char *name)
{
	struct path path;
	char *full;
	bool taken;

	full = kasprintf(GFP_KERNEL, "/proc/%s", name);
	if (!full)
		return false;
	taken = kern_path(full, 0, &path) == 0;
	kfree(full);
	if (taken) {
		taken = path.dentry->d_sb->s_magic == PROC_SUPER_MAGIC;
		path_put(&path);
	}
	return taken;
}

struct koru_proc_entry *koru_proc_create(const char *name, unsigned int mode,
					 unsigned long size_hint,
					 const struct koru_proc_calls *calls,
					 void *entry_data)
{
	struct koru_proc_entry *e;

	if (name_is_taken(name))
		return ERR_PTR(-EEXIST);
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return ERR_PTR(-ENOMEM);
	e->calls = *calls;
	e->size_hint = size_hint;
	e->data = entry_data;
	if (calls->show) {
		e->ops.proc_open = show_open;
		e->ops.proc_read_iter = seq_read_iter;
		e->ops.proc_lseek = seq_lseek;
		e->ops.proc_release = single_release;
	} else {
		e->ops.proc_open = file_open;
		e->ops.proc_release = file_release;
		e->ops.proc_read = calls->read ? file_read : NULL;
		e->ops.proc_write = calls->write ? file_write : NULL;
		e->ops.proc_lseek = calls->lseek ? file_lseek : default_llseek;
	}
	e->pde = proc_create_data(name, mode, NULL, &e->ops, e);
	if (!e->pde) {
		kfree(e);
		return ERR_PTR(-EEXIST);
	}
	return e;
}

void koru_proc_remove(struct koru_proc_entry *entry)
{
	proc_remove(entry->pde);
	kfree(entry);
}
