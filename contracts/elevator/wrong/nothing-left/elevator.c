// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: the file stays when the module goes. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait.h>

#define FLOORS 5
#define MOST_PASSENGERS 5
#define MOST_WEIGHT 700

extern int (*STUB_start_elevator)(void);
extern int (*STUB_issue_request)(int start_floor, int destination_floor, int type);
extern int (*STUB_stop_elevator)(void);

static uint move_ms = 2000;
module_param(move_ms, uint, 0444);
static uint load_ms = 1000;
module_param(load_ms, uint, 0444);

enum state { OFFLINE, IDLE, LOADING, UP, DOWN };
static const char *const names[] = { "OFFLINE", "IDLE", "LOADING", "UP", "DOWN" };
static const int weights[] = { 100, 150, 200, 250 };

struct passenger {
	struct list_head list;
	int from, to, weight;
};

static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(changed);
static LIST_HEAD(waiting);
static LIST_HEAD(inside);
static enum state state = OFFLINE;
static bool stopping;
static int floor = 1, load, riders, queued, serviced;
static struct task_struct *thread;

static int start_elevator(void)
{
	int result = 1;

	mutex_lock(&lock);
	if (state == OFFLINE) {
		state = IDLE;
		stopping = false;
		result = 0;
	}
	mutex_unlock(&lock);
	wake_up(&changed);
	return result;
}

static int issue_request(int from, int to, int type)
{
	struct passenger *new;

	if (from < 1 || from > FLOORS || to < 1 || to > FLOORS || from == to)
		return 1;
	if (type < 0 || type >= ARRAY_SIZE(weights))
		return 1;
	new = kmalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->from = from;
	new->to = to;
	new->weight = weights[type];
	mutex_lock(&lock);
	list_add_tail(&new->list, &waiting);
	queued++;
	mutex_unlock(&lock);
	wake_up(&changed);
	return 0;
}

static int stop_elevator(void)
{
	int result = 1;

	mutex_lock(&lock);
	if (state != OFFLINE && !stopping) {
		stopping = true;
		result = 0;
	}
	mutex_unlock(&lock);
	wake_up(&changed);
	return result;
}

static bool has_work(void)
{
	if (state == OFFLINE)
		return false;
	return riders || stopping || queued;
}

static bool fits(const struct passenger *who)
{
	return riders < MOST_PASSENGERS && load + who->weight <= MOST_WEIGHT;
}

/* Returns whether somebody wants to leave or can enter here. */
static bool is_wanted(void)
{
	struct passenger *who;

	list_for_each_entry(who, &inside, list)
		if (who->to == floor)
			return true;
	if (!stopping)
		list_for_each_entry(who, &waiting, list)
			if (who->from == floor && fits(who))
				return true;
	return false;
}

static void exchange(void)
{
	struct passenger *who, *next;

	list_for_each_entry_safe(who, next, &inside, list) {
		if (who->to != floor)
			continue;
		list_del(&who->list);
		load -= who->weight;
		riders--;
		serviced++;
		kfree(who);
	}
	list_for_each_entry_safe(who, next, &waiting, list) {
		if (stopping || who->from != floor || !fits(who))
			continue;
		list_move_tail(&who->list, &inside);
		load += who->weight;
		riders++;
		queued--;
	}
}

/* Returns where to go: to whom is inside longest, or waits longest. */
static int destination(void)
{
	if (riders)
		return list_first_entry(&inside, struct passenger, list)->to;
	if (queued && !stopping)
		return list_first_entry(&waiting, struct passenger, list)->from;
	return floor;
}

static int move(void *unused)
{
	while (!kthread_should_stop()) {
		uint pause = 0;

		wait_event_interruptible(changed, (READ_ONCE(state) != OFFLINE &&
					 has_work()) || kthread_should_stop());
		if (kthread_should_stop())
			break;
		mutex_lock(&lock);
		if (is_wanted()) {
			state = LOADING;
			exchange();
			pause = load_ms;
		} else if (destination() != floor) {
			state = destination() > floor ? UP : DOWN;
			pause = move_ms;
		} else {
			state = stopping ? OFFLINE : IDLE;
		}
		mutex_unlock(&lock);
		if (!pause)
			continue;
		wait_event_interruptible_timeout(changed, kthread_should_stop(),
						 msecs_to_jiffies(pause));
		mutex_lock(&lock);
		if (state == UP)
			floor++;
		else if (state == DOWN)
			floor--;
		if (!is_wanted() && destination() == floor)
			state = stopping ? OFFLINE : IDLE;
		mutex_unlock(&lock);
	}
	return 0;
}

static int elevator_show(struct seq_file *file, void *unused)
{
	mutex_lock(&lock);
	seq_printf(file, "Elevator state: %s\n", names[state]);
	seq_printf(file, "Current floor: %d\n", floor);
	seq_printf(file, "Current load: %d lbs\n", load);
	seq_printf(file, "Passengers inside: %d\n", riders);
	seq_printf(file, "Passengers waiting: %d\n", queued);
	seq_printf(file, "Passengers serviced: %d\n", serviced);
	mutex_unlock(&lock);
	return 0;
}

static int __init elevator_init(void)
{
	thread = kthread_run(move, NULL, "elevator");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	if (!proc_create_single("elevator", 0444, NULL, elevator_show)) {
		kthread_stop(thread);
		return -ENOMEM;
	}
	STUB_start_elevator = start_elevator;
	STUB_issue_request = issue_request;
	STUB_stop_elevator = stop_elevator;
	return 0;
}

static void __exit elevator_exit(void)
{
	struct passenger *who, *next;
	STUB_start_elevator = NULL;
	STUB_issue_request = NULL;
	STUB_stop_elevator = NULL;
	kthread_stop(thread);
	list_for_each_entry_safe(who, next, &inside, list)
		kfree(who);
	list_for_each_entry_safe(who, next, &waiting, list)
		kfree(who);
}

module_init(elevator_init);
module_exit(elevator_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("An elevator");
