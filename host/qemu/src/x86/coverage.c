// SPDX-License-Identifier: MIT OR Apache-2.0

/*
 * A plugin of QEMU that records which instructions of a guest's modules are executed.
 *
 * The host reads what happened from a file in memory, which has a line for each event:
 *
 *     load ADDRESS BYTES   a module is about to run its init; its `struct module`
 *     run ADDRESS          an instruction is executed, for the first time since it was translated
 *     full                 the file has its greatest size, so nothing more is recorded
 *
 * A load writes all of a module's code, so QEMU translates it again: an address in the file
 * belongs to the last module that was loaded there.
 *
 * The plugin reads the guest's memory by itself, because QEMU's plugin API can do so only since
 * version 4. The declarations are those of all versions since 1. No header is included for them,
 * as distributions do not have one.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_CB_NO_REGS };
#define EXPORT __attribute__((visibility("default")))

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
	void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *,
	void (*)(unsigned int cpu, void *), int flags, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = API_VERSION;

/* The addresses at which the kernel and its modules are. Modules begin 1 GB behind the kernel, or
   512 MB on kernels that are never moved. */
#define KERNEL 0xffffffff80000000ull
#define MODULES 0xffffffffa0000000ull
#define MODULES_END 0xffffffffff000000ull

#define MOST_BYTES (256l << 20)
#define STRUCT_BYTES 1024
#define MOST_MODULES 4096

/* `struct module` begins with its state and its place in the list of all modules. */
#define MODULE_STATE_COMING 1
#define OFFSET_OF_LIST 8

/* What the host writes when the guest is up: addresses of the kernel. */
static volatile const struct {
	uint64_t do_init_module;
	uint64_t modules;
	uint64_t init_top_pgt;
} *kernel;

static int record = -1;
static long recorded;
static uint64_t memory_bytes;
/* Where QEMU has the guest's physical memory. */
static uint64_t memory;
/* Whether an instruction was executed, a bit for each address. */
static unsigned char *was_run;

/* Appends one line in one call, so lines of several processors do not mix. */
static void append(const char *line, size_t length)
{
	long end = __atomic_add_fetch(&recorded, length, __ATOMIC_RELAXED);

	if (end > MOST_BYTES) {
		if (end - (long)length <= MOST_BYTES)
			(void)!write(record, "full\n", 5);
		return;
	}
	(void)!write(record, line, length);
}

/* Reads physical memory. A guest can make any address of it, so the system call checks whether
   something is there. */
static bool read_physical(uint64_t at, void *to, size_t length)
{
	struct iovec local = { to, length }, remote = { (void *)(memory + at), length };

	if (at > memory_bytes || length > memory_bytes - at)
		return false;
	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)length;
}

static bool physical_of(uint64_t address, int levels, uint64_t *physical)
{
	uint64_t table = kernel->init_top_pgt - KERNEL;

	for (int level = levels - 1; level >= 0; level--) {
		int shift = 12 + 9 * level;
		uint64_t entry;

		if (!read_physical(table + 8 * (address >> shift & 511), &entry, 8) || !(entry & 1))
			return false;
		table = entry & 0x000ffffffffff000ull;
		if (level == 0 || (level <= 2 && entry & 1 << 7)) {
			uint64_t mask = (1ull << shift) - 1;

			*physical = (table & ~mask) | (address & mask);
			return true;
		}
	}
	return false;
}

/* Returns the number of levels of the kernel's page tables: that with which the tables are right
   about the kernel itself. */
static int page_table_levels(void)
{
	for (int levels = 4; levels <= 5; levels++) {
		uint64_t physical;

		if (physical_of(kernel->modules, levels, &physical) &&
		    physical == kernel->modules - KERNEL)
			return levels;
	}
	return 0;
}

static bool read_virtual(uint64_t address, int levels, void *to, size_t length)
{
	while (length) {
		size_t part = 4096 - address % 4096;
		uint64_t physical;

		part = part < length ? part : length;
		if (!physical_of(address, levels, &physical) || !read_physical(physical, to, part))
			return false;
		address += part;
		to = (char *)to + part;
		length -= part;
	}
	return true;
}

static void append_load(uint64_t module, int levels)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[STRUCT_BYTES];
	char line[2 * STRUCT_BYTES + 64];
	int length = sprintf(line, "load %llx ", (unsigned long long)module);

	if (!read_virtual(module, levels, bytes, sizeof bytes))
		return;
	for (size_t i = 0; i < sizeof bytes; i++) {
		line[length++] = digits[bytes[i] >> 4];
		line[length++] = digits[bytes[i] & 15];
	}
	line[length++] = '\n';
	append(line, length);
}

/* The kernel is about to call a module's init. */
static void before_init(unsigned int cpu, void *unused)
{
	int levels = page_table_levels();
	uint64_t next;

	(void)cpu;
	(void)unused;
	if (!levels || !read_virtual(kernel->modules, levels, &next, 8))
		return;
	for (int n = 0; n < MOST_MODULES && next != kernel->modules; n++) {
		uint64_t module = next - OFFSET_OF_LIST;
		uint32_t state;

		if (!read_virtual(module, levels, &state, sizeof state))
			return;
		if (state == MODULE_STATE_COMING)
			append_load(module, levels);
		if (!read_virtual(next, levels, &next, 8))
			return;
	}
}

static void on_run(unsigned int cpu, void *at)
{
	uint64_t address = (uint64_t)at, bit = address - MODULES;
	unsigned char mask = 1 << bit % 8;
	char line[32];

	(void)cpu;
	if (was_run[bit / 8] & mask)
		return;
	if (__atomic_fetch_or(&was_run[bit / 8], mask, __ATOMIC_RELAXED) & mask)
		return;
	append(line, sprintf(line, "run %llx\n", (unsigned long long)address));
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t n = 0; n < count; n++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, n);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		if (address < KERNEL || address >= MODULES_END)
			return;
		if (address >= MODULES) {
			uint64_t bit = address - MODULES;

			__atomic_fetch_and(&was_run[bit / 8], ~(1 << bit % 8), __ATOMIC_RELAXED);
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_run,
				QEMU_PLUGIN_CB_NO_REGS, (void *)address);
		} else if (address == kernel->do_init_module) {
			/* The kernel's own addresses are those of memory, shifted. */
			memory = (uint64_t)qemu_plugin_insn_haddr(insn) - (address - KERNEL);
			qemu_plugin_register_vcpu_insn_exec_cb(insn, before_init,
				QEMU_PLUGIN_CB_NO_REGS, NULL);
		}
	}
}

static const char *argument(int argc, char **argv, const char *name)
{
	for (int n = 0; n < argc; n++) {
		size_t length = strlen(name);

		if (!strncmp(argv[n], name, length) && argv[n][length] == '=')
			return argv[n] + length + 1;
	}
	fprintf(stderr, "the argument %s is missing\n", name);
	exit(1);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
			       char **argv)
{
	int control = atoi(argument(argc, argv, "kernel"));

	(void)info;
	record = atoi(argument(argc, argv, "record"));
	memory_bytes = strtoull(argument(argc, argv, "memory"), NULL, 10);
	kernel = mmap(NULL, sizeof *kernel, PROT_READ, MAP_SHARED, control, 0);
	was_run = mmap(NULL, (MODULES_END - MODULES) / 8, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (kernel == MAP_FAILED || was_run == MAP_FAILED) {
		perror("mapping memory");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	return 0;
}
