// SPDX-License-Identifier: MIT OR Apache-2.0

//! User memory, address spaces and I/O memory.

use crate::api_changes::{
    change::{
        Change, NONE, Rewrite,
        Sign::{Arguments, Member, Name, ReadOnly, Symbol, Types},
        When::{Before, Since},
        v,
    },
    rewrite::memory::{mmap_lock, vm_flags},
};

pub(super) const CHANGES: &[Change] = &[
    Change {
        when: Since(v(5, 10)),
        signs: &[
            Name("get_fs"),
            Name("set_fs"),
            Name("get_ds"),
            Name("KERNEL_DS"),
            Name("USER_DS"),
            Name("mm_segment_t"),
        ],
        what: "x86 has no `set_fs` (no architecture has since 5.18): `kernel_read` and \
               `kernel_write` read and write a file from the kernel's own memory",
        example: "loff_t pos = 0;
ssize_t n = kernel_read(file, buffer, sizeof(buffer), &pos);",
        ..NONE
    },
    Change {
        when: Since(v(5, 0)),
        signs: &[
            Arguments("access_ok"),
            Name("VERIFY_READ"),
            Name("VERIFY_WRITE"),
        ],
        what: "`access_ok` takes the address and the size only",
        rewrites: &[Rewrite::Call("access_ok", 3, "access_ok($2, $3)")],
        ..NONE
    },
    Change {
        when: Before(v(5, 0)),
        signs: &[Arguments("access_ok")],
        what: "`access_ok` takes `VERIFY_READ` or `VERIFY_WRITE` first",
        rewrites: &[Rewrite::Call(
            "access_ok",
            2,
            "access_ok(VERIFY_WRITE, $1, $2)",
        )],
        ..NONE
    },
    Change {
        when: Since(v(5, 8)),
        signs: &[Member("struct mm_struct", "mmap_sem")],
        what: "`mmap_sem` is called `mmap_lock`, and is taken by `mmap_read_lock` and \
               `mmap_write_lock`",
        rewrites: &[Rewrite::Custom(mmap_lock)],
        include: "linux/mmap_lock.h",
        example: "mmap_read_lock(mm);\t/* then mmap_read_unlock(mm) */",
    },
    Change {
        when: Since(v(6, 3)),
        signs: &[ReadOnly("vm_flags")],
        what: "`vm_flags` is read-only, and is changed by functions",
        rewrites: &[Rewrite::Custom(vm_flags)],
        example: "vm_flags_set(vma, VM_IO);\t/* or vm_flags_clear */",
        ..NONE
    },
    Change {
        when: Before(v(6, 3)),
        signs: &[Name("vm_flags_set"), Name("vm_flags_clear")],
        what: "`vm_flags` is changed by an assignment",
        rewrites: &[
            Rewrite::Call("vm_flags_set", 2, "$1->vm_flags |= $2"),
            Rewrite::Call("vm_flags_clear", 2, "$1->vm_flags &= ~($2)"),
        ],
        ..NONE
    },
    Change {
        when: Since(v(3, 7)),
        signs: &[Name("VM_RESERVED")],
        what: "`VM_RESERVED` is gone: `VM_DONTEXPAND | VM_DONTDUMP` has its meaning",
        rewrites: &[Rewrite::Words(&[(
            "VM_RESERVED",
            "(VM_DONTEXPAND | VM_DONTDUMP)",
        )])],
        ..NONE
    },
    Change {
        when: Since(v(4, 11)),
        signs: &[Types(
            "(struct vm_fault *)",
            "(struct vm_area_struct *, struct vm_fault *)",
        )],
        what: "`fault` takes the `struct vm_fault` only, in which the area is `vmf->vma`",
        example: "static vm_fault_t my_fault(struct vm_fault *vmf);",
        ..NONE
    },
    Change {
        when: Since(v(5, 1)),
        signs: &[Types(
            "vm_fault_t (struct vm_fault *)",
            "int (struct vm_fault *)",
        )],
        what: "`fault` returns a `vm_fault_t`, which is not an `int`",
        example: "static vm_fault_t my_fault(struct vm_fault *vmf);",
        ..NONE
    },
    Change {
        when: Since(v(4, 10)),
        signs: &[Member("struct vm_fault", "virtual_address")],
        what: "`virtual_address` is called `address`, and is an `unsigned long`",
        rewrites: &[Rewrite::Member("virtual_address", "address")],
        ..NONE
    },
    Change {
        when: Since(v(6, 5)),
        signs: &[Arguments("get_user_pages")],
        what: "`get_user_pages` takes the address, the number of pages, flags and the array of \
               pages",
        example: "n = get_user_pages(address, count, FOLL_WRITE, pages);",
        ..NONE
    },
    Change {
        when: Since(v(4, 9)),
        signs: &[Arguments("get_user_pages")],
        what: "`get_user_pages` takes the address, the number of pages, flags, and the arrays of \
               pages and of areas",
        example: "n = get_user_pages(address, count, FOLL_WRITE, pages, NULL);",
        ..NONE
    },
    Change {
        when: Since(v(6, 7)),
        signs: &[Name("register_shrinker"), Name("unregister_shrinker")],
        what: "shrinkers are allocated: by `shrinker_alloc`, then `shrinker_register`; and freed \
               by `shrinker_free`",
        example: "struct shrinker *s = shrinker_alloc(0, \"my-cache\");",
        ..NONE
    },
    Change {
        when: Since(v(5, 4)),
        signs: &[Symbol("set_memory_x"), Symbol("set_memory_nx")],
        what: "modules cannot use `set_memory_x` and `set_memory_nx`",
        ..NONE
    },
];
