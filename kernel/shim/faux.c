// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#ifdef KORU_HAS_FAUX_DEVICE
#include <linux/device/faux.h>
#endif

#include "lookup.h"
#include "shim.h"

/* Keeps this module's own threads from creating the same name at the same time. */
static DEFINE_MUTEX(names_lock);

#ifdef KORU_HAS_FAUX_DEVICE

#define FAUX_DEVICES "bus/faux/devices/"

static struct device *create(const char *name, struct device *parent)
{
	struct faux_device *faux = faux_device_create(name, parent, NULL);

	/* The function prints what was wrong, and does not return it. */
	return faux ? &faux->dev : ERR_PTR(-ENODEV);
}

void koru_faux_destroy(struct device *dev)
{
	faux_device_destroy(to_faux_device(dev));
}

#else

#define FAUX_DEVICES "bus/platform/devices/"

/* The device is for no driver, also if one has its name. */
static struct device *create(const char *name, struct device *parent)
{
	struct platform_device *platform = platform_device_alloc(name, PLATFORM_DEVID_NONE);
	int err;

	if (!platform)
		return ERR_PTR(-ENOMEM);
	platform->dev.parent = parent;
#ifdef KORU_HAS_DEVICE_DRIVER_OVERRIDE
	err = device_set_driver_override(&platform->dev, "(none)");
#else
	platform->driver_override = kstrdup("(none)", GFP_KERNEL);
	err = platform->driver_override ? 0 : -ENOMEM;
#endif
	if (!err)
		err = platform_device_add(platform);
	if (err) {
		platform_device_put(platform);
		return ERR_PTR(err);
	}
	return &platform->dev;
}

void koru_faux_destroy(struct device *dev)
{
	platform_device_unregister(to_platform_device(dev));
}

#endif

/* The kernel dumps the stack if the name exists, so this checks it first. */
struct device *koru_faux_create(const char *name, struct device *parent)
{
	struct device *dev;
	int exists;
	char *path;

	path = kasprintf(GFP_KERNEL, FAUX_DEVICES "%s", name);
	if (!path)
		return ERR_PTR(-ENOMEM);
	strreplace(path + strlen(FAUX_DEVICES), '/', '!');
	mutex_lock(&names_lock);
	exists = koru_path_exists("sysfs", path);
	if (exists)
		dev = ERR_PTR(exists < 0 ? exists : -EEXIST);
	else
		dev = create(name, parent);
	mutex_unlock(&names_lock);
	kfree(path);
	return dev;
}
