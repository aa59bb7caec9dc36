// SPDX-License-Identifier: GPL-2.0-only
#include <linux/seq_file.h>

#include "shim.h"

int koru_seq_write(struct seq_file *seq, const char *text, unsigned long len)
{
	return seq_write(seq, text, len);
}
