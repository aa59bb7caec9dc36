// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "shim.h"

/*
 * misc_register() lets sysfs find out that a name is taken, and that dumps the
 * stack. The class cannot be searched from a module, so ask the mounted /sys,
 * if there is one.
 */
static bool name_is_taken(const char *name)
{
	static const char dir[] = "/sys/class/misc/";
	struct path path;
	char *full;
	bool taken;

	full = kasprintf(GFP_KERNEL, "%s%s", dir, name);
	if (!full)
		return false;
	/* As the device model does. */
	strreplace(full + sizeof(dir) - 1, '/', '!');
	taken = kern_path(full, 0, &path) == 0;
	kfree(full);
	if (taken) {
		taken = path.dentry->d_sb->s_magic == SYSFS_MAGIC;
		path_put(&path);
	}
	return taken;
}

int koru_misc_register(struct miscdevice *misc, const char *name, unsigned int mode,
		       const struct file_operations *fops)
{
	if (name_is_taken(name))
		return -EEXIST;
	*misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = name,
		.mode = mode,
		.fops = fops,
	};
	return misc_register(misc);
}

void koru_misc_deregister(struct miscdevice *misc)
{
	misc_deregister(misc);
}

struct device *koru_misc_device(const struct miscdevice *misc)
{
	return misc->this_device;
}

/*
 * The device can be opened from misc_register() on, yet the module's init may
 * still fail, and the loader then frees the module whoever holds a reference.
 * So nobody gets in before init is through.
 *
 * The caller of our open would drop that reference after misc_deregister() can
 * have returned, so it is dropped here, where misc_open() still holds the lock
 * that misc_deregister() takes; file->f_op becomes what it was before
 * misc_open(), which belongs to no module.
 */
int koru_misc_may_open(const struct inode *inode, struct file *file)
{
	if (READ_ONCE(THIS_MODULE->state) != MODULE_STATE_COMING)
		return 0;
	replace_fops(file, fops_get(inode->i_fop));
	return -ENODEV;
}

long koru_misc_compat_ptr_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
#ifdef CONFIG_COMPAT
	return compat_ptr_ioctl(file, cmd, arg);
#else
	return -ENOIOCTLCMD;
#endif
}
