/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KORU_LOOKUP_H
#define KORU_LOOKUP_H

/*
 * Whether there is a `path` in the file system of that type, such as "sysfs",
 * counted from its root and with symbolic links as they are: 1 or 0, or a negative
 * errno. Sleeps; any process, kernel thread, or task that is about to end.
 */
int koru_path_exists(const char *fs, const char *path);

#endif
