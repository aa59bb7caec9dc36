// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "lookup.h"
#include "overdue.h"
#include "shim.h"

/* Keeps this module's own threads from registering the same name at the same time. */
static DEFINE_MUTEX(names_lock);

/*
 * Returns whether there is a device of that name, as the device model spells it. All
 * devices of the class have a link in its directory, wherever they are themselves.
 */
static int misc_name_exists(const char *name)
{
	char *path = kasprintf(GFP_KERNEL, "class/misc/%s", name);
	int exists;

	if (!path)
		return -ENOMEM;
	strreplace(path + strlen("class/misc/"), '/', '!');
	exists = koru_path_exists("sysfs", path);
	kfree(path);
	return exists;
}

/*
 * The kernel dumps the stack if the name exists, so this checks it first. Two modules that
 * register the same name at the very same time still cause that, as any two do.
 */
int koru_misc_register(struct miscdevice *misc, const char *name, unsigned int mode,
		       const struct file_operations *fops)
{
	int err;

	*misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = name,
		.mode = mode,
		.fops = fops,
	};
	mutex_lock(&names_lock);
	err = misc_name_exists(name);
	if (err > 0)
		err = -EEXIST;
	else if (!err)
		err = misc_register(misc);
	mutex_unlock(&names_lock);
	return err;
}

void koru_misc_deregister(struct miscdevice *misc)
{
	struct koru_overdue overdue;

	koru_overdue_begin(&overdue, "its turn to remove /dev/", misc->name,
			   "An open of some device of the misc class does not end.");
	misc_deregister(misc);
	koru_overdue_end(&overdue);
}

struct device *koru_misc_device(const struct miscdevice *misc)
{
	return misc->this_device;
}

/*
 * The device can be opened from misc_register() on, yet the module's init may still fail,
 * and the loader then frees the module even if somebody holds a reference. So nobody may
 * open it before init has succeeded.
 *
 * The caller of our open would drop that reference possibly after misc_deregister() has
 * returned, so it is dropped here, where misc_open() still holds the lock that
 * misc_deregister() takes. file->f_op becomes what it was before misc_open(), which belongs
 * to no module.
 */
int koru_misc_refuse_open_during_init(const struct inode *inode, struct file *file)
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
