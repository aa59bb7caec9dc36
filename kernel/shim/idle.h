/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KORU_IDLE_H
#define KORU_IDLE_H

/* Sleeps for some ticks, as an idle task. */
void koru_idle(unsigned long ticks);

#endif
