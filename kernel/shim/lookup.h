/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KORU_LOOKUP_H
#define KORU_LOOKUP_H

/*
 * Returns whether `path` exists in a file system of type `fs`, such as "sysfs": 1 or 0, or
 * a negative errno. The path starts at the file system's root, and a symbolic link at its end is not
 * followed. Context: any process, also one that is about to exit, or any kernel thread; it
 * sleeps.
 */
int koru_path_exists(const char *fs, const char *path);

#endif
