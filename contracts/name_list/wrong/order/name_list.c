// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: every name comes first. */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#define MOST_NAMES 10
#define LONGEST 15

static char *names;
module_param(names, charp, 0444);
static bool backwards;
module_param(backwards, bool, 0444);

struct entry {
	struct list_head list;
	char name[LONGEST + 1];
};

static LIST_HEAD(entries);

static int add(const char *name)
{
	struct entry *entry;

	if (!*name || strlen(name) > LONGEST)
		return -EINVAL;
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	strscpy(entry->name, name, sizeof(entry->name));
	if (!backwards)
		list_add(&entry->list, &entries);
	else
		list_add_tail(&entry->list, &entries);
	return 0;
}

static void release(void)
{
	struct entry *entry, *next;

	list_for_each_entry_safe(entry, next, &entries, list) {
		list_del(&entry->list);
		kfree(entry);
	}
}

static int fill(void)
{
	char *copy, *rest, *name;
	int error = 0, count = 0;

	if (!names)
		return 0;
	copy = rest = kstrdup(names, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	while (!error && (name = strsep(&rest, ",")))
		error = ++count > MOST_NAMES ? -EINVAL : add(name);
	kfree(copy);
	return error;
}

static int names_show(struct seq_file *file, void *unused)
{
	struct entry *entry;

	/* The list does not change while the file is there. */
	list_for_each_entry(entry, &entries, list)
		seq_printf(file, "%s\n", entry->name);
	return 0;
}

static int __init names_init(void)
{
	int error = fill();

	if (!error && !proc_create_single("names", 0444, NULL, names_show))
		error = -ENOMEM;
	if (error)
		release();
	return error;
}

static void __exit names_exit(void)
{
	struct entry *entry;

	remove_proc_entry("names", NULL);
	list_for_each_entry(entry, &entries, list)
		pr_info("goodbye, %s\n", entry->name);
	release();
}

module_init(names_init);
module_exit(names_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A list of names");
