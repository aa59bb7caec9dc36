// SPDX-License-Identifier: GPL-2.0-only
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>

#include "shim.h"

long long koru_ktime_get(void)
{
	return ktime_to_ns(ktime_get());
}

long long koru_ktime_get_real(void)
{
	return ktime_to_ns(ktime_get_real());
}

long long koru_ktime_get_boottime(void)
{
	return ktime_to_ns(ktime_get_boottime());
}

long long koru_ktime_get_tai(void)
{
	return ktime_to_ns(ktime_get_clocktai());
}

unsigned long long koru_ktime_get_mono_fast(void)
{
	return ktime_get_mono_fast_ns();
}

unsigned long koru_jiffies(void)
{
	return jiffies;
}

unsigned long long koru_jiffies64(void)
{
	return get_jiffies_64();
}

unsigned long koru_msecs_to_jiffies(unsigned int ms)
{
	return msecs_to_jiffies(ms);
}

unsigned int koru_jiffies_to_msecs(unsigned long j)
{
	return jiffies_to_msecs(j);
}

void koru_fsleep(unsigned long us)
{
	fsleep(us);
}

void koru_udelay(unsigned long us)
{
	/* udelay() overflows past this; see asm-generic/delay.h. */
	while (us > 1000) {
		udelay(1000);
		us -= 1000;
	}
	udelay(us);
}
