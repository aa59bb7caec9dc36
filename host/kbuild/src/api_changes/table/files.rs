// SPDX-License-Identifier: MIT OR Apache-2.0

//! Files, /proc, sysctls and file systems.

use crate::api_changes::{
    change::{
        Change, NONE, Rewrite,
        Sign::{Arguments, Incomplete, Member, Name, ReadOnly, Statement, Symbol, Types, Void},
        Version,
        When::{Before, Since},
        v,
    },
    rewrite::{
        files::{f_dentry, proc_ops, unlocked_ioctl},
        import_as_text,
    },
};

const PROC_CREATE: &str = "static const struct proc_ops my_ops = { .proc_read = my_read };
proc_create(\"name\", 0444, NULL, &my_ops);";

pub(super) const CHANGES: &[Change] = &[
    Change {
        when: Since(v(5, 6)),
        signs: &[
            Types("struct proc_ops *", "struct file_operations *"),
            Arguments("proc_create_data"),
        ],
        what: "`proc_create` takes a `struct proc_ops` instead of a `struct file_operations`; its \
               members are called `proc_open`, `proc_read` and so on, and it has no `owner`",
        rewrites: &[Rewrite::Custom(proc_ops)],
        example: PROC_CREATE,
        ..NONE
    },
    Change {
        when: Since(v(5, 6)),
        signs: &[Member("struct proc_ops", "owner")],
        what: "a `struct proc_ops` has no `owner`: files in /proc protect their module by \
               themselves",
        rewrites: &[Rewrite::DropMember("owner")],
        ..NONE
    },
    Change {
        when: Since(v(5, 6)),
        signs: &[
            Member("struct proc_ops", "open"),
            Member("struct proc_ops", "read"),
            Member("struct proc_ops", "write"),
            Member("struct proc_ops", "release"),
            Member("struct proc_ops", "llseek"),
            Member("struct proc_ops", "unlocked_ioctl"),
            Member("struct proc_ops", "mmap"),
            Member("struct proc_ops", "poll"),
        ],
        what: "the members of a `struct proc_ops` are called `proc_open`, `proc_read`, \
               `proc_lseek`, `proc_ioctl` and so on",
        rewrites: &[
            Rewrite::Member("open", "proc_open"),
            Rewrite::Member("read", "proc_read"),
            Rewrite::Member("write", "proc_write"),
            Rewrite::Member("release", "proc_release"),
            Rewrite::Member("llseek", "proc_lseek"),
            Rewrite::Member("unlocked_ioctl", "proc_ioctl"),
            Rewrite::Member("mmap", "proc_mmap"),
            Rewrite::Member("poll", "proc_poll"),
        ],
        ..NONE
    },
    Change {
        when: Before(v(5, 6)),
        signs: &[
            Incomplete("struct proc_ops"),
            Types("struct file_operations *", "struct proc_ops *"),
        ],
        what: "`proc_create` takes a `struct file_operations`, with `.open`, `.read` and so on",
        example: "static const struct file_operations my_ops = { .read = my_read };",
        ..NONE
    },
    Change {
        when: Since(v(3, 10)),
        signs: &[Name("create_proc_entry")],
        what: "`create_proc_entry` is gone: a file in /proc is made together with its operations",
        example: PROC_CREATE,
        ..NONE
    },
    Change {
        when: Since(v(4, 18)),
        signs: &[
            Name("create_proc_read_entry"),
            Name("create_proc_info_entry"),
        ],
        what: "`create_proc_read_entry` is gone (since 3.10): the text is written by a function \
               that takes a `struct seq_file`",
        example: "static int my_show(struct seq_file *m, void *v)
{
\tseq_puts(m, \"hello\\n\");
\treturn 0;
}
proc_create_single(\"name\", 0444, NULL, my_show);",
        ..NONE
    },
    Change {
        when: Since(v(3, 10)),
        signs: &[Incomplete("struct proc_dir_entry")],
        what: "the members of a `struct proc_dir_entry` are private: operations, owner and data \
               are given to `proc_create` and `proc_create_data`",
        example: PROC_CREATE,
        ..NONE
    },
    Change {
        when: Since(v(6, 12)),
        signs: &[Name("no_llseek")],
        what: "`no_llseek` is gone: a file without `.llseek` cannot be seeked in",
        rewrites: &[
            Rewrite::DropMember("llseek"),
            Rewrite::DropMember("proc_lseek"),
        ],
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 36)),
        signs: &[Member("struct file_operations", "ioctl")],
        what: "the member `ioctl` is gone: `unlocked_ioctl` is called without the big kernel lock, \
               has no `inode` parameter, and returns a `long`",
        rewrites: &[Rewrite::Custom(unlocked_ioctl)],
        ..NONE
    },
    Change {
        when: Since(v(6, 6)),
        signs: &[
            Member("struct file_operations", "iterate"),
            Member("struct file_operations", "readdir"),
        ],
        what: "directories have `iterate_shared` only, which is called with the inode locked for \
               reading",
        rewrites: &[Rewrite::Member("iterate", "iterate_shared")],
        example: ".iterate_shared = my_iterate,",
        ..NONE
    },
    Change {
        when: Since(v(3, 11)),
        signs: &[Member("struct file_operations", "readdir")],
        what: "`readdir` is gone: directories have `iterate_shared`, which takes a `struct \
               dir_context`",
        example: ".iterate_shared = my_iterate,",
        ..NONE
    },
    Change {
        when: Since(v(4, 1)),
        signs: &[
            Member("struct file_operations", "aio_read"),
            Member("struct file_operations", "aio_write"),
        ],
        what: "`aio_read` and `aio_write` are gone: `read_iter` and `write_iter` take a `struct \
               iov_iter`",
        example: "static ssize_t my_read_iter(struct kiocb *iocb, struct iov_iter *to);",
        ..NONE
    },
    Change {
        when: Since(v(6, 5)),
        signs: &[Member("struct file_operations", "sendpage")],
        what: "`sendpage` is gone: `splice_write` is used instead",
        rewrites: &[Rewrite::DropMember("sendpage")],
        ..NONE
    },
    Change {
        when: Since(v(3, 19)),
        signs: &[Member("struct file", "f_dentry")],
        what: "a `struct file` has no `f_dentry`: it is `f_path.dentry`, and `file_inode` returns \
               the inode",
        rewrites: &[Rewrite::Custom(f_dentry)],
        ..NONE
    },
    Change {
        when: Since(v(3, 9)),
        signs: &[Member("struct file", "f_vfsmnt")],
        what: "a `struct file` has no `f_vfsmnt`: it is `f_path.mnt`",
        rewrites: &[Rewrite::Member("f_vfsmnt", "f_path.mnt")],
        ..NONE
    },
    Change {
        when: Since(v(4, 7)),
        signs: &[Member("struct inode", "i_mutex")],
        what: "an inode has no `i_mutex`: it is locked by `inode_lock` and `inode_unlock`",
        example: "inode_lock(inode);",
        ..NONE
    },
    Change {
        when: Since(v(6, 6)),
        signs: &[Member("struct inode", "i_ctime")],
        what: "an inode's `i_ctime` is read and set by functions",
        example: "inode_set_ctime_current(inode);",
        ..NONE
    },
    Change {
        when: Since(v(6, 7)),
        signs: &[
            Member("struct inode", "i_mtime"),
            Member("struct inode", "i_atime"),
        ],
        what: "an inode's `i_mtime` and `i_atime` are read and set by functions",
        example: "inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));",
        ..NONE
    },
    Change {
        when: Since(v(5, 19)),
        signs: &[Member("struct address_space_operations", "readpage")],
        what: "`readpage` is gone: `read_folio` takes a `struct folio`",
        example: "static int my_read_folio(struct file *file, struct folio *folio);",
        ..NONE
    },
    Change {
        when: Since(v(6, 5)),
        signs: &[
            Name("register_sysctl_table"),
            Member("struct ctl_table", "child"),
        ],
        what: "`register_sysctl_table` is gone, and tables have no children: `register_sysctl` \
               takes the path of the folder and the table of its files",
        example: "header = register_sysctl(\"kernel/my_folder\", my_table);",
        ..NONE
    },
    Change {
        when: Since(v(6, 11)),
        signs: &[Types("(const struct ctl_table *", "(struct ctl_table *")],
        what: "the handler of a sysctl takes a `const struct ctl_table *`",
        example: "static int my_handler(const struct ctl_table *table, int write, void *buffer,
\t\t      size_t *lenp, loff_t *ppos);",
        ..NONE
    },
    Change {
        when: Since(v(4, 14)),
        signs: &[Arguments("kernel_read"), Arguments("kernel_write")],
        what: "`kernel_read` and `kernel_write` take the buffer and its size first, and a pointer \
               to the position last",
        example: "loff_t pos = 0;
ssize_t n = kernel_read(file, buffer, sizeof(buffer), &pos);",
        ..NONE
    },
    Change {
        when: Since(v(4, 14)),
        signs: &[
            Symbol("vfs_read"),
            Symbol("vfs_write"),
            Symbol("__vfs_read"),
            Symbol("__vfs_write"),
        ],
        what: "modules cannot use `vfs_read` and `vfs_write`: `kernel_read` and `kernel_write` \
               read and write a file from the kernel's own memory",
        example: "loff_t pos = 0;
ssize_t n = kernel_read(file, buffer, sizeof(buffer), &pos);",
        ..NONE
    },
    Change {
        when: Since(v(6, 8)),
        signs: &[Arguments("eventfd_signal")],
        what: "`eventfd_signal` takes no count: it adds 1",
        rewrites: &[Rewrite::Call("eventfd_signal", 2, "eventfd_signal($1)")],
        ..NONE
    },
    Change {
        when: Since(v(5, 18)),
        signs: &[Member("struct kobj_type", "default_attrs")],
        what: "a `struct kobj_type` has no `default_attrs`: it has `default_groups`, which \
               `ATTRIBUTE_GROUPS` makes",
        example: "ATTRIBUTE_GROUPS(my);\t/* of the array my_attrs */
\t.default_groups = my_groups,",
        ..NONE
    },
    Change {
        signs: &[
            Void("debugfs_create_u8"),
            Void("debugfs_create_u16"),
            Void("debugfs_create_u32"),
            Void("debugfs_create_u64"),
            Void("debugfs_create_x32"),
            Void("debugfs_create_bool"),
        ],
        what: "`debugfs_create_u32` and the like return nothing, because a module should work \
               without its files in debugfs",
        example: "debugfs_create_u32(\"name\", 0444, folder, &value);",
        ..NONE
    },
    Change {
        when: Since(v(6, 13)),
        signs: &[Statement("MODULE_IMPORT_NS")],
        what: "the argument of `MODULE_IMPORT_NS` is a string",
        rewrites: &[Rewrite::Custom(import_as_text)],
        ..NONE
    },
    Change {
        when: Since(v(5, 17)),
        signs: &[ReadOnly("dev_addr")],
        what: "the address of a network device is read-only",
        example: "eth_hw_addr_set(dev, address);",
        ..NONE
    },
];
