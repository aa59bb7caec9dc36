// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.8, `mmap_sem` is called `mmap_lock`
// rewritten: compiles

#include <linux/module.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

void walk(struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);

	down_read(&mm->mmap_sem);
	up_read(&mm->mmap_sem);
	down_write(&task->mm->mmap_sem);
	up_write(&task->mm->mmap_sem);
	mmput(mm);
}

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
