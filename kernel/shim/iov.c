// SPDX-License-Identifier: GPL-2.0-only
#include <linux/minmax.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "shim.h"

unsigned long koru_iov_len(const struct iov_iter *iov)
{
	return iov_iter_count(iov);
}

void koru_iov_advance(struct iov_iter *iov, unsigned long len)
{
	iov_iter_advance(iov, len);
}

void koru_iov_revert(struct iov_iter *iov, unsigned long len)
{
	iov_iter_revert(iov, len);
}

/*
 * Whoever made an iterator has set whose memory it is over. It is lent to Rust for one
 * call, in the context in which the kernel makes that call. An iterator over user memory
 * comes from a system call or a worker of io_uring, which have that memory; those that
 * kernel threads make are over pages or kernel memory.
 *
 * The inline checks of these functions WARN about lengths above INT_MAX. No iterator is
 * that long, but a buffer in vmalloc memory may be.
 */
unsigned long koru_copy_to_iter(const void *from, unsigned long len, struct iov_iter *iov)
{
	return copy_to_iter(from, min_t(unsigned long, len, iov_iter_count(iov)), iov);
}

/*
 * While faults are disabled, a page that is not there is an address that cannot be written.
 * This does not make the context atomic: an iterator over a pipe may allocate pages.
 */
unsigned long koru_copy_to_iter_nofault(const void *from, unsigned long len,
					struct iov_iter *iov)
{
	unsigned long copied;

	pagefault_disable();
	copied = koru_copy_to_iter(from, len, iov);
	pagefault_enable();
	return copied;
}

unsigned long koru_copy_from_iter(void *to, unsigned long len, struct iov_iter *iov)
{
	return copy_from_iter(to, min_t(unsigned long, len, iov_iter_count(iov)), iov);
}
