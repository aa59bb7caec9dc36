// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 6.1, `remove` of an I2C driver returns nothing
// on 6.12: since Linux 6.3, `probe` of an I2C driver takes the client only

#include <linux/module.h>
#include <linux/i2c.h>

static int my_probe(struct i2c_client *client, const struct i2c_device_id *id)
{
	return 0;
}

static int my_remove(struct i2c_client *client)
{
	return 0;
}

struct i2c_driver my_driver = {
	.probe = my_probe,
	.remove = my_remove,
};

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
