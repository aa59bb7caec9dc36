// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/kernel.h>

#include "shim.h"

/* The text is data, never a format, and the level is not part of it. */
static const char *const levels[] = {
	KERN_EMERG, KERN_ALERT, KERN_CRIT, KERN_ERR, KERN_WARNING, KERN_NOTICE, KERN_INFO, KERN_DEBUG,
};

void koru_dev_print(int level, const struct device *dev, const char *text, unsigned long len)
{
	if (level < 0 || level >= ARRAY_SIZE(levels))
		level = 6;
	dev_printk(levels[level], dev, "%.*s", (int)len, text);
}

const char *koru_dev_name(const struct device *dev)
{
	return dev_name(dev);
}

void koru_get_device(struct device *dev)
{
	get_device(dev);
}

void koru_put_device(struct device *dev)
{
	put_device(dev);
}
