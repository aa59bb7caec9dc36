// SPDX-License-Identifier: GPL-2.0-only
/* /proc/minimal_proc_lkm with the whole contract of the Rust module. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* What fits into a record, with the module's name, on every kernel. */
#define MAX_SHOWN 900
/* What fits when /dev/kmsg escapes the record once more. */
#define MAX_KMSG 1900

/* The text of one record, and how long it is for readers of /dev/kmsg. */
struct shown {
	size_t len;
	size_t kmsg;
	char text[MAX_SHOWN];
};

/* Appends all of a piece or, if that is too much, nothing. */
static bool append(struct shown *shown, const char *piece, size_t len,
		   size_t kmsg)
{
	if (shown->len + len > MAX_SHOWN || shown->kmsg + kmsg > MAX_KMSG)
		return false;
	memcpy(shown->text + shown->len, piece, len);
	shown->len += len;
	shown->kmsg += kmsg;
	return true;
}

static bool append_byte(struct shown *shown, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	char hex[4] = { '\\', 'x', digits[byte >> 4], digits[byte & 15] };

	switch (byte) {
	case '\n':
		return append(shown, "\\n", 2, 5);
	case '\r':
		return append(shown, "\\r", 2, 5);
	case '\t':
		return append(shown, "\\t", 2, 5);
	default:
		return append(shown, hex, 4, 7);
	}
}

/*
 * Returns the length of the character that begins here, 0 if none does, or
 * -1 if the bytes end before the character does.
 */
static int utf8_len(const unsigned char *from, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	int n, i;

	if (from[0] >= 0xc2 && from[0] <= 0xdf) {
		n = 2;
	} else if (from[0] >= 0xe0 && from[0] <= 0xef) {
		n = 3;
		if (from[0] == 0xe0)
			low = 0xa0;
		else if (from[0] == 0xed)
			high = 0x9f;
	} else if (from[0] >= 0xf0 && from[0] <= 0xf4) {
		n = 4;
		if (from[0] == 0xf0)
			low = 0x90;
		else if (from[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	for (i = 1; i < n; i++) {
		if (i == len)
			return -1;
		if (from[i] < low || from[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

/* Appends what fits, and returns how many bytes that was. */
static size_t show(struct shown *shown, const unsigned char *from, size_t len,
		   bool more)
{
	size_t at = 0, run, room;
	int n;

	while (at < len) {
		/* Letters and the like are copied as one. */
		room = min(MAX_SHOWN - shown->len, MAX_KMSG - shown->kmsg);
		room = min(room, len - at);
		for (run = 0; run < room; run++)
			if (from[at + run] < 0x20 || from[at + run] > 0x7e ||
			    from[at + run] == '\\')
				break;
		append(shown, from + at, run, run);
		at += run;
		if (at == len)
			break;
		if (from[at] == '\\') {
			if (!append(shown, "\\", 1, 4))
				break;
			at++;
			continue;
		}
		if (from[at] >= 0x20 && from[at] <= 0x7e)
			break;
		n = utf8_len(from + at, len - at);
		if (n < 0 && more)
			break;
		/* U+0080 to U+009F are control characters. */
		if (n == 2 && from[at] == 0xc2 && from[at + 1] < 0xa0) {
			if (shown->len + 8 > MAX_SHOWN ||
			    shown->kmsg + 14 > MAX_KMSG)
				break;
			append_byte(shown, from[at]);
			append_byte(shown, from[at + 1]);
		} else if (n > 0) {
			if (!append(shown, from + at, n, 4 * n))
				break;
		} else {
			n = 1;
			if (!append_byte(shown, from[at]))
				break;
		}
		at += n;
	}
	return at;
}

static ssize_t minimal_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	struct {
		struct shown shown;
		unsigned char bytes[MAX_SHOWN];
	} *copy;
	size_t taken = min_t(size_t, len, MAX_SHOWN);

	if (!len)
		return 0;
	copy = kmalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	if (copy_from_user(copy->bytes, from, taken)) {
		kfree(copy);
		return -EFAULT;
	}
	copy->shown.len = 0;
	copy->shown.kmsg = 0;
	taken = show(&copy->shown, copy->bytes, taken, len > taken);
	pr_info("%.*s\n", (int)copy->shown.len, copy->shown.text);
	kfree(copy);
	*pos += taken;
	return taken;
}

static const struct proc_ops minimal_ops = {
	.proc_write	= minimal_write,
};

static int __init minimal_init(void)
{
	return proc_create("minimal_proc_lkm", 0666, NULL, &minimal_ops) ?
		0 : -ENOMEM;
}

static void __exit minimal_exit(void)
{
	remove_proc_entry("minimal_proc_lkm", NULL);
}

module_init(minimal_init);
module_exit(minimal_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/minimal_proc_lkm: each write becomes one record of the kernel log");
MODULE_VERSION("1.0");
